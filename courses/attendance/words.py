"""Verdicts, evidence and rules in sentences, in the reader's language."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from campus.core.formats import campus_time

from .domain.rules import Rules
from .domain.verdict import Why
from .models import Evidence, Mark, Verdict, VerdictHistory


def letter(mark: str) -> str:
    """One letter for a mark, for grids; their legend says which is which."""
    return {
        Mark.PRESENT: pgettext("letter of present", "P"),
        Mark.LATE: pgettext("letter of late", "L"),
        Mark.LEFT_EARLY: pgettext("letter of left early", "E"),
        Mark.EXCUSED: pgettext("letter of excused", "X"),
        Mark.ABSENT: pgettext("letter of absent", "A"),
    }.get(Mark(mark), "·")


def clock(at: datetime) -> str:
    """Hours and minutes in the campus's zone."""
    return f"{timezone.localtime(at):%H:%M}"


def reasons(said: Verdict | VerdictHistory, rules: Rules, length_min: int) -> list[str]:
    """Why a verdict is what it is, one sentence a reason; `length_min` is how long the class is."""
    return [_reason(why, said, rules, length_min) for why in said.why]


def _reason(why: str, said: Verdict | VerdictHistory, rules: Rules, length_min: int) -> str:
    numbers = {
        "minutes": said.minutes,
        "of": length_min,
        "late": said.late_min,
        "late_limit": rules.late_after_min,
        "early": said.early_min,
        "early_limit": rules.leave_early_min,
        "share": rules.least_present_pct,
    }
    words = {
        Why.STAFF: _("Staff decided it."),
        Why.EXCUSE: _("An excuse was granted."),
        Why.IN_TIME: _("Came in time: up to %(late_limit)d minutes after the start count as in time."),
        Why.CAME_LATE: _("Came %(late)d minutes after the start; up to %(late_limit)d count as in time."),
        Why.WENT_EARLY: _("Gone %(early)d minutes before the end; up to %(early_limit)d are fine."),
        Why.NO_CHECK_OUT: _("Never checked out, which this course asks for."),
        Why.TOO_SHORT: _("There for %(minutes)d of %(of)d minutes; %(share)d%% of the class are needed."),
        Why.NO_SIGN: _("No check-in, no stream, no word from staff."),
        Why.NOT_YET: _("Not seen yet."),
    }
    return words[Why(why)] % numbers


def evidence_text(row: Evidence) -> str:
    """What was seen or said, without the time, which stands beside it."""
    kind, act = row.get_kind_display(), row.get_act_display()
    if row.act == Evidence.Act.MARK:
        return _("Staff: %(mark)s") % {"mark": Mark(row.mark).label}
    if row.act == Evidence.Act.UNDO:
        return _("Taken back by staff")
    if row.act == Evidence.Act.SPAN and row.until is not None:
        span = {"kind": kind, "start": clock(row.at), "end": clock(row.until)}
        return _("%(kind)s, %(start)s to %(end)s") % span
    return _("%(kind)s: %(act)s") % {"kind": kind, "act": act}


def rule_sentences(rules: Rules) -> list[str]:
    """A policy as its learners read it."""
    said = [
        _("Check-in opens %(n)d minutes before the class.") % {"n": rules.opens_min},
        _("More than %(n)d minutes after the start is late.") % {"n": rules.late_after_min},
        _("More than %(n)d minutes before the end is leaving early.") % {"n": rules.leave_early_min},
        _("Less than %(n)d%% of the class is an absence.") % {"n": rules.least_present_pct},
    ]
    if rules.needs_check_out:
        said.append(_("Who comes must check out when leaving."))
    if rules.lates_per_absence:
        lates = rules.lates_per_absence
        said.append(ngettext("%(n)d late makes one absence.", "%(n)d lates make one absence.", lates) % {"n": lates})
        if rules.early_counts_as_late:
            said.append(_("Leaving early counts as a late."))
    if rules.lab_counts:
        said.append(_("Lab runs during a lab class count as being there, for those who agreed to it."))
    said.append(_("Absences from %(n)d%% of the term's classes on fail the course.") % {"n": rules.fail_pct})
    return said


def class_time(starts_at: datetime, ends_at: datetime) -> str:
    """When a class is, on one line."""
    return f"{campus_time(starts_at)}–{clock(ends_at)}"
