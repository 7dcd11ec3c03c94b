"""The app's configuration."""

from django.apps import AppConfig


class GradebookConfig(AppConfig):
    name = "courses.gradebook"

    def ready(self) -> None:
        from courses.catalog.api import register_copier

        from .copying import COPIER
        from .notices import register_notices
        from .states import register_states

        register_notices()
        register_states()
        register_copier(COPIER)
