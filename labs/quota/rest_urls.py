"""REST routes of quota, below /api/v1/."""

from django.urls import path

from .rest import AccountListView, AllocateView

urlpatterns = [
    path("quota/", AccountListView.as_view(), name="api-quota"),
    path("quota/<int:account_id>/allocate/", AllocateView.as_view(), name="api-quota-allocate"),
]
