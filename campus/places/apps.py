"""The app's configuration."""

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    name = "campus.places"
