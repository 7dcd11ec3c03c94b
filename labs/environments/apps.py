"""The app's configuration."""

from django.apps import AppConfig


class EnvironmentsConfig(AppConfig):
    name = "labs.environments"

    def ready(self) -> None:
        from .navigation import register_items

        register_items()
