"""Where the campus is and who we are: a file that only its owner may read, or the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from labs.client.problems import SIGNED_OUT, ClientError, usage_error

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token for one campus."""

    url: str
    token: str = field(repr=False)


def path_of(environ: Mapping[str, str] = os.environ) -> Path:
    """The file, below XDG_CONFIG_HOME."""
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".config")
    return Path(base) / "campus" / "credentials.json"


def load(environ: Mapping[str, str] = os.environ) -> Credentials:
    """CAMPUS_URL and CAMPUS_TOKEN where both are set, else the file. Raises ClientError when there is neither."""
    if environ.get("CAMPUS_TOKEN") and environ.get("CAMPUS_URL"):
        return Credentials(clean_url(environ["CAMPUS_URL"]), environ["CAMPUS_TOKEN"])
    path = path_of(environ)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(clean_url(said["url"]), str(said["token"]))
    except FileNotFoundError:
        raise ClientError(SIGNED_OUT, "you are not signed in: run `campus login --url https://…`") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClientError(SIGNED_OUT, f"{path} cannot be used ({error}): run `campus login` again") from error


def save(credentials: Credentials, environ: Mapping[str, str] = os.environ) -> Path:
    """Write the file, never readable by others, not even for a moment."""
    path = path_of(environ)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        json.dump({"url": credentials.url, "token": credentials.token}, file)
    os.replace(new, path)
    return path


def forget(environ: Mapping[str, str] = os.environ) -> None:
    """Drop the file."""
    path_of(environ).unlink(missing_ok=True)


def clean_url(url: str, *, may_be_plain: bool = True) -> str:
    """The campus's address without a path's end. Raises ClientError, also for a password sent in the clear."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise usage_error(f"{url!r} is no address of a campus; it looks like https://campus.example")
    if parts.scheme == "http" and not may_be_plain and parts.hostname not in LOOPBACK:
        raise usage_error(
            "over http:// your password could be read on its way; use https://, or --insecure if you must"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
