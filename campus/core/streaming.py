"""Bytes on their way out, a part at a time: whatever the size of a file or a log, one part of it is in memory."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest

PART_BYTES = 256 * 1024


def as_served(request: Any, parts: Iterator[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Under ASGI Django would make a list of all parts before it sends the first, so each is asked for in its turn."""
    return _in_turn(parts) if isinstance(getattr(request, "_request", request), ASGIRequest) else parts


async def _in_turn(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    while part := await sync_to_async(_next)(parts):
        yield part


def _next(parts: Iterator[bytes]) -> bytes:
    return next(parts, b"")
