"""The app's configuration."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "campus.web"
