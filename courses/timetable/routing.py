"""Websocket routes of the timetable."""

from django.urls import URLPattern, path

from .consumers import TimetableConsumer

websocket_urlpatterns: list[URLPattern] = [path("ws/timetable/", TimetableConsumer.as_asgi())]
