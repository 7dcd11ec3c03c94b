"""The app's configuration."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "campus.web"

    def ready(self) -> None:
        from .navigation import register_items

        register_items()
