"""Addresses of the node API, below /node/v1/."""

from django.urls import path

from . import views

app_name = "node-api"
urlpatterns = [
    path("hello", views.hello, name="hello"),
    path("heartbeat", views.heartbeat, name="heartbeat"),
    path("claim", views.claim, name="claim"),
    path("environments", views.environments, name="environments"),
    path("data-sets/<slug:digest>", views.data_set, name="data-set"),
    path("attempts/<int:attempt_id>/source", views.source, name="source"),
    path("attempts/<int:attempt_id>/checkpoint", views.checkpoint, name="checkpoint"),
    path("attempts/<int:attempt_id>/started", views.started, name="started"),
    path("attempts/<int:attempt_id>/log", views.log, name="log"),
    path("attempts/<int:attempt_id>/metrics", views.metrics, name="metrics"),
    path("attempts/<int:attempt_id>/artifacts", views.artifacts, name="artifacts"),
    path("attempts/<int:attempt_id>/settle", views.settle, name="settle"),
]
