"""Signals in words and numbers: what is known, and which threshold it crossed."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from campus.core.formats import number

from .domain.signals import LAST, Cohort, Evidence, Kind, Signal

Text = str | Promise

KINDS: dict[Kind, Text] = {
    Kind.ABSENCES: pgettext_lazy("support", "Absences"),
    Kind.LESSONS: pgettext_lazy("support", "Behind in lessons"),
    Kind.MISSING: pgettext_lazy("support", "Work not handed in"),
    Kind.LATE: pgettext_lazy("support", "Work handed in late"),
    Kind.IDLE: pgettext_lazy("support", "No lab activity"),
    Kind.FALLING: pgettext_lazy("support", "Falling grades"),
}

#: What each signal looks at, for the page that explains.
SOURCES: dict[Kind, Text] = {
    Kind.ABSENCES: gettext_lazy("Absences by the attendance rules, lates folded in; excused classes do not count."),
    Kind.LESSONS: gettext_lazy("Lessons marked as done, against the middle of the cohort."),
    Kind.MISSING: gettext_lazy("Assignments whose deadline has passed for this learner, extensions included."),
    Kind.LATE: gettext_lazy("Assignments handed in after the deadline that counted at that moment."),
    Kind.IDLE: gettext_lazy("Days since the last GPU job, only while most of the cohort runs jobs."),
    Kind.FALLING: gettext_lazy("The last two grades against the average of those before; four grades at least."),
}


@dataclass(frozen=True)
class SignalWords:
    kind: str
    label: str
    text: str
    threshold: str
    level: int


def signal_words(signal: Signal, evidence: Evidence, cohort: Cohort) -> SignalWords:
    """Say a signal in the active language."""
    say = {
        Kind.ABSENCES: _absences,
        Kind.LESSONS: _lessons,
        Kind.MISSING: _missing,
        Kind.LATE: _late,
        Kind.IDLE: _idle,
        Kind.FALLING: _falling,
    }[signal.kind]
    threshold = _("shown from %(threshold)s") % {"threshold": _unit(signal.kind, signal.threshold)}
    return SignalWords(signal.kind.value, str(KINDS[signal.kind]), say(evidence, cohort), threshold, signal.level)


def _unit(kind: Kind, value: int) -> str:
    if kind in (Kind.LESSONS, Kind.FALLING):
        return _("%(n)s points") % {"n": value}
    if kind is Kind.IDLE:
        return ngettext("%(n)s day", "%(n)s days", value) % {"n": value}
    return number(value)


def _absences(known: Evidence, _cohort: Cohort) -> str:
    facts = {"absences": known.absences, "classes": known.classes, "lates": known.from_lates}
    if known.from_lates:
        return _("%(absences)s absences in %(classes)s classes, %(lates)s of them from coming late") % facts
    return _("%(absences)s absences in %(classes)s classes") % facts


def _lessons(known: Evidence, cohort: Cohort) -> str:
    facts = {"done": known.lessons_done, "lessons": cohort.lessons, "middle": number(float(cohort.middle_lessons), 1)}
    return _("%(done)s of %(lessons)s lessons done; the middle of the cohort is %(middle)s") % facts


def _missing(known: Evidence, _cohort: Cohort) -> str:
    said = ngettext("%(n)s assignment not handed in", "%(n)s assignments not handed in", known.missing)
    return said % {"n": known.missing}


def _late(known: Evidence, _cohort: Cohort) -> str:
    return ngettext("%(n)s assignment handed in late", "%(n)s assignments handed in late", known.late) % {
        "n": known.late
    }


def _idle(known: Evidence, cohort: Cohort) -> str:
    facts = {"days": known.days_idle, "middle": number(float(cohort.middle_days_idle or 0), 1)}
    return _("No GPU job for %(days)s days; the middle of the cohort is %(middle)s days") % facts


def _falling(known: Evidence, _cohort: Cohort) -> str:
    before, last = known.grades[:-LAST], known.grades[-LAST:]
    facts = {"last": number(float(sum(last) / len(last)), 0), "before": number(float(sum(before) / len(before)), 0)}
    return _("Last two grades %(last)s%% on average, before that %(before)s%%") % facts
