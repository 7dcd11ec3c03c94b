"""How allauth meets our users."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from campus.core.context import THEME_COOKIE

YEAR_S = 31_536_000


def remember(response: HttpResponse, request: HttpRequest, user: Any) -> None:
    """Put the person's language and theme into this browser's cookies."""
    for name, value in ((settings.LANGUAGE_COOKIE_NAME, user.language), (THEME_COOKIE, user.theme)):
        response.set_cookie(name, value, max_age=YEAR_S, samesite="Lax", secure=request.is_secure())


def language_of(request: HttpRequest) -> str:
    """Return the language that the page was shown in: a new account begins with it."""
    shown = getattr(request, "LANGUAGE_CODE", "")
    return shown if shown in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


class AccountAdapter(DefaultAccountAdapter):
    """Restores the person's language and theme on whatever device they sign in with."""

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        remember(response, request, user)
        return response


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Takes the person's name from the provider, which may call it `name` or `nickname`."""

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        user = super().populate_user(request, sociallogin, data)
        given = data.get("name") or data.get("nickname") or data.get("username") or data.get("email", "").split("@")[0]
        user.name = str(given)[:80]
        user.language = language_of(request)
        return user
