"""Template tags that put a job's end and its timeline into words."""

from math import floor, log10
from typing import Any

from django import template
from django.utils.translation import gettext as _

from campus.core import states
from campus.core.formats import number
from labs.jobs.domain.results import headlines
from labs.jobs.domain.sweeps import as_text
from labs.jobs.models import Job, JobEvent
from labs.jobs.node_words import why_not_kept

register = template.Library()
register.filter(why_not_kept)

_TONES = {
    "SUBMITTED": "wait",
    "ASSIGNED": "wait",
    "CLAIMED": "wait",
    "STARTED": "run",
    "LOST": "warn",
    "PREEMPT_REQUESTED": "warn",
    "PREEMPTED": "wait",
}
_ICONS = {
    "SUBMITTED": "send",
    "ASSIGNED": "server",
    "CLAIMED": "package",
    "STARTED": "play",
    "LOST": "triangle-alert",
    "PREEMPT_REQUESTED": "circle-pause",
    "PREEMPTED": "rotate-ccw",
    "CANCEL_REQUESTED": "x",
    "ENDED": "flag",
}


@register.simple_tag
def outcome_words(job: Job) -> str:
    """Say in one sentence how the job ended."""
    if job.end_reason == Job.EndReason.EXIT_CODE:
        return _("The program ended with exit code %(code)s") % {"code": job.exit_code}
    if job.end_reason == Job.EndReason.DEPENDENCY:
        return _("%(job)s, which it was to follow, did not succeed") % {"job": job.end_detail.split(" ", 1)[0]}
    if job.end_reason == Job.EndReason.COMPLETED:
        return _("It finished without an error")
    return str(job.get_end_reason_display() or job.get_state_display())


@register.simple_tag
def outcome_advice(job: Job) -> str:
    """Say what the learner can do about an end that they did not want; empty where there is nothing to do."""
    reason = Job.EndReason
    if job.is_share and job.end_reason == reason.OUT_OF_MEMORY:
        return _("Use smaller batches or smaller data, or ask for a larger share of the GPU: memory comes with it.")
    return {
        reason.EXIT_CODE: _("The last lines of the log say why. Correct the code and run it again."),
        reason.OUT_OF_MEMORY: _(
            "Use smaller batches or smaller data, or ask for more GPUs: each brings its share of memory."
        ),
        reason.OUTPUT_FLOOD: _("Print less, for example once per epoch. The log keeps the first and the last part."),
        reason.WALL_LIMIT: _("Give it a longer time limit, or save what you have before the limit."),
        reason.PLATFORM: _("This was not your fault. Run it again; if it happens again, tell your instructor."),
        reason.DEPENDENCY: _("See why that one ended. When it has succeeded, run this one again."),
        reason.ACCOUNT_CLOSED: _("To run it, enrol again, or submit it on another quota account of yours."),
        reason.ENVIRONMENT: _("This was not your fault. Tell your instructor, or choose another environment."),
    }.get(reason(job.end_reason), "")


@register.filter
def event_tone(event: JobEvent) -> str:
    """Return the tone of a timeline line; the last one takes that of the state in which the job ended."""
    if event.kind == JobEvent.Kind.ENDED:
        return states.lookup(str(event.facts.get("state", "")), "job").tone
    return _TONES.get(event.kind, "neutral")


@register.filter
def event_icon(event: JobEvent) -> str:
    """Return the icon of a timeline line."""
    if event.kind == JobEvent.Kind.ENDED and "state" in event.facts:
        return states.lookup(str(event.facts["state"]), "job").icon
    return _ICONS.get(event.kind, "circle-dot")


@register.filter
def last_event_id(events: list[JobEvent]) -> str:
    """The id of the newest timeline line: what the page compares with what the websocket says."""
    return str(events[-1].pk) if events else ""


@register.simple_tag
def event_title(event: JobEvent) -> str:
    """Name a timeline line."""
    return str(event.get_kind_display())


@register.simple_tag
def event_text(event: JobEvent) -> str:
    """Say what a timeline line adds to its name: the node, the attempt, the state it ended in."""
    parts = []
    gpus = [str(one) for one in event.facts.get("gpus") or []]
    node = str(event.facts.get("node") or "")
    if node and not all(gpu.startswith(f"{node}/") for gpu in gpus or [""]):
        parts.append(node)
    if gpus:
        parts.append(", ".join(gpus))
    if event.attempt and event.attempt > 1:
        parts.append(_("attempt %(number)d") % {"number": event.attempt})
    if state := event.facts.get("state"):
        parts.append(str(dict(Job.State.choices).get(state, state)))
    return " · ".join(parts)


@register.filter
def hold_hint(held: str) -> str:
    """Say what was held, beside what was charged."""
    return _("of %(held)s held") % {"held": held}


@register.simple_tag
def result_value(value: Any) -> str:
    """Write a value of a result: numbers with four significant digits, yes or no, short texts as they are."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return significant(value) if isinstance(value, int | float) else str(value)


@register.simple_tag
def parameter_value(value: Any) -> str:
    """Write a parameter as it was given; a dash where a run has none of that name."""
    return "–" if value is None else as_text(value)


@register.simple_tag
def column_key(kind: str, place: int) -> str:
    """Name a column of a sweep's table for sorting: p0, p1 … are parameters, r0, r1 … results."""
    return f"{kind}{place}"


@register.simple_tag
def signed_value(value: float) -> str:
    """Write a difference with its sign."""
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return f"{sign}{significant(abs(value))}"


@register.filter
def signed_percent(share: float) -> str:
    """Write a relative difference with its sign: 0.034 is "+3.4%"."""
    return f"{'+' if share > 0 else '−'}{number(abs(share) * 100, 1)}%"


@register.simple_tag
def result_line(job: Job) -> str:
    """The first two results of a job on one line, for lists."""
    return " · ".join(f"{name} {result_value(value)}" for name, value in headlines(job.result, 2))


def significant(value: float) -> str:
    """Write a number with four significant digits; whole ones whole, tiny and huge ones by powers of ten."""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 10**12):
        return number(value)
    if abs(value) >= 10**7 or abs(value) < 10**-4:
        return f"{value:.3g}"
    return number(value, max(0, 3 - floor(log10(abs(value)))))
