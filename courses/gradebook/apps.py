"""The app's configuration."""

from django.apps import AppConfig


class GradebookConfig(AppConfig):
    name = "courses.gradebook"

    def ready(self) -> None:
        from .models import GradeItem
        from .sources import from_assignments, register_source

        register_source(GradeItem.Kind.ASSIGNMENT, from_assignments)
