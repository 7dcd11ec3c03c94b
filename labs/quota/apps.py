"""The app's configuration: its navigation."""

from django.apps import AppConfig


class QuotaConfig(AppConfig):
    name = "labs.quota"

    def ready(self) -> None:
        from .navigation import register_items

        register_items()
