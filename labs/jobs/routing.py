"""Websocket routes of jobs."""

from django.urls import URLPattern, path

from .consumers import JobConsumer, MyJobsConsumer, PoolConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/jobs/<int:job_id>/", JobConsumer.as_asgi()),
    path("ws/my-jobs/", MyJobsConsumer.as_asgi()),
    path("ws/pool/", PoolConsumer.as_asgi()),
]
