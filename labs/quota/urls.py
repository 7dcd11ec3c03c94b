"""The pages of quota."""

from django.urls import path

from .views import account, changes, desk, grants, requests, settings, sponsors, tree

app_name = "quota"
urlpatterns = [
    path("quota/", tree.tree, name="tree"),
    path("quota/<int:account_id>/", account.account, name="account"),
    path("quota/<int:account_id>/learners/", tree.learners, name="learners"),
    path("quota/<int:account_id>/allocate/", account.change_allocation, name="allocate"),
    path("quota/<int:account_id>/settings/", settings.settings, name="settings"),
    path("quota/<int:account_id>/ask/", requests.ask, name="ask"),
    path("quota/<int:account_id>/grants/new/", grants.give, name="grant-new"),
    path("quota/<int:account_id>/lend/", grants.lend_new, name="lend"),
    path("quota/grants/<int:grant_id>/end/", grants.end, name="grant-end"),
    path("quota/lendings/<int:lending_id>/recall/", grants.lend_recall, name="recall"),
    path("quota/sponsors/", sponsors.sponsors, name="sponsors"),
    path("quota/rates/", sponsors.rates, name="rates"),
    path("quota/desk/", desk.page, name="desk"),
    path("quota/desk/desk.csv", desk.table, name="desk-csv"),
    path("quota/desk/<int:account_id>/learners/", desk.learners, name="desk-learners"),
    path("quota/desk/edit/", changes.edit, name="desk-edit"),
    path("quota/desk/upload/", changes.upload, name="desk-upload"),
    path("quota/desk/apply/", changes.apply, name="desk-apply"),
    path("quota/changes/", changes.history, name="batches"),
    path("quota/changes/<int:batch_id>/", changes.batch, name="batch"),
    path("quota/changes/<int:batch_id>/undo/", changes.undo, name="batch-undo"),
    path("quota/requests/", requests.listing, name="requests"),
    path("quota/requests/<int:request_id>/", requests.one, name="request"),
    path("quota/requests/<int:request_id>/approve/", requests.approve, name="request-approve"),
    path("quota/requests/<int:request_id>/decline/", requests.decline, name="request-decline"),
    path("quota/requests/<int:request_id>/pass-up/", requests.pass_up, name="request-pass-up"),
    path("quota/requests/<int:request_id>/withdraw/", requests.withdraw, name="request-withdraw"),
]
