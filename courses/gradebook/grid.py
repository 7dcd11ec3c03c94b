"""The grid's rows as HTML: 18,000 cells in a template's loop would take seconds, joined strings take milliseconds."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from campus.core.fragments import fragment
from courses.catalog.models import Enrolment

from .books import Book
from .domain import marks
from .domain.marks import text_of

EXCUSED, MISSING = text_of(marks.EXCUSED), text_of(marks.MISSING)


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


def _row(book: Book, row: Enrolment) -> SafeString:
    final = final_of(book, row.pk)
    cells = tuple(
        (text_of(shown.mark), shown.version, shown.is_override, shown.is_draft) for shown in book.line(row.pk)
    )
    return _row_html(row.pk, row.user.name, final.percent, final.band, final.is_override, cells)


#: What one would type to get a cell, its version, whether it is an override and whether it is a draft.
_Cells = tuple[tuple[str, int, bool, bool], ...]


@fragment(most=640)
def _row_html(pk: int, name: str, percent: str, band: str, is_override: bool, cells: _Cells) -> SafeString:
    return format_html(
        '<tr data-row="{}"><th scope="row"><a href="{}">{}</a></th>{}{}</tr>',
        pk, reverse("gradebook:row", args=[pk]), name,
        mark_safe("".join(_cell_html(*cell) for cell in cells)),  # noqa: S308 - see _cell_html
        _final_html(percent, band, is_override),
    )  # fmt: skip


def _cell_html(text: str, version: int, is_override: bool, is_draft: bool) -> str:
    # Markup of ours around a number, or EX or MISS.
    if not text and not version:
        return "<td></td>"
    classes = " ".join(
        name
        for name, on in (
            ("is-override", is_override),
            ("is-draft", is_draft),
            ("is-missing", text == MISSING),
            ("is-excused", text == EXCUSED),
        )
        if on
    )
    named = f' class="{classes}"' if classes else ""
    numbered = f' data-v="{version}"' if version else ""
    return f"<td{named}{numbered}>{text}</td>"


def _final_html(percent: str, band: str, is_override: bool) -> SafeString:
    named = format_html(' class="is-override" title="{}"', _("Set by hand")) if is_override else ""
    return format_html("<td data-final{}>{}</td><td data-band>{}</td>", named, percent, band)
