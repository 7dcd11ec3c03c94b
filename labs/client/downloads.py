"""Bringing a job's artifacts here: checked by digest, and never outside the folder that was named."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath
from typing import Any

from labs.client.api import Api
from labs.client.problems import REFUSED, ClientError, usage_error


def bring(api: Api, artifacts: list[dict[str, Any]], folder: Path) -> list[Path]:
    """Download them below `folder`; the paths written. What lies there with the same content is left.

    Raises ClientError for a name that leads elsewhere, a file that is in the way, and a digest that differs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    targets = [(artifact, target_of(root, str(artifact["path"]))) for artifact in artifacts]
    return [target for artifact, target in targets if _bring(api, artifact, target)]


def target_of(root: Path, path: str) -> Path:
    """Where the artifact `path` goes below the resolved folder `root`. Raises ClientError."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or any(part in ("..", ".") for part in parts) or "\\" in path or "\0" in path:
        raise ClientError(REFUSED, f"the artifact {path!r} has a path that is not taken")
    target = root.joinpath(*parts)
    # A link that already lies in the folder could lead out of it.
    if not target.parent.resolve().is_relative_to(root):
        raise ClientError(REFUSED, f"the artifact {path!r} would be written outside {root}")
    return target


def _bring(api: Api, artifact: dict[str, Any], target: Path) -> bool:
    if target.is_symlink() or target.exists():
        if target.is_file() and not target.is_symlink() and _digest_of(target) == artifact["digest"]:
            return False
        raise usage_error(f"{target} is there already, with other content: move it, or name another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.{os.getpid()}")
    found = hashlib.sha256()
    try:
        with open(new, "xb") as file:
            for chunk in api.download(str(artifact["url"])):
                found.update(chunk)
                file.write(chunk)
        if found.hexdigest() != artifact["digest"]:
            raise ClientError(REFUSED, f"{artifact['path']} arrived with another content than it was stored with")
        os.replace(new, target)
    finally:
        new.unlink(missing_ok=True)
    return True


def _digest_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
