"""The app's configuration."""

from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "labs.usage"
