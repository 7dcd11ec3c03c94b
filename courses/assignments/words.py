"""Assignments in the reader's words: which rule a deadline follows, and what points were made of."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .domain.deadlines import Deadline, Rule


def rule_words(deadline: Deadline) -> str:
    """Say why a deadline is what it is; empty where it is simply the course's."""
    words = {
        Rule.COURSE: "",
        Rule.COHORT: _("Your cohort has its own deadline."),
        Rule.EXTENSION: _("You were given an extension."),
        Rule.OUTAGE: _("Extended after a fault of the platform."),
        Rule.ACCOMMODATION: _("You have more time, as was agreed with you."),
        Rule.LATE_DAY: ngettext("You took %(n)d late day.", "You took %(n)d late days.", deadline.late_days)
        % {"n": deadline.late_days},
    }
    said = words[deadline.rule]
    if said and deadline.approver:
        said += " " + _("%(reason)s (%(approver)s)") % {"reason": deadline.reason, "approver": deadline.approver}
    return said


def why_words(why: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    """Return (what, points) lines of a score's stored `why`."""
    said = []
    for code, points, note in why:
        if code == "late":
            intervals = int(note)
            words = ngettext("Late by %(n)d begun interval", "Late by %(n)d begun intervals", intervals)
            said.append((words % {"n": intervals}, points))
        else:
            said.append(({"tests": _("Tests"), "given": _("Points by hand")}.get(code, note), points))
    return said
