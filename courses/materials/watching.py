"""What a page shows of a learner's watching: the bar of what counted, the parts that are missing, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from campus.core.fragments import fragment
from campus.core.templatetags.ui import icon
from courses.catalog.models import Enrolment

from .domain import intervals
from .domain.times import clock
from .models import Chapter, MaterialVersion, WatchCredit, WatchEvidence
from .services.watching import pieces_of

#: Shorter holes than this are not listed: somebody who seeks leaves them, and no bar asks for all of it.
_WORTH_A_LINE_MS = 1_000
_MOST_GAPS = 12


@dataclass(frozen=True)
class Span:
    """A part of a video. `start` and `width` are shares of it in thousandths, as an SVG of width 1000 draws them."""

    start_ms: int
    end_ms: int
    start: int
    width: int

    @property
    def words(self) -> str:
        return f"{clock(self.start_ms)}–{clock(self.end_ms)}"

    @property
    def start_s(self) -> str:
        return f"{self.start_ms / 1000:.3f}"


@dataclass(frozen=True)
class Bar:
    """What counted of one version, what did not, and what share of it finishes it."""

    watched: tuple[Span, ...]
    missing: tuple[Span, ...]
    percent: int
    finish_pct: int
    is_finished: bool

    @property
    def missing_left_out(self) -> bool:
        return len(self.missing) >= _MOST_GAPS


def bar_of(version: MaterialVersion, credit: WatchCredit | None, finish_pct: int) -> Bar:
    """Return the bar of one learner; all is missing without a row of credit."""
    duration = version.duration_ms or 1
    pieces = pieces_of(credit)
    missing = [gap for gap in intervals.gaps(pieces, duration) if gap[1] - gap[0] >= _WORTH_A_LINE_MS]
    return Bar(
        _spans(pieces, duration),
        _spans(missing[:_MOST_GAPS], duration),
        credit.percent if credit else 0,
        finish_pct,
        credit is not None and credit.finished_at is not None,
    )


def as_json(bar: Bar) -> dict[str, Any]:
    """Return a bar as the player redraws it."""
    return {
        "percent": bar.percent,
        "finished": bar.is_finished,
        "watched": [[one.start, one.width] for one in bar.watched],
        "missing": [[one.start_s, one.words] for one in bar.missing],
    }


@dataclass(frozen=True)
class Line:
    """A line of the transcript."""

    start_s: str
    clock: str
    text: str
    chapter: str = ""


def transcript_of(cues: Sequence[Sequence[Any]], chapters: Sequence[Chapter]) -> list[Line]:
    """Return what is said with its times; a chapter's title stands before the first line in it."""
    waiting, lines = list(chapters), []
    for start_ms, _end_ms, text in cues:
        title = ""
        while waiting and waiting[0].at_ms <= start_ms:
            title = waiting.pop(0).title
        lines.append(Line(f"{start_ms / 1000:.3f}", clock(start_ms), text, title))
    return lines


def watchers_html(version: MaterialVersion, learners: Sequence[Enrolment]) -> SafeString:
    """Return a table row for each learner: what of one video counted for them. One query."""
    credits = {one.enrolment_id: one for one in WatchCredit.objects.filter(version=version, enrolment__in=learners)}
    duration = version.duration_ms or 1
    written = []
    for one in learners:
        credit = credits.get(one.pk)
        parts = tuple((span.start, span.width) for span in _spans(pieces_of(credit), duration))
        is_done = credit is not None and credit.finished_at is not None
        percent = credit.percent if credit else 0
        written.append(
            _watcher_html(version.material_id, one.pk, one.user.name, one.cohort.name, parts, percent, is_done)
        )
    return mark_safe("".join(written))  # noqa: S308 - each is a fragment


@fragment(most=1200)
def _watcher_html(
    material_id: int, enrolment_id: int, name: str, cohort: str, parts: tuple[tuple[int, int], ...], percent: int,
    is_done: bool,
) -> SafeString:  # fmt: skip
    bars = format_html_join("", '<rect x="{}" y="0" width="{}" height="12"/>', parts)
    return format_html(
        '<tr><th scope="row"><a href="{}">{}</a></th><td data-label="{}">{}</td><td data-label="{}">'
        '<svg class="credit-bar credit-small" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">'
        '{}</svg></td><td class="num" data-label="{}">{}{}%</td></tr>',
        reverse("materials:learner", args=[material_id, enrolment_id]), name, _("Cohort"), cohort,
        _("Parts that counted"), bars, _("Percent"),
        format_html("{} ", icon("circle-check", label=_("Done"), size="sm")) if is_done else "", percent,
    )  # fmt: skip


def report_words(one: WatchEvidence) -> dict[str, Any]:
    """Return a report for people: when, what was said to be played, what counted, and how much came too fast."""
    return {
        "at": one.at,
        "claimed": [f"{clock(start)}–{clock(end)}" for start, end in one.claimed],
        "counted": [f"{clock(start)}–{clock(end)}" for start, end in one.counted],
        "refused": clock(one.refused_ms) if one.refused_ms >= _WORTH_A_LINE_MS else "",
    }


def _spans(pieces: Sequence[intervals.Piece], duration: int) -> tuple[Span, ...]:
    return tuple(
        Span(start, end, start * 1000 // duration, max(1, (end - start) * 1000 // duration)) for start, end in pieces
    )
