"""How a learner's standing with a lab or an assignment is shown."""

from django.utils.translation import pgettext_lazy

from campus.core.states import State, register

from .domain.progress import LabState
from .models import GradingRun, OutageOffer, Score
from .work_lists import WorkState


def register_states() -> None:
    """Teach the badge the states of labs, work, scores and test runs."""
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
    register(
        "work",
        {
            WorkState.TO_DO: State(pgettext_lazy("work state", "To do"), "action", "circle-dashed"),
            WorkState.NOT_OPEN: State(pgettext_lazy("work state", "Not open yet"), "neutral", "lock"),
            WorkState.HANDED_IN: State(pgettext_lazy("work state", "Handed in"), "ok", "check"),
            WorkState.HANDED_IN_LATE: State(pgettext_lazy("work state", "Handed in late"), "warn", "clock"),
            WorkState.GRADED: State(pgettext_lazy("work state", "Graded"), "ok", "circle-check"),
            WorkState.MISSING: State(pgettext_lazy("work state", "Missing"), "danger", "alarm-clock"),
            WorkState.EXCUSED: State(pgettext_lazy("work state", "Excused"), "neutral", "circle-check"),
        },
    )
    register(
        "score",
        {
            Score.State.DRAFT: State(pgettext_lazy("score state", "Draft"), "neutral", "pencil"),
            Score.State.PUBLISHED: State(pgettext_lazy("score state", "Published"), "ok", "circle-check"),
            Score.State.EXCUSED: State(pgettext_lazy("score state", "Excused"), "neutral", "circle-check"),
        },
    )
    register(
        "offer",
        {
            OutageOffer.State.OPEN: State(pgettext_lazy("offer state", "Open"), "action", "circle-dot"),
            OutageOffer.State.GRANTED: State(pgettext_lazy("offer state", "Granted"), "ok", "circle-check"),
            OutageOffer.State.DECLINED: State(pgettext_lazy("offer state", "Declined"), "neutral", "circle-x"),
            OutageOffer.State.LAPSED: State(pgettext_lazy("offer state", "Had more time already"), "neutral", "clock"),
        },
    )
    register(
        "test-run",
        {
            GradingRun.State.WAITING: State(pgettext_lazy("test run", "Waits for GPU time"), "wait", "clock"),
            GradingRun.State.QUEUED: State(pgettext_lazy("test run", "Being tested"), "run", "loader-circle"),
            GradingRun.State.DONE: State(pgettext_lazy("test run", "Tested"), "ok", "circle-check"),
            GradingRun.State.PLATFORM: State(pgettext_lazy("test run", "The platform failed"), "danger", "alarm-clock"),
        },
    )
