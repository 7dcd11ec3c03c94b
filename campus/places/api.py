"""What other apps may use of places, besides the models."""

from .services import add_building, open_campus, save_room, update_campus

__all__ = ["add_building", "open_campus", "save_room", "update_campus"]
