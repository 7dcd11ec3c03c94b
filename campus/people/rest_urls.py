"""REST routes of people, below /api/v1/."""

from django.urls import path

from .rest import CurrentTokenView, MeView, TokenView

urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="api-token"),
    path("auth/token/current/", CurrentTokenView.as_view(), name="api-token-current"),
    path("me/", MeView.as_view(), name="api-me"),
]
