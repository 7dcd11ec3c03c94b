"""What the agent is told by its environment, read once. What is missing or wrong is said all at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}\Z")
_PART = re.compile(r"([1-9][0-9]?)/([1-9][0-9]?)\Z")
Number = TypeVar("Number", int, float)
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


class SettingsError(Exception):
    """The environment does not say what the agent needs; the message says what to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds, sizes as named."""

    name: str
    token: str = field(repr=False)
    api_url: str
    state: Path
    redis_url: str = field(default="", repr=False)
    """Empty: no nudges, work is found by heartbeat alone."""
    key_prefix: str = "campus"
    shared: Path | None = None
    """Environments and data sets, which several agents of one machine may share; None is under `state`."""
    slots: int = 0
    """CPU slots to declare when this machine has no GPU."""
    gpu_part: tuple[int, int] = (1, 1)
    """(2, 3): of the machine's GPUs every third from the second on; other agents of this machine have the rest."""
    cpus: float | None = None
    memory_mib: int | None = None
    share_gpus: bool = False
    """Real GPUs may be given in parts. CPU slots always may: their control groups bound each part."""
    mps_pipe: Path | None = None
    """The folder of the pipes of an MPS control daemon that runs here; None: none does."""
    allow_unconfined: bool = False
    stop_grace_s: float = 10.0
    data_set_cache_mib: int = 50 * 1024
    ca_file: Path | None = None


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings. Raises SettingsError that names every variable that is missing or wrong."""
    reader = _Reader(environ)
    settings = Settings(
        name=reader.name(),
        token=reader.token(),
        api_url=reader.url(),
        state=Path(reader.needed("CAMPUS_NODE_STATE", "the folder where the agent keeps its files")).absolute(),
        redis_url=environ.get("REDIS_URL", ""),
        key_prefix=environ.get("CAMPUS_KEY_PREFIX", "campus"),
        shared=reader.path("CAMPUS_NODE_SHARED"),
        slots=reader.whole("CAMPUS_NODE_SLOTS", 0) or 0,
        gpu_part=reader.part("CAMPUS_NODE_GPU_PART"),
        cpus=reader.number("CAMPUS_NODE_CPUS", None),
        memory_mib=reader.whole("CAMPUS_NODE_MEMORY_MIB", None),
        share_gpus=reader.flag("CAMPUS_NODE_SHARE_GPUS"),
        mps_pipe=reader.path("CAMPUS_NODE_MPS_PIPE"),
        allow_unconfined=reader.flag("LABS_ALLOW_UNCONFINED"),
        stop_grace_s=reader.number("CAMPUS_NODE_STOP_GRACE_S", 10.0) or 0.0,
        data_set_cache_mib=reader.whole("CAMPUS_NODE_DATA_SET_CACHE_MIB", 50 * 1024) or 0,
        ca_file=reader.path("CAMPUS_NODE_CA_FILE"),
    )
    if reader.problems:
        raise SettingsError("\n".join(reader.problems))
    return settings


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def needed(self, name: str, what: str) -> str:
        value = self._environ.get(name, "").strip()
        if not value:
            self.problems.append(f"set {name}: {what}")
        return value

    def name(self) -> str:
        value = self.needed("CAMPUS_NODE_NAME", "the name under which this node is registered, such as yongin-01")
        if value and not _NAME.match(value):
            self.problems.append(f"CAMPUS_NODE_NAME is {value!r}; use letters, digits, '-' and '_' only")
        return value

    def token(self) -> str:
        path = self.needed("CAMPUS_NODE_TOKEN_FILE", "a file that holds the token shown when the node was registered")
        if not path:
            return ""
        try:
            token = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"CAMPUS_NODE_TOKEN_FILE names {path}, which cannot be read: {error}")
            return ""
        if not re.fullmatch(r"[!-~]+", token):
            self.problems.append(f"CAMPUS_NODE_TOKEN_FILE names {path}, which holds no token on one line")
        return token

    def url(self) -> str:
        value = self.needed("CAMPUS_NODE_API_URL", "the campus's address, such as https://campus.example")
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            self.problems.append(f"CAMPUS_NODE_API_URL is {value!r}; it must begin with https:// (or http://)")
        return value.rstrip("/")

    def path(self, name: str) -> Path | None:
        value = self._environ.get(name, "").strip()
        return Path(value).absolute() if value else None

    def whole(self, name: str, default: int | None) -> int | None:
        return self._positive(name, default, int, "a whole number")

    def number(self, name: str, default: float | None) -> float | None:
        return self._positive(name, default, float, "a number")

    def part(self, name: str) -> tuple[int, int]:
        value = self._environ.get(name, "").strip() or "1/1"
        found = _PART.match(value)
        which, of = map(int, found.groups()) if found else (1, 0)
        if which > of:
            self.problems.append(f"{name} is {value!r}; set it to 1/2 for the first of two agents, and so on")
        return which, of

    def flag(self, name: str) -> bool:
        value = self._environ.get(name, "").strip().lower()
        if value not in _TRUE + _FALSE:
            self.problems.append(f"{name} is {value!r}; set it to 1 or 0")
        return value in _TRUE

    def _positive(self, name: str, default: Number | None, kind: Callable[[str], Number], what: str) -> Number | None:
        value = self._environ.get(name, "").strip()
        if not value:
            return default
        try:
            number = kind(value)
        except ValueError:
            number = kind("-1")
        if not 0 <= number < 10**9:
            self.problems.append(f"{name} is {value!r}; set it to {what} of 0 or more")
            return default
        return number
