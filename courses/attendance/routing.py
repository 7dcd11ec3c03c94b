"""Websocket routes of attendance."""

from django.urls import URLPattern, path

from .consumers import RollConsumer

websocket_urlpatterns: list[URLPattern] = [path("ws/attendance/<int:session_id>/", RollConsumer.as_asgi())]
