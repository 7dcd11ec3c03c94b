"""What other apps may use of the timetable, besides the models."""

from .access import SessionAccess, get_session_for, get_session_for_staff, get_session_to_edit, sessions_whole
from .board import Shown, next_class, place_words, shown_to
from .selectors import RollEntry, roll_of, sessions_between, sessions_of_cohort, sessions_of_person
from .services import (
    ClassWish,
    PlaceWish,
    SeriesWish,
    add_holiday,
    cancel_session,
    move_session,
    save_series,
    save_session,
    save_stream,
    take_slot,
)

__all__ = [
    "ClassWish",
    "PlaceWish",
    "RollEntry",
    "SeriesWish",
    "SessionAccess",
    "Shown",
    "add_holiday",
    "cancel_session",
    "get_session_for",
    "get_session_for_staff",
    "get_session_to_edit",
    "move_session",
    "next_class",
    "place_words",
    "roll_of",
    "save_series",
    "save_session",
    "save_stream",
    "sessions_between",
    "sessions_of_cohort",
    "sessions_of_person",
    "sessions_whole",
    "shown_to",
    "take_slot",
]
