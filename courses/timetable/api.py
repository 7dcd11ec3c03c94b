"""What other apps may use of the timetable, besides the models."""

from .access import SessionAccess, get_session_for, get_session_for_staff, get_session_to_edit, sessions_whole
from .selectors import RollEntry, roll_of, sessions_between, sessions_of_cohorts, sessions_of_person

__all__ = [
    "RollEntry",
    "SessionAccess",
    "get_session_for",
    "get_session_for_staff",
    "get_session_to_edit",
    "roll_of",
    "sessions_between",
    "sessions_of_cohorts",
    "sessions_of_person",
    "sessions_whole",
]
