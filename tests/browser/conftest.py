"""One campus and one Chromium for all stories; each story takes pages of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from .campus import Campus, end_campus, start_campus
from .chromium import context_of, sign_in

HERE = Path(__file__).parent
#: More than any page takes, on a machine that runs other tests beside it: only what never comes takes so long.
PATIENCE_MS = 60_000
OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """All stories on one worker: they share the campus."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if config.pluginmanager.hasplugin("xdist"):
                item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def campus() -> Iterator[Campus]:
    running = start_campus()
    yield running
    end_campus(running)


@pytest.fixture(scope="session", autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def sessions(campus: Campus, browser: Browser) -> Callable[[str], StorageState]:
    """The cookies of each role, signed in once, by its form."""
    known: dict[str, StorageState] = {}

    def session_of(role: str) -> StorageState:
        if role not in known:
            context = context_of(browser, campus.url)
            sign_in(context.new_page(), *campus.accounts[role])
            known[role] = context.storage_state()
            context.close()
        return known[role]

    return session_of


@pytest.fixture
def open_page(campus: Campus, browser: Browser, sessions: Callable[[str], StorageState]) -> Iterator[OpenPage]:
    """Open a page as a role, in English unless said otherwise. What its scripts complain of fails the story."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)

    def open_as(role: str = "", *, language: str = "en", **options: Any) -> Page:
        context = context_of(
            browser, campus.url, reduced_motion="reduce", storage_state=sessions(role) if role else None, **options
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if language:
            context.add_cookies([{"name": "campus_language", "value": language, "url": campus.url}])
        page = context.new_page()
        listen(page)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert complaints == []
