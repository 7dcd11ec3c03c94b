"""The app's configuration."""

from django.apps import AppConfig


class TimetableConfig(AppConfig):
    name = "courses.timetable"
