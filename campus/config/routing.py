"""Every websocket route, gathered from the apps."""

from django.urls import URLPattern

from campus.core.notices.routing import websocket_urlpatterns as notice_routes
from courses.attendance.routing import websocket_urlpatterns as attendance_routes
from courses.timetable.routing import websocket_urlpatterns as timetable_routes
from labs.jobs.routing import websocket_urlpatterns as job_routes

websocket_urlpatterns: list[URLPattern] = [*notice_routes, *timetable_routes, *job_routes, *attendance_routes]
