"""What may be done with announcements."""

from .bringing import bring, bring_batch, publish_due
from .writing import Wish, mark_read, publish, save_announcement, withdraw

__all__ = [
    "Wish",
    "bring",
    "bring_batch",
    "mark_read",
    "publish",
    "publish_due",
    "save_announcement",
    "withdraw",
]
