"""What every page's frame needs: theme, languages, navigation, the count of unread notices."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import navigation
from .notices.unread import unread

THEME_COOKIE = "campus_theme"
THEMES = ("auto", "light", "dark")


def ui(request: HttpRequest) -> dict[str, Any]:
    """Return `ui`: `theme`, `languages` (code and own name); `nav` and `unread`, made only where they are drawn."""
    theme = request.COOKIES.get(THEME_COOKIE) or getattr(getattr(request, "user", None), "theme", "auto")
    return {
        "ui": {
            "theme": theme if theme in THEMES else "auto",
            "languages": settings.LANGUAGES,
            "nav": SimpleLazyObject(lambda: navigation.for_request(request)),
            "unread": lambda: unread(getattr(request, "user", None)),
        }
    }
