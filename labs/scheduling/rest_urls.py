"""REST routes of scheduling, below /api/v1/."""

from django.urls import path

from .rest import ForecastView
from .rest_classes import ReservationsView, ReservationView

urlpatterns = [
    path("forecast/", ForecastView.as_view(), name="api-forecast"),
    path("reservations/", ReservationsView.as_view(), name="api-reservations"),
    path("reservations/<int:reservation_id>/", ReservationView.as_view(), name="api-reservation"),
]
