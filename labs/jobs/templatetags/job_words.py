"""Template tags that put a job's end and its timeline into words."""

from django import template
from django.utils.translation import gettext as _

from labs.jobs.models import Job, JobEvent

register = template.Library()

_TONES = {
    "SUBMITTED": "wait",
    "ASSIGNED": "wait",
    "CLAIMED": "wait",
    "STARTED": "run",
    "LOST": "warn",
    "ENDED": "neutral",
}
_ICONS = {
    "SUBMITTED": "send",
    "ASSIGNED": "server",
    "CLAIMED": "package",
    "STARTED": "play",
    "LOST": "triangle-alert",
    "CANCEL_REQUESTED": "x",
    "ENDED": "flag",
}


@register.simple_tag
def end_words(job: Job) -> str:
    """Say in one sentence how the job ended."""
    if job.end_reason == Job.EndReason.EXIT_CODE:
        return _("The program ended with exit code %(code)s") % {"code": job.exit_code}
    return str(job.get_end_reason_display() or job.get_state_display())


@register.simple_tag
def end_advice(job: Job) -> str:
    """Say what the learner can do about an end that they did not want; empty where there is nothing to do."""
    reason = Job.EndReason
    return {
        reason.EXIT_CODE: _("The last lines of the log say why. Correct the code and run it again."),
        reason.OUT_OF_MEMORY: _(
            "Use smaller batches or smaller data, or ask for more GPUs: each brings its share of memory."
        ),
        reason.OUTPUT_FLOOD: _("Print less, for example once per epoch. The log keeps the first and the last part."),
        reason.WALL_LIMIT: _("Give it a longer time limit, or save what you have before the limit."),
        reason.PLATFORM: _("This was not your fault. Run it again; if it happens again, tell your instructor."),
        reason.ENVIRONMENT: _("This was not your fault. Tell your instructor, or choose another environment."),
    }.get(job.end_reason, "")


@register.filter
def event_tone(kind: str) -> str:
    """Return the tone of a timeline line."""
    return _TONES.get(kind, "neutral")


@register.filter
def event_icon(kind: str) -> str:
    """Return the icon of a timeline line."""
    return _ICONS.get(kind, "circle-dot")


@register.simple_tag
def event_title(event: JobEvent) -> str:
    """Name a timeline line."""
    return str(event.get_kind_display())


@register.simple_tag
def event_text(event: JobEvent) -> str:
    """Say what a timeline line adds to its name: the node, the attempt, the state it ended in."""
    parts = []
    if node := event.facts.get("node"):
        parts.append(str(node))
    if gpus := event.facts.get("gpus"):
        parts.append(", ".join(map(str, gpus)) if isinstance(gpus, list) else str(gpus))
    if event.attempt and event.attempt > 1:
        parts.append(_("attempt %(number)d") % {"number": event.attempt})
    if state := event.facts.get("state"):
        parts.append(str(dict(Job.State.choices).get(state, state)))
    return " · ".join(parts)


@register.filter
def hold_hint(held: str) -> str:
    """Say what was held, beside what was charged."""
    return _("of %(held)s held") % {"held": held}
