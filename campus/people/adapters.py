"""How allauth meets our users."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from campus.core.context import THEME_COOKIE


class AccountAdapter(DefaultAccountAdapter):
    """Restores the person's language and theme on whatever device they sign in with."""

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language, max_age=31_536_000, samesite="Lax")
        response.set_cookie(THEME_COOKIE, user.theme, max_age=31_536_000, samesite="Lax")
        return response


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Takes the person's name from the provider, which may call it `name` or `nickname`."""

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        user = super().populate_user(request, sociallogin, data)
        given = data.get("name") or data.get("nickname") or data.get("username") or data.get("email", "").split("@")[0]
        user.name = str(given)[:80]
        return user
