"""The app's configuration."""

from django.apps import AppConfig


class AnnouncementsConfig(AppConfig):
    name = "courses.announcements"

    def ready(self) -> None:
        from courses.catalog.api import register_news

        from .navigation import register_items
        from .notices import register_notices
        from .selectors import news_of_run
        from .states import register_states

        register_items()
        register_notices()
        register_states()
        register_news(news_of_run)
