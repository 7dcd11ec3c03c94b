"""Assignments in the reader's words: which rule a deadline follows, and what points were made of."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from campus.core.formats import campus_time

from .domain.deadlines import Deadline, Outage, Rule


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
    if deadline.rule is Rule.OUTAGE and deadline.outage is not None:
        return outage_words(deadline.outage)
    said = words[deadline.rule]
    if said and deadline.approver:
        said += " " + _("%(reason)s (%(approver)s)") % {"reason": deadline.reason, "approver": deadline.approver}
    return said


def outage_words(outage: Outage) -> str:
    """Say for what how many hours were given, in the reader's language and the campus's time."""
    words = ngettext(
        "Extended by %(n)d hour because the GPU pool was down or crowded from %(begin)s to %(end)s.",
        "Extended by %(n)d hours because the GPU pool was down or crowded from %(begin)s to %(end)s.",
        outage.hours,
    )
    begin, end = campus_time(outage.from_at), campus_time(outage.until_at)
    return words % {"n": outage.hours, "begin": begin, "end": end}


def reason_words(reason: str) -> str:
    """Say why a score changed: what the platform writes down is a code, what people wrote stays."""
    codes = {
        "tested": pgettext("score change", "tested"),
        "deadline": pgettext("score change", "the deadline moved"),
        "published": pgettext("score change", "published"),
        "excused": pgettext("score change", "excused"),
    }
    return codes.get(reason, reason)


def why_words(why: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    """Return (what, points) lines of a score's stored `why`."""
    said = []
    for code, points, note in why:
        if code == "late":
            intervals = int(note)
            words = ngettext("Late by %(n)d begun interval", "Late by %(n)d begun intervals", intervals)
            said.append((words % {"n": intervals}, points))
        elif code == "late_days":
            days = int(note)
            words = ngettext("%(n)d late day was used", "%(n)d late days were used", days)
            said.append((words % {"n": days}, points))
        elif code == "adjusted":
            said.append((_("Your own part: %(reason)s") % {"reason": note}, points))
        else:
            said.append(({"tests": _("Tests"), "given": _("Points by hand")}.get(code, note), points))
    return said
