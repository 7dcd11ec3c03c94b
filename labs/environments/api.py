"""What other apps may use of environments, besides the models."""

from .in_use import Offered, register_use

__all__ = ["Offered", "register_use"]
