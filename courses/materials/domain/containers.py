"""What a video file is by its bytes, MP4 or WebM, and how long it says it is. What it is called does not count.

`Reader` gives bytes from a place of the file; at most a few hundred small reads are made, whatever the file claims.
"""

import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Reader = Callable[[int, int], bytes]

MP4, WEBM = "video/mp4", "video/webm"
MOST_MS = 24 * 3600 * 1000
_MOST_BOXES = 200
_EBML, _SEGMENT, _INFO, _SCALE, _DURATION, _DOC_TYPE = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489, 0x4282
_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Container:
    """A video's media type, and its length where the file names one."""

    media_type: str
    duration_ms: int | None


def container_of(read: Reader, size: int) -> Container | None:
    """Return what the file is; None for all that is neither MP4 nor WebM."""
    head = read(0, 16)
    if head[4:8] == b"ftyp":
        return Container(MP4, _sane(_mp4_ms(read, size)))
    if head[:4] == b"\x1a\x45\xdf\xa3":
        start = read(0, _HEAD)
        return Container(WEBM, _sane(_webm_ms(start))) if _doc_type(start) == b"webm" else None
    return None


def _sane(ms: float | None) -> int | None:
    return round(ms) if ms is not None and math.isfinite(ms) and 0 < ms <= MOST_MS else None


def _mp4_ms(read: Reader, size: int) -> float | None:
    """The length that the movie header (`moov`/`mvhd`, ISO 14496-12) names."""
    for kind, start, end in _boxes(read, 0, size):
        if kind != b"moov":
            continue
        for inner, at, _until in _boxes(read, start, end):
            if inner == b"mvhd":
                return _header_ms(read(at, 32))
    return None


def _boxes(read: Reader, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _count in range(_MOST_BOXES):
        head = read(start, 16)
        if start >= end or len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head[:8])
        before = 8
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack(">Q", head[8:])
            before = 16
        if size == 0:
            size = end - start
        if size < before:
            return
        yield kind, start + before, min(start + size, end)
        start += size


def _header_ms(body: bytes) -> float | None:
    try:
        if body[0] == 1:
            scale, length = struct.unpack(">IQ", body[20:32])
        else:
            scale, length = struct.unpack(">II", body[12:20])
    except (struct.error, IndexError):
        return None
    return length * 1000 / scale if scale else None


def _doc_type(start: bytes) -> bytes:
    for kind, body in _elements(start, 0, len(start)):
        if kind == _EBML:
            return next((text for inner, text in _elements(body, 0, len(body)) if inner == _DOC_TYPE), b"").rstrip(
                b"\0"
            )
    return b""


def _webm_ms(start: bytes) -> float | None:
    """The length that the segment's `Info` names (Matroska, RFC 9559)."""
    for kind, segment in _elements(start, 0, len(start)):
        if kind != _SEGMENT:
            continue
        for inner, info in _elements(segment, 0, len(segment)):
            if inner == _INFO:
                return _info_ms(info)
    return None


def _info_ms(info: bytes) -> float | None:
    scale, ticks = 1_000_000, None
    for kind, body in _elements(info, 0, len(info)):
        if kind == _SCALE and 0 < len(body) <= 8:
            scale = int.from_bytes(body, "big")
        if kind == _DURATION and len(body) in (4, 8):
            (ticks,) = struct.unpack(">f" if len(body) == 4 else ">d", body)
    return ticks * scale / 1_000_000 if ticks is not None else None


def _elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    for _count in range(_MOST_BOXES):
        kind, at = _number(data, at, keep_mark=True)
        size, at = _number(data, at, keep_mark=False)
        if kind is None or size is None:
            return
        # A live recorder writes an unknown size, all ones: the rest.
        until = end if size >= 2**56 - 1 else min(at + size, end)
        yield kind, data[at:until]
        at = until


def _number(data: bytes, at: int, *, keep_mark: bool) -> tuple[int | None, int]:
    """A number of variable length: the first byte's leading zeros say how many bytes follow."""
    if at >= len(data) or data[at] == 0:
        return None, at
    width = 9 - data[at].bit_length()
    if at + width > len(data):
        return None, at
    value = int.from_bytes(data[at : at + width], "big")
    mask = (1 << (7 * width)) - 1
    if keep_mark:
        return value, at + width
    return (2**56 - 1 if value & mask == mask else value & mask), at + width
