"""The app's configuration."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "courses.catalog"
