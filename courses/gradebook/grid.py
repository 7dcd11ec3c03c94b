"""The grid's rows as HTML: 18,000 cells in a template's loop would take seconds, joined strings take milliseconds."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from courses.catalog.models import Enrolment

from .books import Book, Shown
from .domain.marks import State, text_of


@dataclass(frozen=True, slots=True)
class Final:
    """What the last two columns say of a learner."""

    percent: str
    band: str
    is_override: bool


def final_of(book: Book, enrolment_id: int) -> Final:
    """Return the final columns of a row."""
    percent, band = book.final(enrolment_id, book.grade(enrolment_id))
    return Final(percent_text(percent), band, enrolment_id in book.overrides)


def percent_text(percent: Decimal | None) -> str:
    """Write a percentage, or a dash where there is none."""
    return "–" if percent is None else f"{percent}"


def rows_html(book: Book) -> SafeString:
    """Return all rows of the grid's body. A cell carries its version only once it was written."""
    return mark_safe("".join(_rows(book)))  # noqa: S308 - made of escaped texts and our own numbers


def _rows(book: Book) -> Iterator[str]:
    cohort_id = None
    has_cohorts = len({row.cohort_id for row in book.rows}) > 1
    for row in book.rows:
        if has_cohorts and row.cohort_id != cohort_id:
            cohort_id = row.cohort_id
            yield format_html(
                '<tr class="grade-cohort"><th colspan="{}" scope="colgroup">{}</th></tr>',
                len(book.items) + 3,
                row.cohort,
            )
        yield _row(book, row)


def _row(book: Book, row: Enrolment) -> str:
    final = final_of(book, row.pk)
    head = format_html(
        '<tr data-row="{}"><th scope="row"><a href="{}">{}</a></th>',
        row.pk, reverse("gradebook:row", args=[row.pk]), row.user.name,
    )  # fmt: skip
    cells = "".join(cell_html(book.shown(item, row.pk)) for item in book.items)
    return f"{head}{cells}{_final_html(final)}</tr>"


def cell_html(shown: Shown) -> str:
    """Return one cell. Its text is what one would type to get it."""
    text = text_of(shown.mark)
    if not text and not shown.version:
        return "<td></td>"
    classes = " ".join(
        name
        for name, on in (
            ("is-override", shown.is_override),
            ("is-draft", shown.is_draft),
            ("is-missing", shown.mark.state is State.MISSING),
            ("is-excused", shown.mark.state is State.EXCUSED),
        )
        if on
    )
    version = f' data-v="{shown.version}"' if shown.version else ""
    named = f' class="{classes}"' if classes else ""
    return f"<td{named}{version}>{text}</td>"


def _final_html(final: Final) -> str:
    named = ' class="is-override"' if final.is_override else ""
    title = f' title="{conditional_escape(_("Set by hand"))}"' if final.is_override else ""
    return f"<td data-final{named}{title}>{final.percent}</td><td data-band>{conditional_escape(final.band)}</td>"
