"""How a question about a mark is shown."""

from django.utils.translation import pgettext_lazy

from campus.core.states import State, register

from .models import RegradeRequest


def register_states() -> None:
    """Teach the badge the states of a question."""
    state = RegradeRequest.State
    register(
        "regrade",
        {
            state.OPEN: State(pgettext_lazy("regrade request", "Waits for an answer"), "wait", "clock"),
            state.CHANGED: State(pgettext_lazy("regrade request", "Mark changed"), "ok", "circle-check"),
            state.KEPT: State(pgettext_lazy("regrade request", "Mark stays"), "neutral", "circle-check"),
        },
    )
