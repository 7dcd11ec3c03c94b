"""Frames between an agent and the runner of one job: a length, a kind, the bytes."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator

HEADER = struct.Struct("!IB")
MOMENT = struct.Struct("!d")
"""The payload of KEEP: seconds of CLOCK_BOOTTIME. That of STOP begins with its grace time; negative is the usual."""
MAX_FRAME = 1 << 30


class Kind(enum.IntEnum):
    """What a frame carries."""

    # agent to runner
    JOB = 1
    STOP = 2
    KILL = 3
    KEEP = 4
    # runner to agent
    STARTED = 11
    LOG = 12
    METRIC = 13
    ENDED = 14


def pack(kind: Kind, payload: bytes = b"") -> bytes:
    """One frame as it goes over the wire."""
    return HEADER.pack(len(payload), kind) + payload


class Unpacker:
    """Gives the whole frames of a stream, however it is cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[Kind, bytes]]:
        """The frames that this chunk completes. Raises ValueError on a frame no one sends."""
        self._buffer += chunk
        while len(self._buffer) >= HEADER.size:
            length, kind = HEADER.unpack_from(self._buffer)
            if length > MAX_FRAME:
                raise ValueError(f"frame of {length} bytes")
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            yield Kind(kind), payload
