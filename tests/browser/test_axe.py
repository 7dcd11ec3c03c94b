"""Every page of every role: axe finds nothing, in both languages and themes, and none scrolls sideways on a phone."""

import pytest

from .chromium import DESK, PHONE, sideways, violations
from .conftest import OpenPage
from .tour import TOURS, tour

LOOKS = (("ko", "light"), ("en", "dark"))


@pytest.mark.parametrize(("language", "theme"), LOOKS)
@pytest.mark.parametrize("role", TOURS)
def test_axe_finds_nothing_and_nothing_scrolls_sideways_on_a_phone(
    open_page: OpenPage, role: str, language: str, theme: str
) -> None:
    page = open_page("" if role == "anonymous" else role, language=language, color_scheme=theme)
    found, wide, seen = [], {}, []
    for name in tour(page, role):
        found += violations(page)
        page.set_viewport_size(PHONE)
        if places := sideways(page):
            wide[name] = places
        page.set_viewport_size(DESK)
        seen.append(name)
    assert (found, wide) == ([], {})
    assert seen == [step.name for step in TOURS[role]]
