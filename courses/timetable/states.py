"""How the states and kinds of classes are shown."""

from django.utils.translation import pgettext_lazy

from campus.core.states import State, register


def register_states() -> None:
    """Called once, when the app is ready."""
    register(
        "class",
        {
            "PLANNED": State(pgettext_lazy("class state", "Planned"), "neutral", "calendar-days"),
            "NOW": State(pgettext_lazy("class state", "On now"), "run", "circle-play"),
            "OVER": State(pgettext_lazy("class state", "Over"), "neutral", "check"),
            "CANCELLED": State(pgettext_lazy("class state", "Cancelled"), "danger", "circle-x"),
        },
    )
