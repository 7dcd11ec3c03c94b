"""What other apps may use of announcements, besides the models."""

from .access import found_by
from .selectors import latest_news
from .services import Wish, bring, publish, save_announcement

__all__ = ["Wish", "bring", "found_by", "latest_news", "publish", "save_announcement"]
