"""The pages of usage."""

from django.urls import path

from .views import mine, report

app_name = "usage"
urlpatterns = [
    path("usage/", mine.mine, name="mine"),
    path("usage/usage.csv", mine.mine_csv, name="mine-csv"),
    path("usage/accounts/<int:account_id>/", report.account, name="account"),
    path("usage/accounts/<int:account_id>/usage.csv", report.account_csv, name="account-csv"),
]
