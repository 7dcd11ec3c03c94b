"""The app's configuration."""

from django.apps import AppConfig


class TimetableConfig(AppConfig):
    name = "courses.timetable"

    def ready(self) -> None:
        from courses.catalog.api import register_copier, register_day_notes

        from .copying import COPIER, holidays
        from .navigation import register_items
        from .notices import register_notices
        from .states import register_states

        register_items()
        register_notices()
        register_states()
        register_copier(COPIER)
        register_day_notes(holidays)
