"""The app's configuration."""

from django.apps import AppConfig


class GradebookConfig(AppConfig):
    name = "courses.gradebook"

    def ready(self) -> None:
        from .notices import register_notices
        from .states import register_states

        register_notices()
        register_states()
