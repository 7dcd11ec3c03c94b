"""The app's configuration."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Listed after all apps that register a source, since it watches what they named."""

    name = "courses.search"

    def ready(self) -> None:
        from .indexing import watch
        from .sources import OWN, register_source

        for source in OWN:
            register_source(source)
        watch()
