"""REST routes of quota, below /api/v1/."""

from django.urls import path

from .rest import AccountListView, AllocateView
from .rest_changes import BatchView, ChangesView, DeskView, UndoView
from .rest_grants import (
    GrantEndView,
    GrantsView,
    LendingRecallView,
    LendingsView,
    RatesView,
    SponsorListView,
    SponsorsView,
)
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
    path("quota/<int:account_id>/grants/", GrantsView.as_view(), name="api-quota-grants"),
    path("quota/<int:account_id>/sponsors/", SponsorsView.as_view(), name="api-quota-sponsors"),
    path("quota/<int:account_id>/lendings/", LendingsView.as_view(), name="api-quota-lendings"),
    path("quota/grants/<int:grant_id>/end/", GrantEndView.as_view(), name="api-quota-grant-end"),
    path("quota/lendings/<int:lending_id>/recall/", LendingRecallView.as_view(), name="api-quota-lending-recall"),
    path("quota/rates/", RatesView.as_view(), name="api-quota-rates"),
    path("quota/changes/", ChangesView.as_view(), name="api-quota-changes"),
    path("quota/changes/<int:batch_id>/", BatchView.as_view(), name="api-quota-batch"),
    path("quota/desk/", DeskView.as_view(), name="api-quota-desk"),
    path("quota/sponsors/", SponsorListView.as_view(), name="api-quota-sponsor-list"),
    path("quota/changes/<int:batch_id>/undo/", UndoView.as_view(), name="api-quota-changes-undo"),
    path("quota/requests/", RequestListView.as_view(), name="api-quota-requests"),
    path("quota/requests/<int:request_id>/", RequestView.as_view(), name="api-quota-request"),
    path("quota/requests/<int:request_id>/approve/", ApproveView.as_view(), name="api-quota-request-approve"),
    path("quota/requests/<int:request_id>/decline/", DeclineView.as_view(), name="api-quota-request-decline"),
    path("quota/requests/<int:request_id>/pass-up/", PassUpView.as_view(), name="api-quota-request-pass-up"),
    path("quota/requests/<int:request_id>/withdraw/", WithdrawView.as_view(), name="api-quota-request-withdraw"),
]
