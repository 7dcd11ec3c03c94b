"""The app's configuration."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "campus.people"

    def ready(self) -> None:
        from .security_notices import listen

        listen()
