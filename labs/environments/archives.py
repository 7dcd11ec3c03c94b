"""Packing a data set: one zip as it was uploaded, once it is found sound, or files put into one. A part at a time."""

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput
from campus.core.formats import file_size

# The very checks with which nodes unpack: what is taken here, every node can use.
from infra.agent.archives import BadArchive, check_together, path_of

PART_BYTES = 1024 * 1024
GROWTH = 4
"""What a data set may unpack to, as a multiple of what may be uploaded."""
_DAY = (2026, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Packed:
    """A zip, open at its beginning. `digest` is its SHA-256."""

    archive: IO[bytes]
    digest: str
    size_bytes: int
    file_count: int


def pack(uploads: Sequence[UploadedFile], target: IO[bytes]) -> Packed:
    """Return one zip of what was uploaded; files are packed into `target`. Raises InvalidInput (files)."""
    if not uploads:
        raise _refused(_("Choose a zip, or the files of the data set."))
    if sum(one.size or 0 for one in uploads) > settings.LABS_DATA_SET_MAX_BYTES:
        most = file_size(settings.LABS_DATA_SET_MAX_BYTES)
        raise _refused(_("Together the files are larger than %(most)s. Ask the operator to add it.") % {"most": most})
    zips = [one for one in uploads if str(one.name).lower().endswith(".zip")]
    if zips and len(uploads) > 1:
        raise _refused(_("Upload either one zip or single files, not both."))
    archive: Any = zips[0].file if zips else _packed(uploads, target)
    count = _checked(archive)
    archive.seek(0)
    digest = hashlib.sha256()
    size = 0
    while part := archive.read(PART_BYTES):
        digest.update(part)
        size += len(part)
    archive.seek(0)
    return Packed(archive, digest.hexdigest(), size, count)


def _packed(uploads: Sequence[UploadedFile], target: IO[bytes]) -> IO[bytes]:
    """Zip files in the order of their names and with one date, so that the same files have the same digest."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for upload in sorted(uploads, key=lambda one: str(one.name)):
            entry = zipfile.ZipInfo(str(upload.name), _DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as packed:
                for part in upload.chunks(PART_BYTES):
                    packed.write(part)
    return target


def _checked(archive: IO[bytes]) -> int:
    """Count the files of a zip that every node can unpack. Raises InvalidInput."""
    most = settings.LABS_DATA_SET_MAX_BYTES * GROWTH
    try:
        with zipfile.ZipFile(archive) as bundle:
            files = [entry for entry in map(_named, bundle.infolist()) if not entry.is_dir()]
            _check_names(files)
            if not files:
                raise _refused(_("The zip holds no file."))
            if sum(entry.file_size for entry in files) > most:
                raise _refused(_("The zip unpacks to more than %(most)s.") % {"most": file_size(most)})
            for entry in files:
                _check_content(bundle, entry)
            return len(files)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeError, ValueError) as error:
        raise _refused(_("This is no zip that can be read. Make a new one and upload that.")) from error


def _named(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    try:
        path_of(entry)
    except BadArchive as error:
        words = _(
            "“%(name)s” cannot be unpacked on a node. Use plain relative names, no links, no password, and "
            "ordinary compression."
        )
        raise _refused(words % {"name": ascii(entry.orig_filename)[1:-1][:80]}) from error
    return entry


def _check_names(files: Sequence[zipfile.ZipInfo]) -> None:
    try:
        check_together(path_of(entry) for entry in files)
    except BadArchive as error:
        words = _(
            "Two files have the same name but for capital letters, a file is also a folder, or there are too many."
        )
        raise _refused(words) from error


def _check_content(bundle: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Read a file to its end, where its checksum is compared."""
    read = 0
    try:
        with bundle.open(entry) as content:
            while part := content.read(PART_BYTES):
                read += len(part)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise _refused(_("“%(name)s” is damaged. Make the zip again.") % {"name": entry.filename[:80]}) from error
    if read != entry.file_size:
        raise _refused(_("“%(name)s” is damaged. Make the zip again.") % {"name": entry.filename[:80]})


def _refused(words: str) -> InvalidInput:
    return InvalidInput({"files": words})
