"""What the cohort board shows. A fixed number of queries, whatever the size of the cohort."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campus.core.compiled import IDS, Compiled, Given, number_of
from campus.core.formats import day_text, hours
from courses.assignments.api import CohortRow, LabProgress, cohort_overview, lab_progress
from courses.catalog.models import Cohort
from labs.jobs.models import Job
from labs.usage.api import idle_runs_below, last_days, today_in, use_by_day

QUIET_AFTER = timedelta(days=7)
LEARNERS_SHOWN = 25
CONCERNS_SHOWN = 12
JOBS_SHOWN = 8
DAYS_SHOWN = 14
SORTS: dict[str, Callable[[CohortRow], Any]] = {
    "name": lambda row: row.user.name,
    "labs": lambda row: (row.labs_done, row.user.name),
    "late": lambda row: (row.labs_late, row.user.name),
    "used": lambda row: (row.used_s, row.user.name),
    "active": lambda row: (row.last_activity_at is not None, row.last_activity_at),
}


def _jobs() -> QuerySet[Job]:
    return Job.objects.filter(account__path__contains=Given("below", IDS))


# The owners are joined to the newest few, not to every job that the cohort ever ran.
_RECENT = Compiled(
    lambda: (
        Job.objects.filter(pk__in=_jobs().order_by("-id").values("pk")[:JOBS_SHOWN])
        .select_related("owner")
        .order_by("-id")
        .only("title", "state", "submitted_at", "owner__name")
    )
)
_OPEN = Compiled(lambda: number_of(_jobs().filter(state__in=Job.OPEN_STATES)))


class Concern(Enum):
    """Why an instructor should look at a learner, most pressing first."""

    OVERDUE = auto()
    NOT_BEGUN = auto()
    QUIET = auto()
    GPU_TIME = auto()


@dataclass
class Entry:
    """A learner on the board. Words and labs are filled in only where the entry is shown: a cohort has hundreds."""

    row: CohortRow
    reason: Concern | None
    concern: str = ""
    cells: list[LabProgress] = field(default_factory=list)


def board(cohort: Cohort, now: datetime, *, sort: str = "", page: str | None = None) -> dict[str, Any]:
    """Return the board of `cohort`; `sort` is a key of SORTS, with a minus for the other way round.

    Sorting, the counts and who needs a look are about everyone; labs are told of the learners of one `page` only.
    """
    overview = cohort_overview(cohort, now)
    entries = [Entry(row, concern(row, now)) for row in overview.rows]
    concerns = [entry for entry in entries if entry.reason is not None]
    key = SORTS.get(sort.lstrip("-"))
    if key is not None:
        entries.sort(key=lambda entry: key(entry.row), reverse=sort.startswith("-"))
    shown = Paginator(entries, LEARNERS_SHOWN).get_page(page)
    progress = lab_progress(overview, [entry.row.enrolment_id for entry in shown], now)
    for entry in shown:
        entry.cells = progress[entry.row.enrolment_id]
    for entry in (*shown, *concerns[:CONCERNS_SHOWN]):
        entry.concern = concern_words(entry, now)
    below = [cohort.account_id]
    days = _days(cohort)
    return {
        "cohort": cohort,
        "idle": idle_runs_below(cohort.account_id),
        "labs": [{"lab": lab, "done": overview.done.get(lab.pk, 0)} for lab in overview.labs],
        "learners": len(entries),
        "page": shown,
        "concerns": len(concerns),
        "first_concerns": concerns[:CONCERNS_SHOWN],
        "recent": _RECENT.models(below=below),
        "open_jobs": _OPEN.value(below=below),
        "online": sum(row.mode == "ONLINE" for row in overview.rows),
        "chart": _chart(days),
        "chart_title": _chart_title(days),
    }


def concern(row: CohortRow, now: datetime) -> Concern | None:
    """Return why an instructor should look at this learner, None where there is no reason.

    The signals are facts that the board shows too: a lab that is overdue, no activity for a week, no GPU time left.
    """
    if row.labs_late:
        return Concern.OVERDUE
    if row.last_activity_at is None:
        return Concern.NOT_BEGUN
    if now - row.last_activity_at > QUIET_AFTER:
        return Concern.QUIET
    if row.allocated_s and row.left_s * 10 < row.allocated_s:
        return Concern.GPU_TIME
    return None


def concern_words(entry: Entry, now: datetime) -> str:
    """Say a concern in the reader's language; empty where there is none."""
    row = entry.row
    if entry.reason is Concern.OVERDUE:
        return ngettext("%(count)d lab overdue", "%(count)d labs overdue", row.labs_late) % {"count": row.labs_late}
    if entry.reason is Concern.NOT_BEGUN:
        return _("has not begun")
    if entry.reason is Concern.QUIET and row.last_activity_at is not None:
        return _("quiet for %(days)d days") % {"days": (now - row.last_activity_at).days}
    return _("GPU time nearly used up") if entry.reason is Concern.GPU_TIME else ""


def _days(cohort: Cohort) -> list[tuple[date, int]]:
    """Return the cohort's GPU-seconds of each of the last days, as its campus counts days."""
    period = last_days(today_in(cohort.campus.timezone), DAYS_SHOWN)
    used = use_by_day([cohort.account_id], period)
    every = (period.first + timedelta(days=n) for n in range(period.days))
    return [(day, used[day].used_s if day in used else 0) for day in every]


def _chart(days: list[tuple[date, int]]) -> dict[str, Any]:
    return {
        "kind": "bar",
        "x": [f"{day.month}/{day.day}" for day, _seconds in days],
        "x_name": _("Day"),
        "series": [{"name": _("GPU hours"), "values": [round(seconds / 3600, 3) for _day, seconds in days]}],
    }


def _chart_title(days: list[tuple[date, int]]) -> str:
    total = sum(seconds for _day, seconds in days)
    if not total:
        return _("The cohort used no GPU time in the last %(days)d days") % {"days": len(days)}
    top, most = max(days, key=lambda entry: entry[1])
    words = _("%(hours)s GPU hours in %(days)d days, most of it on %(day)s (%(most)s)")
    facts = {"hours": hours(total), "most": hours(most), "day": day_text(top, days[-1][0].year)}
    return words % {"days": len(days), **facts}
