"""Planning classes: each act is one booking in one transaction."""

from .calendars import feed_of, read_feed, renew_feed, revoke_feed
from .ending import end_session
from .office import give_up_slot, take_slot
from .series import end_series, save_series
from .sessions import Saved, cancel_session, move_session, save_session
from .settings import add_holiday, remove_holiday, save_stream
from .wishes import ClassWish, PlaceWish, SeriesWish

__all__ = [
    "ClassWish",
    "PlaceWish",
    "Saved",
    "SeriesWish",
    "add_holiday",
    "cancel_session",
    "end_series",
    "end_session",
    "feed_of",
    "give_up_slot",
    "move_session",
    "read_feed",
    "remove_holiday",
    "renew_feed",
    "revoke_feed",
    "save_series",
    "save_session",
    "save_stream",
    "take_slot",
]
