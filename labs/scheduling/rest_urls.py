"""REST routes of scheduling, below /api/v1/."""

from django.urls import path

from .rest import ForecastView

urlpatterns = [path("forecast/", ForecastView.as_view(), name="api-forecast")]
