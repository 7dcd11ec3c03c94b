"""What publishing final grades would change, before it is done."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from campus.core.fragments import fragment
from courses.catalog.models import Enrolment

from .access import BookAccess
from .books import book_of
from .models import Gradebook, PublishedGrade


@dataclass(frozen=True)
class FinalLine:
    """A learner's final grade as it is now, beside what was published before (None: nothing yet)."""

    enrolment: Enrolment
    percent: Decimal | None
    band: str
    is_override: bool
    before: PublishedGrade | None

    @property
    def is_changed(self) -> bool:
        return self.before is None or (self.before.percent, self.before.band) != (self.percent, self.band)


@dataclass(frozen=True)
class Preview:
    lines: tuple[FinalLine, ...]
    bands: tuple[tuple[str, int], ...]
    settings: Gradebook

    @property
    def changed_count(self) -> int:
        return sum(1 for line in self.lines if line.is_changed)

    @property
    def most(self) -> int:
        """The longest bar of the distribution."""
        return max((count for _name, count in self.bands), default=0)


def preview(access: BookAccess) -> Preview:
    """Return every final grade of the reader's cohorts with what is published, and how the bands are distributed."""
    book = book_of(access.run, cohort_ids=access.cohort_ids)
    published = PublishedGrade.objects.filter(enrolment__run=access.run, is_current=True)
    before = {one.enrolment_id: one for one in published}
    lines = []
    for row in book.rows:
        percent, band = book.final(row.pk, book.grade(row.pk))
        lines.append(FinalLine(row, percent, band, row.pk in book.overrides, before.get(row.pk)))
    counts = Counter(line.band for line in lines)
    bands = tuple((band.name, counts[band.name]) for band in book.bands)
    return Preview(tuple(lines), bands, book.settings)


def lines_html(lines: Iterable[FinalLine]) -> SafeString:
    """Return the rows of the table of final grades."""
    written = (
        _line_html(
            line.enrolment.pk, line.enrolment.user.name, line.enrolment.cohort.name, _percent(line.percent),
            line.band, line.is_override, line.before and f"{_percent(line.before.percent)} {line.before.band}",
            line.is_changed,
        )
        for line in lines
    )  # fmt: skip
    return mark_safe("".join(written))  # noqa: S308 - each is a fragment


@fragment(most=1200)
def _line_html(
    pk: int, name: str, cohort: str, percent: str, band: str, is_override: bool, before: str | None, is_changed: bool
) -> SafeString:  # fmt: skip
    by_hand = format_html(' <span class="muted small">{}</span>', _("set by hand")) if is_override else ""
    return format_html(
        '<tr{}><th scope="row"><a href="{}">{}</a> <span class="muted small">{}</span></th>'
        '<td class="num" data-label="{}"><span>{} <strong>{}</strong>{}</span></td>'
        '<td class="num muted" data-label="{}"><span>{}</span></td></tr>',
        mark_safe(' class="is-changed"') if is_changed else "", reverse("gradebook:row", args=[pk]), name, cohort,
        _("Now"), percent, band, by_hand, _("Published"), before or _("not yet"),
    )  # fmt: skip


def _percent(percent: Decimal | None) -> str:
    return "–" if percent is None else f"{percent}%"
