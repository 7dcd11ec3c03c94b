"""The app's configuration: its navigation, and the notices it sends."""

from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "labs.usage"

    def ready(self) -> None:
        from .idleness import register_figures, register_notices
        from .navigation import register_items

        register_items()
        register_figures()
        register_notices()
