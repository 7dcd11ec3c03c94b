"""The pages of quota."""

from django.urls import path

from .views import account, requests, settings, tree

app_name = "quota"
urlpatterns = [
    path("quota/", tree.tree, name="tree"),
    path("quota/<int:account_id>/", account.account, name="account"),
    path("quota/<int:account_id>/learners/", tree.learners, name="learners"),
    path("quota/<int:account_id>/allocate/", account.change_allocation, name="allocate"),
    path("quota/<int:account_id>/settings/", settings.settings, name="settings"),
    path("quota/<int:account_id>/ask/", requests.ask, name="ask"),
    path("quota/requests/", requests.listing, name="requests"),
    path("quota/requests/<int:request_id>/", requests.one, name="request"),
    path("quota/requests/<int:request_id>/approve/", requests.approve, name="request-approve"),
    path("quota/requests/<int:request_id>/decline/", requests.decline, name="request-decline"),
    path("quota/requests/<int:request_id>/pass-up/", requests.pass_up, name="request-pass-up"),
    path("quota/requests/<int:request_id>/withdraw/", requests.withdraw, name="request-withdraw"),
]
