"""The pages of quota."""

from django.urls import path

from .views import account, tree

app_name = "quota"
urlpatterns = [
    path("quota/", tree.tree, name="tree"),
    path("quota/<int:account_id>/", account.account, name="account"),
    path("quota/<int:account_id>/learners/", tree.learners, name="learners"),
    path("quota/<int:account_id>/allocate/", account.change_allocation, name="allocate"),
]
