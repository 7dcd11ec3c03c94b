"""The app's configuration."""

from django.apps import AppConfig


class SupportConfig(AppConfig):
    name = "courses.support"

    def ready(self) -> None:
        from .notices import register_notices

        register_notices()
