"""Unpacking an uploaded zip, without trusting a word of it.

Everything the directory says is a claim: sizes are checked against the bytes that come out, and unpacking stops
at the first byte too many, so a bomb costs at most the cap in memory and the time to inflate that much.
"""

import stat
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from infra.executors.domain.names import zip_name

from .paths import BadFile, check_path, check_together, printable

_CHUNK = 64 * 1024
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LINK_OR_FILE = (0, stat.S_IFREG)  # systems without modes write 0
_MAC_LITTER = "__MACOSX/"


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Caps on what comes out; `ratio` is bytes out per byte in, beyond `free_bytes` that may compress better."""

    files: int
    total_bytes: int
    ratio: int = 200
    free_bytes: int = 256 * 1024


def unpack(archive: BinaryIO, limits: UploadLimits) -> dict[str, bytes]:
    """Return the archive's files by path. One common top folder is kept, folders and macOS's litter are not.

    Raises BadFile: not_a_zip, too_many_files, too_large, encrypted, link, method, bomb, lying_size, damaged, no_files,
    and what `paths` raises for names.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return _unpack(opened, limits)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        if isinstance(error, BadFile):
            raise
        raise BadFile("not_a_zip") from error


def _unpack(opened: zipfile.ZipFile, limits: UploadLimits) -> dict[str, bytes]:
    entries = [entry for entry in opened.infolist() if not _is_left_out(entry)]
    if not entries:
        raise BadFile("no_files")
    if len(entries) > limits.files:
        raise BadFile("too_many_files", most=limits.files, given=len(entries))
    paths = [_checked(entry) for entry in entries]
    check_together(paths)
    if sum(entry.file_size for entry in entries) > limits.total_bytes:
        raise BadFile("too_large", most=limits.total_bytes)
    files: dict[str, bytes] = {}
    room = limits.total_bytes
    for path, entry in zip(paths, entries, strict=True):
        files[path] = _read(opened, entry, path, room, limits)
        room -= len(files[path])
    return files


def _is_left_out(entry: zipfile.ZipInfo) -> bool:
    """Folders and what macOS adds. A folder's name is judged too: it could be a link or point out."""
    name = zip_name(entry)
    if name.startswith(_MAC_LITTER):
        return True
    if name.endswith("/"):
        check_path(name.rstrip("/") or "/")
        return True
    return False


def _checked(entry: zipfile.ZipInfo) -> str:
    path = check_path(zip_name(entry))
    if entry.flag_bits & _ENCRYPTED:
        raise BadFile("encrypted", path)
    if stat.S_IFMT(entry.external_attr >> 16) not in _LINK_OR_FILE:
        raise BadFile("link", path)
    if entry.compress_type not in _METHODS:
        raise BadFile("method", path)
    return path


def _read(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str, room: int, limits: UploadLimits) -> bytes:
    most = min(room, max(limits.free_bytes, entry.compress_size * limits.ratio))
    if entry.file_size > most:
        raise BadFile("bomb" if most < room else "too_large", path, most=limits.total_bytes)
    # `open` trusts the directory's size and would stop there in silence; ask it for one byte more.
    claimed, entry.file_size = entry.file_size, most + 1
    kept = bytearray()
    try:
        with opened.open(entry) as stream:
            while chunk := stream.read(_CHUNK):
                kept += chunk
                if len(kept) > most:
                    raise BadFile("bomb" if most < room else "too_large", path, most=limits.total_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BadFile("damaged", printable(path)) from error
    if len(kept) != claimed:
        raise BadFile("lying_size", path)
    return bytes(kept)
