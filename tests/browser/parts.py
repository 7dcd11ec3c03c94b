"""The parts of pages that several stories use, by what people see of them."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect


def write_code(page: Page, code: str) -> None:
    """Replace what stands in the editor by pasting."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", code)
    page.locator(".cm-content").first.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("ControlOrMeta+v")


def job_id_of(page: Page) -> int:
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    return int(page.url.rstrip("/").rsplit("/", 1)[1])


def state_badge(page: Page) -> Locator:
    return page.locator('[data-part="badge"] [data-state]')


def expect_state(page: Page, state: str, within_s: float = 60) -> None:
    expect(state_badge(page)).to_have_attribute("data-state", state, timeout=within_s * 1000)


def mark(page: Page) -> None:
    """Leave something in the page that a reload would lose."""
    page.evaluate("window.neverReloaded = true")


def was_never_reloaded(page: Page) -> bool:
    return bool(page.evaluate("window.neverReloaded === true"))


def log_lines(page: Page) -> list[str]:
    """Every line that the log viewer holds, drawn or not."""
    return list(page.evaluate("document.getElementById('job-log').campusLog.terminal.lines.map((line) => line.text)"))


def log_cursor(page: Page) -> int:
    return int(page.evaluate("document.getElementById('job-log').campusLog.cursor"))


def download(page: Page, link: Locator) -> bytes:
    with page.expect_download() as started:
        link.click()
    content: bytes = started.value.path().read_bytes()
    return content


def until_settled(page: Page) -> None:
    """Wait for what modules draw: charts, editors, logs."""
    page.wait_for_function(
        """() => document.readyState === "complete"
          && [...document.querySelectorAll("[data-chart]")].every((e) => e.querySelector("canvas"))
          && [...document.querySelectorAll("[data-editor-files]")].every((e) => e.querySelector(".cm-editor"))
          && [...document.querySelectorAll("textarea[data-editor]")].every((e) => e.hidden)
          && [...document.querySelectorAll("[data-log]")].every((e) => e.classList.contains("is-live"))"""
    )


def box(locator: Locator) -> Any:
    found = locator.bounding_box()
    assert found is not None
    return found
