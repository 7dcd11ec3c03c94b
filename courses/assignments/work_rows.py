"""The table of work to grade as HTML: a row for each learner of the grader's cohorts."""

from collections.abc import Iterable
from datetime import datetime

from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from campus.core.formats import duration
from campus.core.fragments import fragment
from campus.core.templatetags.ui import state_badge, when

from .work_lists import Row


def rows_html(rows: Iterable[Row], *, assignment_id: int, shows_groups: bool) -> SafeString:
    """Return the rows of the table; with a column of groups where the page shows one."""
    this_year = timezone.localtime().year
    written = []
    for row in rows:
        run, score = row.run, row.score
        tested = "" if run is None or run.raw is None else str(run.raw)
        points = "" if score is None or score.adjusted is None else str(score.adjusted)
        state, kind = (score.state, "score") if score is not None and row.is_scored else (row.state.value, "work")
        written.append(
            _row_html(
                assignment_id, row.enrolment.pk, row.name, row.group if shows_groups else None,
                row.enrolment.cohort.name, row.submission.submitted_at if row.submission else None, row.late_s,
                tested, run.state if run else "", points, state, kind, this_year,
            )
        )  # fmt: skip
    return mark_safe("".join(written))  # noqa: S308 - each is a fragment


@fragment(most=1200)
def _row_html(
    assignment_id: int, enrolment_id: int, name: str, group: str | None, cohort: str, submitted_at: datetime | None,
    late_s: int, tested: str, run_state: str, points: str, state: str, kind: str, _this_year: int,
) -> SafeString:  # fmt: skip
    url = reverse("assignments:desk", args=[assignment_id, enrolment_id])
    grouped = "" if group is None else format_html('<td data-label="{}">{}</td>', _("Group"), group or "–")
    return format_html(
        '<tr data-href="{}"><th scope="row"><a href="{}">{}</a></th>{}<td data-label="{}">{}</td>'
        '<td data-label="{}">{}{}</td><td data-label="{}">{}</td><td class="num" data-label="{}">{}</td>'
        '<td data-label="{}">{}</td></tr>',
        url, url, name, grouped, _("Cohort"), cohort, _("Handed in"), when(submitted_at), _late(late_s),
        _("Tests"), _tests(tested, run_state), _("Points"), floatformat(points, "-2") if points else "–",
        _("State"), state_badge(state, kind=kind),
    )  # fmt: skip


def _late(late_s: int) -> str:
    if not late_s:
        return ""
    return format_html(' <span class="muted small">{}</span>', _("%(late)s late") % {"late": duration(late_s)})


def _tests(tested: str, run_state: str) -> str:
    if tested:
        return format_html('<span class="num">{}</span>', floatformat(tested, "-2"))
    return state_badge(run_state, kind="test-run") if run_state else "–"
