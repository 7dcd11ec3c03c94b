"""REST routes of environments and data sets, below /api/v1/."""

from django.urls import path

from .rest import DataSetListView, EnvironmentListView

urlpatterns = [
    path("environments/", EnvironmentListView.as_view(), name="api-environments"),
    path("data-sets/", DataSetListView.as_view(), name="api-data-sets"),
]
