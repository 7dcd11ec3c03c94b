"""REST routes of quota, below /api/v1/."""

from django.urls import path

from .rest import AccountListView, AllocateView
from .rest_requests import (
    AccountForecastView,
    ApproveView,
    DeclineView,
    PassUpView,
    RequestListView,
    RequestView,
    WithdrawView,
)

urlpatterns = [
    path("quota/", AccountListView.as_view(), name="api-quota"),
    path("quota/<int:account_id>/allocate/", AllocateView.as_view(), name="api-quota-allocate"),
    path("quota/<int:account_id>/forecast/", AccountForecastView.as_view(), name="api-quota-forecast"),
    path("quota/requests/", RequestListView.as_view(), name="api-quota-requests"),
    path("quota/requests/<int:request_id>/", RequestView.as_view(), name="api-quota-request"),
    path("quota/requests/<int:request_id>/approve/", ApproveView.as_view(), name="api-quota-request-approve"),
    path("quota/requests/<int:request_id>/decline/", DeclineView.as_view(), name="api-quota-request-decline"),
    path("quota/requests/<int:request_id>/pass-up/", PassUpView.as_view(), name="api-quota-request-pass-up"),
    path("quota/requests/<int:request_id>/withdraw/", WithdrawView.as_view(), name="api-quota-request-withdraw"),
]
