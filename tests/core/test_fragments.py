"""Kept fragments of pages: by all that they show, and no more than agreed."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from campus.core.fragments import forget_fragments, fragment


@pytest.fixture
def written():
    return []


@pytest.fixture
def row(written):
    @fragment(most=2)
    def row(*shown):
        written.append(shown)
        return format_html("<td>{}</td>" * len(shown), *shown)

    return row


def test_the_same_values_are_written_once(row, written):
    assert row("a", 1) == row("a", 1) == "<td>a</td><td>1</td>"
    assert isinstance(row("a", 1), SafeString)
    assert written == [("a", 1)]


def test_another_value_is_another_fragment(row):
    assert row("Ada") != row("Alan")


def test_no_more_are_kept_than_agreed(row, written):
    for name in ("a", "b", "c", "c", "b", "a"):
        row(name)
    assert written == [("a",), ("b",), ("c",), ("a",)]


def test_markup_never_stands_in_for_the_text_of_the_same_letters(row):
    assert row(mark_safe("<b>")) == "<td><b></td>"
    assert row("<b>") == "<td>&lt;b&gt;</td>"


def test_numbers_that_are_equal_are_told_apart(row):
    assert [row(1), row(True), row(1.0)] == ["<td>1</td>", "<td>True</td>", "<td>1.0</td>"]


def test_each_language_and_each_zone_has_its_own(written):
    @fragment(most=8)
    def moment(at):
        written.append(at)
        return format_html("<td>{} {}</td>", gettext("Sign in"), timezone.localtime(at).hour)

    noon = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("UTC"))
    seen = set()
    for language in ("ko", "en"):
        for zone in ("Asia/Seoul", "UTC"):
            with translation.override(language), timezone.override(ZoneInfo(zone)):
                seen.add(moment(noon))
                assert moment(noon) in seen
    assert len(seen) == len(written) == 4


def test_what_is_kept_can_be_let_go(row, written):
    row("a")
    forget_fragments()
    row("a")
    assert len(written) == 2
