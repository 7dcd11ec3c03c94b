"""The app's configuration."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "labs.scheduling"

    def ready(self) -> None:
        from .account_figures import register_figures
        from .navigation import register_items

        register_items()
        register_figures()
