"""What other apps may use of support, besides the models."""

from .evidence import overview
from .services import note_signal, write_to

__all__ = ["note_signal", "overview", "write_to"]
