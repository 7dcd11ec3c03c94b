"""Every websocket route, gathered from the apps."""

from labs.jobs.routing import websocket_urlpatterns as job_routes

websocket_urlpatterns = [*job_routes]
