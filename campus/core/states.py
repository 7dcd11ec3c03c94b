"""How a state is shown: its word, its tone and its shape. Apps register the states of their models."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

TONES = frozenset({"neutral", "ok", "warn", "danger", "run", "wait", "action"})


@dataclass(frozen=True)
class State:
    """One state: a word for people, a tone (one of TONES) and an icon, so that colour never speaks alone."""

    label: str | Promise
    tone: str
    icon: str


_KINDS: dict[str, dict[str, State]] = {
    "job": {
        "QUEUED": State(pgettext_lazy("job state", "Queued"), "wait", "clock"),
        "RUNNING": State(pgettext_lazy("job state", "Running"), "run", "loader-circle"),
        "SUCCEEDED": State(pgettext_lazy("job state", "Succeeded"), "ok", "circle-check"),
        "FAILED": State(pgettext_lazy("job state", "Failed"), "danger", "circle-x"),
        "TIMED_OUT": State(pgettext_lazy("job state", "Timed out"), "danger", "timer-off"),
        "CANCELLED": State(pgettext_lazy("job state", "Cancelled"), "neutral", "ban"),
    },
    "node": {
        "UP": State(pgettext_lazy("node state", "Up"), "ok", "circle-check"),
        "DRAINING": State(pgettext_lazy("node state", "Draining"), "warn", "circle-pause"),
        "DOWN": State(pgettext_lazy("node state", "Down"), "danger", "power-off"),
    },
    "enrolment": {
        "ENROLLED": State(pgettext_lazy("enrolment state", "Enrolled"), "ok", "circle-check"),
        "WAITING": State(pgettext_lazy("enrolment state", "On the waiting list"), "wait", "hourglass"),
        "OFFERED": State(pgettext_lazy("enrolment state", "Seat offered"), "action", "mail"),
        "WITHDRAWN": State(pgettext_lazy("enrolment state", "Withdrawn"), "neutral", "log-out"),
        "REMOVED": State(pgettext_lazy("enrolment state", "Removed"), "neutral", "ban"),
        "COMPLETED": State(pgettext_lazy("enrolment state", "Completed"), "ok", "award"),
    },
}


def register(kind: str, states: dict[str, State]) -> None:
    """Teach the badge the states of one model, by value; call it from `AppConfig.ready()`.

    Raises ValueError for a tone that the design system does not have.
    """
    for value, state in states.items():
        if state.tone not in TONES:
            raise ValueError(f"{kind} {value}: no tone {state.tone!r}")
    _KINDS.setdefault(kind, {}).update(states)


def lookup(value: str, kind: str = "") -> State:
    """Find how a state is shown. Without a kind the first that knows the word answers."""
    for name, states in _KINDS.items():
        if kind in ("", name) and value in states:
            return states[value]
    return State(value, "neutral", "circle")
