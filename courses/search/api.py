"""What other apps may use of searching: letting their things be found."""

from .indexing import refresh
from .sources import Found, Source, register_source

__all__ = ["Found", "Source", "refresh", "register_source"]
