"""Pictures of every page: `python -m tests.browser.shots --base URL --accounts FILE --out DIR`.

FILE holds what the demo printed (`account ROLE EMAIL PASSWORD` lines). Each role's pages are taken in both languages
and both themes, wide and on a phone.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page

from .chromium import DESK, PHONE, choose_language, chromium, context_of, show_theme, sideways, sign_in
from .tour import TOURS, tour

SIZES = {"1280": DESK, "360": PHONE}


def read_accounts(text: str) -> dict[str, tuple[str, str]]:
    """E-mail and password of the first account of each role; also of each by the name before its @."""
    accounts: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 4 and words[0] == "account":
            accounts.setdefault(words[1], (words[2], words[3]))
            accounts.setdefault(words[2].partition("@")[0], (words[2], words[3]))
    return accounts


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    accounts = read_accounts(options.accounts.read_text())
    with chromium() as browser:
        for role in options.roles:
            signed = context_of(browser, options.base)
            if role in accounts:
                sign_in(signed.new_page(), *accounts[role])
            state = signed.storage_state()
            for size in options.sizes:
                context = context_of(browser, options.base, viewport=SIZES[size], storage_state=state)
                page = context.new_page()
                page.goto("/")
                for language in options.languages:
                    choose_language(page, language)
                    _take(page, role, f"{language}-{size}", options.themes, options.out, options.pages)
                context.close()
            signed.close()


def _take(page: Page, role: str, kind: str, themes: Sequence[str], out: Path, only: Sequence[str]) -> None:
    for name in tour(page, role):
        if only and name not in only:
            continue
        if wide := sideways(page):
            print(f"{role} {name} {kind} scrolls sideways: {wide}")  # noqa: T201
        for theme in themes:
            show_theme(page, theme)
            out.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=out / f"{role}-{name}-{kind}-{theme}.png", full_page=True, animations="disabled")


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True)
    parser.add_argument("--accounts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--roles", nargs="*", default=[*TOURS])
    parser.add_argument("--sizes", nargs="*", default=[*SIZES])
    parser.add_argument("--languages", nargs="*", default=["ko", "en"])
    parser.add_argument("--themes", nargs="*", default=["light", "dark"])
    parser.add_argument("--pages", nargs="*", default=[])
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
