"""The rolling code on a room's screen: an HMAC over the station and a 15-second step (as TOTP, RFC 6238, does it)."""

import hmac
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

STEP_S = 15
CODE_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Scan:
    """A code that holds. `is_fresh`: its step was still running; else it was in its one step of grace."""

    step: int
    is_fresh: bool


def step_of(at: datetime) -> int:
    """The number of the step that runs at an aware time."""
    return int(at.timestamp()) // STEP_S


def left_of(at: datetime) -> int:
    """Whole seconds until the next step, 1 to STEP_S."""
    return STEP_S - int(at.timestamp()) % STEP_S


def code_of(secret: bytes, station: int, step: int) -> str:
    """The code of one step: 80 bits, in letters and digits that any QR reader and eye tells apart."""
    digest = hmac.digest(secret, f"{station}:{step}".encode(), sha256)
    return b32encode(digest[:10]).decode().lower()


def read(secret: bytes, station: int, code: str, at: datetime) -> Scan | None:
    """Return what a code is at a time, or None where it holds no longer, or not yet, or never did."""
    now = step_of(at)
    for step in (now, now - 1):
        if hmac.compare_digest(code_of(secret, station, step).encode(), code.encode("utf-8", "replace")):
            return Scan(step, step == now)
    return None
