"""Chromium as the browser tests and the pictures use it: Debian's, or Playwright's own where that is missing."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_core_python
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

AXE = Path(axe_core_python.__file__).parent / "axe.min.js"
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
_QUIET = (
    "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that asks nobody on the network for anything."""
    # Its own sandbox cannot start as root.
    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser
        browser.close()


def context_of(browser: Browser, url: str, **options: Any) -> BrowserContext:
    """A fresh context at the campus's address; phones touch."""
    given = {"viewport": DESK, "locale": "ko-KR", "timezone_id": "Asia/Seoul"} | options
    if given["viewport"] == PHONE:
        given |= {"has_touch": True, "is_mobile": True}
    return browser.new_context(base_url=url, **given)


def sign_in(page: Page, email: str, password: str) -> None:
    """Sign in as a person does."""
    page.goto("/accounts/login/")
    page.locator('input[name="login"]').fill(email)
    page.locator('input[name="password"]').fill(password)
    page.locator('form:has(input[name="password"]) button[type="submit"]').first.click()
    page.wait_for_url("/")


def choose_language(page: Page, language: str) -> None:
    """Take the language switch of the page's head."""
    if page.locator("html").get_attribute("lang") == language:
        return
    page.locator('details[data-menu]:has(button[name="language"]) > summary').click()
    page.locator(f'button[name="language"][value="{language}"]').click()
    page.locator(f'html[lang="{language}"]').wait_for(state="attached")


def show_theme(page: Page, theme: str) -> None:
    """Show the page as it stands in another theme."""
    page.evaluate(
        """theme => {
          document.documentElement.dataset.theme = theme;
          document.dispatchEvent(new Event("campus:theme"));
        }""",
        theme,
    )


def violations(page: Page, *, only: str = "", without: str = "") -> list[str]:
    """What axe finds on the page as it stands: rule, place and what to do, one line each."""
    # Evaluated, not injected as a script element, which the content security policy would refuse.
    page.evaluate(AXE.read_text())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = [only]
    if without:
        options["rules"] = {without: {"enabled": False}}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{page.url} {rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def sideways(page: Page) -> list[str]:
    """What reaches over the right edge of a page that scrolls sideways; empty for one that does not."""
    return list(
        page.evaluate(
            """() => {
              const width = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= width) return [];
              const right = (element) => Math.round(element.getBoundingClientRect().right);
              const wide = [...document.querySelectorAll("main *, header *")].filter((e) => right(e) > width + 1);
              return wide.slice(0, 5).map((e) => `${e.tagName}.${e.className} ${right(e)}`);
            }"""
        )
    )
