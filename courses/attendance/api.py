"""What other apps may use of attendance, besides the models."""

from .access import get_learner_for, get_roll_for
from .domain.standing import Grade, Standing
from .services.asking import ask_excuse, contest, decide_excuse
from .services.drawing import draw, policy_of, rolls
from .services.locking import hold_policy
from .standings import standings
from .today import Attending, attending

__all__ = [
    "Attending",
    "Grade",
    "Standing",
    "ask_excuse",
    "attending",
    "contest",
    "decide_excuse",
    "draw",
    "get_learner_for",
    "get_roll_for",
    "hold_policy",
    "policy_of",
    "rolls",
    "standings",
]
