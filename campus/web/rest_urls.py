"""REST routes that combine several apps, below /api/v1/."""

from django.urls import path

from .rest import JobsView

urlpatterns = [path("jobs/", JobsView.as_view(), name="api-jobs")]
