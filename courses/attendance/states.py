"""How marks, standings and what people ask are shown."""

from django.utils.translation import pgettext_lazy

from campus.core.states import State, register

from .models import Contest, Excuse, Flag, Mark

GRADE_WORDS = {
    "GOOD": pgettext_lazy("attendance", "On track"),
    "NEAR": pgettext_lazy("attendance", "Close to the limit"),
    "FAILED": pgettext_lazy("attendance", "Limit reached"),
}


def register_states() -> None:
    """Teach the badge the words and shapes of attendance."""
    register(
        "attendance",
        {
            Mark.NONE: State(Mark.NONE.label, "neutral", "circle-dashed"),
            Mark.PRESENT: State(Mark.PRESENT.label, "ok", "circle-check"),
            Mark.LATE: State(Mark.LATE.label, "warn", "clock"),
            Mark.LEFT_EARLY: State(Mark.LEFT_EARLY.label, "warn", "log-out"),
            Mark.EXCUSED: State(Mark.EXCUSED.label, "wait", "file-text"),
            Mark.ABSENT: State(Mark.ABSENT.label, "danger", "circle-x"),
        },
    )
    register(
        "attendance_standing",
        {
            "GOOD": State(GRADE_WORDS["GOOD"], "ok", "circle-check"),
            "NEAR": State(GRADE_WORDS["NEAR"], "warn", "triangle-alert"),
            "FAILED": State(GRADE_WORDS["FAILED"], "danger", "circle-x"),
        },
    )
    register(
        "attendance_excuse",
        {
            Excuse.State.ASKED: State(Excuse.State.ASKED.label, "action", "hourglass"),
            Excuse.State.GRANTED: State(Excuse.State.GRANTED.label, "ok", "circle-check"),
            Excuse.State.REFUSED: State(Excuse.State.REFUSED.label, "danger", "circle-x"),
            Excuse.State.WITHDRAWN: State(Excuse.State.WITHDRAWN.label, "neutral", "undo-2"),
        },
    )
    register(
        "attendance_contest",
        {
            Contest.State.OPEN: State(Contest.State.OPEN.label, "action", "hourglass"),
            Contest.State.CHANGED: State(Contest.State.CHANGED.label, "ok", "circle-check"),
            Contest.State.KEPT: State(Contest.State.KEPT.label, "neutral", "minus"),
        },
    )
    register(
        "attendance_flag",
        {
            Flag.State.OPEN: State(Flag.State.OPEN.label, "action", "flag"),
            Flag.State.DISMISSED: State(Flag.State.DISMISSED.label, "ok", "check"),
            Flag.State.UPHELD: State(Flag.State.UPHELD.label, "danger", "ban"),
        },
    )
