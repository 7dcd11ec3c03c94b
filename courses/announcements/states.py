"""How an announcement's state looks."""

from campus.core.states import State, register

from .models import Announcement

_LOOKS = {
    Announcement.State.DRAFT: ("neutral", "pencil"),
    Announcement.State.SCHEDULED: ("wait", "clock"),
    Announcement.State.PUBLISHED: ("ok", "circle-check"),
    Announcement.State.WITHDRAWN: ("neutral", "undo-2"),
}


def register_states() -> None:
    register("announcement", {state.value: State(state.label, *look) for state, look in _LOOKS.items()})
