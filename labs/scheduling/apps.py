"""The app's configuration."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "labs.scheduling"

    def ready(self) -> None:
        from .navigation import register_items

        register_items()
