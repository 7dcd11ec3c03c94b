"""The app's configuration."""

from django.apps import AppConfig


class AttendanceConfig(AppConfig):
    name = "courses.attendance"

    def ready(self) -> None:
        from .navigation import register_items
        from .notices import register_notices
        from .states import register_states

        register_items()
        register_notices()
        register_states()
