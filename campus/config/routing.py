"""Every websocket route, gathered from the apps."""

from django.urls import URLPattern

from labs.jobs.routing import websocket_urlpatterns as job_routes

websocket_urlpatterns: list[URLPattern] = [*job_routes]
