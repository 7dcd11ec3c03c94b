"""The files of a submission as they are stored: checked, digested, and as JSON that PostgreSQL accepts."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from .paths import BadFile, check_path, check_together
from .sweeps import PARAMS_FILE, Value, params_file


def check_files(files: Mapping[str, bytes], *, most_files: int, most_bytes: int) -> dict[str, bytes]:
    """Return the files by clean path. Raises BadFile: no_files, too_many_files, too_large, and those of `paths`."""
    if not files:
        raise BadFile("no_files")
    if len(files) > most_files:
        raise BadFile("too_many_files", most=most_files, given=len(files))
    if sum(map(len, files.values())) > most_bytes:
        raise BadFile("too_large", most=most_bytes)
    paths = [check_path(path) for path in files]
    check_together(paths)
    return dict(zip(paths, files.values(), strict=True))


def check_entrypoint(files: Mapping[str, bytes], entrypoint: str) -> str:
    """Return the path of the script to run.

    Raises BadFile: entrypoint_missing, entrypoint_not_python, entrypoint_empty, entrypoint_not_utf8 (with the line),
    entrypoint_nul.
    """
    path = check_path(entrypoint.strip())
    if not path.endswith(".py"):
        raise BadFile("entrypoint_not_python", path)
    if path not in files:
        scripts = sorted(name for name in files if name.endswith(".py"))
        raise BadFile("entrypoint_missing", path, scripts=", ".join(scripts[:5]))
    content = files[path]
    if not content.strip():
        raise BadFile("entrypoint_empty", path)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile("entrypoint_not_utf8", path, line=content.count(b"\n", 0, error.start) + 1) from error
    if b"\0" in content:
        raise BadFile("entrypoint_nul", path)
    return path


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and contents, each with its length before it, in the order of names."""
    whole = hashlib.sha256()
    for path in sorted(files):
        name, content = path.encode("utf-8", "surrogatepass"), files[path]
        whole.update(f"{len(name)} {len(content)}\n".encode())
        whole.update(name)
        whole.update(content)
    return whole.hexdigest()


def as_json(files: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    """Files as JSON: text where they are UTF-8, base64 where not, or where PostgreSQL would refuse a NUL."""
    return {path: _entry(content) for path, content in files.items()}


def _entry(content: bytes) -> dict[str, str]:
    if b"\0" not in content:
        try:
            return {"text": content.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {"base64": base64.b64encode(content).decode("ascii")}


def from_json(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """The inverse of `as_json`."""
    return {
        path: entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"])
        for path, entry in stored.items()
    }


def with_parameters(stored: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, Value]) -> dict[str, Any]:
    """Stored files with the `params.json` of one run among them; as they are where it has no parameters.

    Runs of a sweep share one bundle, so what tells them apart is put in only where a node fetches it.
    """
    if not parameters:
        return dict(stored)
    own = from_json({PARAMS_FILE: stored[PARAMS_FILE]})[PARAMS_FILE] if PARAMS_FILE in stored else None
    return {**stored, PARAMS_FILE: {"text": params_file(own, parameters)}}
