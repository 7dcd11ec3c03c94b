"""Pages of a real Chromium at the live server, for tests that look at one page or one flow."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page

from campus.people.models import User

WIDE = {"width": 1280, "height": 900}
TIMEOUT_MS = 60_000


@pytest.fixture
def new_page(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Opens pages at the live server, whose relative addresses it knows. What a page complains of fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(user: User | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **({"viewport": WIDE} | options))
        opened.append(context)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if _is_policy(said) else None)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert complaints == []


def session_cookie(user: User, url: str) -> dict[str, str]:
    """The cookie of a session of `user`, as signing in makes it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return {"name": settings.SESSION_COOKIE_NAME, "value": str(session.session_key), "url": url}


def _is_policy(said: Any) -> bool:
    return "Content Security Policy" in said.text
