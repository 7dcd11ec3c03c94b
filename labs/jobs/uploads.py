"""The files of a form: what was typed into the editor, and what was uploaded as files or as one zip."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput
from campus.core.forms import editor_files

from .domain import source
from .domain.paths import BadFile
from .domain.upload import UploadLimits, unpack
from .refusals import refused, words_of


def files_of(request: HttpRequest, *, upload_field: str = "upload", prefix: str = "files") -> dict[str, bytes]:
    """Return path to content. An upload replaces what the editor holds, since it is what the person did last.

    Raises InvalidInput naming the field, with what to do about it.
    """
    if request.FILES.getlist(upload_field):
        return uploaded_files(request, field=upload_field)
    return edited_files(request, prefix=prefix)


def edited_files(request: HttpRequest, *, prefix: str = "files") -> dict[str, bytes]:
    """Return what the editor holds. Raises InvalidInput for a name that cannot be."""
    try:
        return {path: text.encode() for path, text in editor_files(request.POST, prefix=prefix).items()}
    except ValidationError as error:
        raise InvalidInput({"files": error.messages}) from error


def uploaded_files(request: HttpRequest, *, field: str = "upload") -> dict[str, bytes]:
    """Return what was uploaded, as files or as one zip. Read it once: the stream is empty then. Raises InvalidInput."""
    uploads = [one for one in request.FILES.getlist(field) if one.size or one.name]
    return _uploaded(uploads, field) if uploads else {}


def checked_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files by clean path, as a submission takes them. Raises InvalidInput (files)."""
    most_files, most_bytes = settings.LABS_SOURCE_MAX_FILES, settings.LABS_SOURCE_MAX_BYTES
    try:
        return source.check_files(files, most_files=most_files, most_bytes=most_bytes)
    except BadFile as refusal:
        raise refused(refusal) from refusal


def _uploaded(uploads: list[UploadedFile], field: str) -> dict[str, bytes]:
    most = settings.LABS_SOURCE_MAX_BYTES
    if sum(one.size or 0 for one in uploads) > most:
        raise InvalidInput({field: str(words_of(BadFile("too_large", most=most)))})
    if len(uploads) == 1 and str(uploads[0].name).lower().endswith(".zip"):
        limits = UploadLimits(files=settings.LABS_SOURCE_MAX_FILES, total_bytes=most)
        try:
            return unpack(uploads[0].file, limits)  # type: ignore[arg-type]
        except BadFile as error:
            raise InvalidInput({field: str(words_of(error))}) from error
    names = [str(one.name) for one in uploads]
    if any(name.lower().endswith(".zip") for name in names):
        raise InvalidInput({field: _("Upload either one zip or single files, not both.")})
    if len(set(names)) < len(names):
        raise InvalidInput({field: _("Two of the files have the same name. Rename one.")})
    return {name: one.read() for name, one in zip(names, uploads, strict=True)}


def shown_files(files: Mapping[str, bytes]) -> list[dict[str, str]]:
    """Return files for the editor; what is no text is left out (`unshown_files` names it).

    That is what is no UTF-8, and what has a NUL, which no page carries.
    """
    shown = []
    for path, content in files.items():
        try:
            if b"\0" not in content:
                shown.append({"path": path, "text": content.decode("utf-8")})
        except UnicodeDecodeError:
            continue
    return shown


def unshown_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that the editor cannot show."""
    shown = {one["path"] for one in shown_files(files)}
    return {path: content for path, content in files.items() if path not in shown}


def typed_files(request: HttpRequest, *, prefix: str = "files") -> list[dict[str, str]]:
    """Return what stood in the editor, for a page that shows it again: as it was typed, bad names and all."""
    rows: list[dict[str, str]] = []
    while (text := request.POST.get(f"{prefix}-{len(rows)}-text")) is not None:
        rows.append({"path": str(request.POST.get(f"{prefix}-{len(rows)}-path", "")), "text": text})
    return [row for row in rows if row["path"].strip() or row["text"].strip()]


def shown_bundle(stored: Mapping[str, Mapping[str, str]]) -> dict[str, list[Any]]:
    """Return a stored submission for reading: `texts` for the viewer, and the names of what is no text."""
    return {
        "texts": [{"path": path, "text": entry["text"]} for path, entry in sorted(stored.items()) if "text" in entry],
        "others": [path for path, entry in sorted(stored.items()) if "text" not in entry],
    }
