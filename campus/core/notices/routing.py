"""Websocket routes of notices."""

from django.urls import URLPattern, path

from .live import NoticesConsumer

websocket_urlpatterns: list[URLPattern] = [path("ws/notices/", NoticesConsumer.as_asgi())]
