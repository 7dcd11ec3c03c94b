"""Routes of the labs' REST API, below /api/v1/."""

from django.urls import path

from .rest import Labs

urlpatterns = [path("labs/", Labs.as_view(), name="api-labs")]
