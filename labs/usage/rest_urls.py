"""REST routes of usage, below /api/v1/."""

from django.urls import path

from .rest import UsageView

urlpatterns = [path("usage/", UsageView.as_view(), name="api-usage")]
