"""The app's configuration."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "labs.jobs"

    def ready(self) -> None:
        from .navigation import register_items

        register_items()
