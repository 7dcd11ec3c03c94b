"""The app's configuration."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "campus.people"
