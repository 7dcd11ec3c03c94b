"""How a learner's standing with a lab is shown."""

from django.utils.translation import pgettext_lazy

from campus.core.states import State, register

from .domain.progress import LabState


def register_states() -> None:
    """Teach the badge the states of a lab."""
    register(
        "lab",
        {
            LabState.NOT_STARTED: State(pgettext_lazy("lab state", "Not started"), "neutral", "circle-dashed"),
            LabState.ACTIVE: State(pgettext_lazy("lab state", "A run is on"), "run", "loader-circle"),
            LabState.TRIED: State(pgettext_lazy("lab state", "Tried, not done yet"), "warn", "circle-dot"),
            LabState.DONE: State(pgettext_lazy("lab state", "Done"), "ok", "circle-check"),
            LabState.DONE_LATE: State(pgettext_lazy("lab state", "Done late"), "ok", "circle-check"),
            LabState.OVERDUE: State(pgettext_lazy("lab state", "Overdue"), "danger", "alarm-clock"),
        },
    )
