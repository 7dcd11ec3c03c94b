"""The app's configuration: its navigation."""

from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "labs.usage"

    def ready(self) -> None:
        from .navigation import register_items

        register_items()
