"""The app's configuration."""

from django.apps import AppConfig


class QuotaConfig(AppConfig):
    name = "labs.quota"
