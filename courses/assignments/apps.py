"""The app's configuration."""

from django.apps import AppConfig


class AssignmentsConfig(AppConfig):
    name = "courses.assignments"
