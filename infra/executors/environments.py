"""Package environments: each built once per node, from requirements with hashes, and read-only ever after."""

# ruff: noqa: S603  # every command line is this module's own
from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from infra.executors.contract import EnvironmentBuildFailed, EnvironmentSpec, PreparedEnvironment

MANIFEST = "campus-environment.json"
BUILD_LIMIT_S = 1_800
LINES_OF_OUTPUT = 20
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
# What uv may know of the agent's surroundings: how to reach the index and where to cache; no secrets of ours.
_PASSED_ON = re.compile(
    r"(PATH|HOME|LANG|USER|NETRC|TMPDIR|XDG_CACHE_HOME|UV_.*|SSL_CERT_.*|(https?|all|no)_proxy)\Z", re.I
)


class BaseInterpreter(Protocol):
    """The Python that environments are made from."""

    @property
    def executable(self) -> str:
        """Its path."""

    @property
    def version(self) -> str:
        """Its full version."""

    @property
    def minor(self) -> str:
        """Its version up to the minor number."""


def find(root: Path, digest: str) -> PreparedEnvironment | None:
    """The environment of that digest below `root`, when it lies there whole."""
    if not _DIGEST.match(digest):
        return None
    try:
        manifest = json.loads((root / digest / MANIFEST).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return PreparedEnvironment(
        digest=digest,
        path=root / digest,
        python_version=manifest["python_version"],
        packages=tuple((name, version) for name, version in manifest["packages"]),
        size_bytes=manifest["size_bytes"],
        built_at=manifest["built_at"],
    )


def prepare(root: Path, spec: EnvironmentSpec, base: BaseInterpreter) -> PreparedEnvironment:
    """The environment below `root`, built now if it is not there; others that want it wait for the one build.

    Raises `EnvironmentBuildFailed` with the last of what uv said.
    """
    if found := find(root, spec.digest):
        return found
    if spec.python_version != base.minor:
        raise EnvironmentBuildFailed(f"it is for Python {spec.python_version}, and this node has {base.version}")
    root.mkdir(parents=True, exist_ok=True)
    with _lock(root / f"{spec.digest}.lock"):
        if found := find(root, spec.digest):
            return found
        for left in root.glob(f"{spec.digest}.tmp-*"):  # a builder that held this lock has died
            shutil.rmtree(left)
        folder = root / f"{spec.digest}.tmp-{os.getpid()}"
        try:
            _build(folder, spec, base)
            folder.rename(root / spec.digest)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    built = find(root, spec.digest)
    if built is None:
        raise EnvironmentBuildFailed("the environment vanished after it was built")
    return built


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(folder: Path, spec: EnvironmentSpec, base: BaseInterpreter) -> None:
    import uv

    uv_path = os.fsdecode(uv.find_uv_bin())
    quiet = ["--no-config", "--no-progress", "--color", "never"]
    # Relocatable, because it is built in one place, renamed to another and seen by jobs at /env.
    _run([uv_path, "venv", *quiet, "--relocatable", "--no-project", "--python", base.executable, str(folder)])
    requirements = folder / "requirements.txt"
    requirements.write_text(spec.requirements)
    python = str(folder / "bin" / "python")
    if _names_a_package(spec.requirements):
        sync = ["pip", "sync", *quiet, "--require-hashes", "--no-build", "--python", python, str(requirements)]
        _run([uv_path, *sync])
    packages = folder / "lib" / f"python{base.minor}" / "site-packages"
    _compile(packages, base)
    manifest = {
        "digest": spec.digest,
        "python_version": base.version,
        "packages": _packages(packages),
        "size_bytes": sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()),
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    folder.chmod(0o755)


def _names_a_package(requirements: str) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in requirements.splitlines())


def _compile(packages: Path, base: BaseInterpreter) -> None:
    """Bytecode ahead of time, since jobs see the environment read-only.

    Without `site` (-S), so that nothing of the packages runs here, outside a sandbox. A file that does not
    compile (tests of other Python versions) is no failure.
    """
    command = [base.executable, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    where = f"/env/lib/python{base.minor}/site-packages"
    subprocess.run(
        [*command, "-s", str(packages), "-p", where, str(packages)],
        capture_output=True,
        timeout=BUILD_LIMIT_S,
        umask=0o022,
        check=False,
    )


def _packages(packages: Path) -> list[tuple[str, str]]:
    """(name, version) read from metadata alone; asking the environment's own Python would run its .pth files."""
    found = importlib.metadata.distributions(path=[str(packages)])
    return sorted((distribution.metadata["Name"], distribution.version) for distribution in found)


@dataclass(frozen=True, slots=True)
class _Tried:
    code: int
    said: str


def _run(command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            umask=0o022,
            timeout=BUILD_LIMIT_S,
            check=False,
        )
        tried = _Tried(done.returncode, done.stdout.decode(errors="replace"))
    except subprocess.TimeoutExpired as error:
        tried = _Tried(-1, (error.stdout or b"").decode(errors="replace") + f"\ngave up after {BUILD_LIMIT_S} s")
    if tried.code != 0:
        raise EnvironmentBuildFailed(
            "the environment could not be built", "\n".join(tried.said.strip().splitlines()[-LINES_OF_OUTPUT:])
        )
