"""The app's configuration."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "labs.scheduling"
