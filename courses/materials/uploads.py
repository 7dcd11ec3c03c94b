"""What is uploaded as a material: checked by its bytes and digested, a part at a time."""

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput, TooLarge
from campus.core.formats import file_size

from .domain import notebooks
from .domain.containers import container_of
from .domain.files import safe_name, shown_type
from .models import Material

_HEAD = 4096
_TEXT = 200_000
NOTEBOOK_TYPE = "application/x-ipynb+json"


@dataclass(frozen=True)
class Checked:
    """An upload that may be kept. `text` is what can be searched of it."""

    upload: UploadedFile
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    duration_ms: int | None = None
    text: str = ""


def checked_upload(kind: str, upload: UploadedFile) -> Checked:
    """Check what was uploaded as a material of this kind. Raises InvalidInput under `upload`, TooLarge."""
    name, size = safe_name(str(upload.name)), upload.size or 0
    most = settings.MATERIALS_MAX_BYTES[kind]
    if size > most:
        words = _("“%(name)s” is %(size)s; at most %(most)s can be kept here.")
        raise TooLarge(words % {"name": name, "size": file_size(size), "most": file_size(most)})
    if not size:
        raise InvalidInput({"upload": _("“%(name)s” is empty.") % {"name": name}})
    digest = hashlib.sha256()
    upload.seek(0)
    for part in upload.chunks():
        digest.update(part)
    check = {Material.Kind.VIDEO: _video, Material.Kind.FILE: _file, Material.Kind.NOTEBOOK: _notebook}[
        Material.Kind(kind)
    ]
    media_type, duration_ms, text = check(upload, name, size)
    upload.seek(0)
    return Checked(upload, name, media_type, digest.hexdigest(), size, duration_ms, text)


def checked_address(address: str) -> str:
    """Check a video's HLS address: https, and of a host that the operator named. Raises InvalidInput (hls_url)."""
    parts = urlsplit(address)
    is_plain = parts.scheme == "https" and "@" not in parts.netloc and not parts.fragment
    if not is_plain or not parts.path.endswith(".m3u8"):
        raise InvalidInput({"hls_url": _("An HLS address begins with https:// and ends with .m3u8.")})
    if f"https://{parts.netloc.lower()}" not in settings.MATERIALS_HLS_ORIGINS:
        hosts = ", ".join(settings.MATERIALS_HLS_ORIGINS) or _("none")
        words = _("Videos may come from these hosts only: %(hosts)s. Ask the operator to add another.")
        raise InvalidInput({"hls_url": words % {"hosts": hosts}})
    return address


def _video(upload: UploadedFile, name: str, size: int) -> tuple[str, int | None, str]:
    def read(at: int, count: int) -> bytes:
        upload.seek(at)
        return bytes(upload.read(count))

    found = container_of(read, size)
    if found is None:
        raise InvalidInput({"upload": _("“%(name)s” is neither MP4 nor WebM.") % {"name": name}})
    return found.media_type, found.duration_ms, ""


def _file(upload: UploadedFile, name: str, size: int) -> tuple[str, int | None, str]:
    upload.seek(0)
    head = bytes(upload.read(_HEAD))
    media_type = shown_type(name, head)
    if not media_type.startswith("text/"):
        return media_type or "application/octet-stream", None, ""
    upload.seek(0)
    return media_type, None, bytes(upload.read(_TEXT)).decode("utf-8", "replace").replace("\0", "")


def _notebook(upload: UploadedFile, name: str, size: int) -> tuple[str, int | None, str]:
    upload.seek(0)
    try:
        found = notebooks.read(bytes(upload.read(notebooks.MAX_BYTES + 1)))
    except notebooks.BadNotebook as refusal:
        why = {
            "too_large": _("it is too large"),
            "too_many_cells": _("it has too many cells"),
            "too_deep": _("its JSON is nested too deeply"),
        }.get(refusal.code, _("its format is not nbformat 4"))
        words = _("“%(name)s” is no notebook that can be shown: %(why)s.")
        raise InvalidInput({"upload": words % {"name": name, "why": why}}) from refusal
    return NOTEBOOK_TYPE, None, found.text[:_TEXT]
