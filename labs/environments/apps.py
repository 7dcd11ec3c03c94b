"""The app's configuration."""

from django.apps import AppConfig


class EnvironmentsConfig(AppConfig):
    name = "labs.environments"
