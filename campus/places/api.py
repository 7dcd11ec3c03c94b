"""What other apps may use of places, besides the models."""

from .bookings import RoomWish, book_rooms, bookings_at, free_bookings
from .services import add_building, open_campus, save_room, update_campus

__all__ = [
    "RoomWish",
    "add_building",
    "book_rooms",
    "bookings_at",
    "free_bookings",
    "open_campus",
    "save_room",
    "update_campus",
]
