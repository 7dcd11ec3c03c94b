"""What other apps may use of materials, besides the models."""

from .progress import ProgressRow, progress_of
from .searching import MaterialText, texts_of
from .services.authoring import Content, add_version, open_material
from .services.watching import fold_reports, open_version, pieces_of, report
from .services.wording import save_captions, save_chapters

__all__ = [
    "Content",
    "MaterialText",
    "ProgressRow",
    "add_version",
    "fold_reports",
    "open_material",
    "open_version",
    "pieces_of",
    "progress_of",
    "report",
    "save_captions",
    "save_chapters",
    "texts_of",
]
