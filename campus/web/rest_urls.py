"""REST routes that combine several apps, below /api/v1/."""

from django.urls import path

from .rest import JobsView, SweepsView

urlpatterns = [
    path("jobs/", JobsView.as_view(), name="api-jobs"),
    path("sweeps/", SweepsView.as_view(), name="api-sweeps"),
]
