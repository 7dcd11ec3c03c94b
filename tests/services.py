"""Pytest plugin (`-p tests.services`): PostgreSQL and Redis for the whole run, before settings are read.

One server of each, started by the process that was called; xdist's workers inherit its environment,
and each takes a database (pytest-django's suffix), a Redis database, a key prefix and a state folder
of its own. With DATABASE_URL or REDIS_URL set, the outside service is used instead.
The guard of `infra.embedded` ends the servers even when this process is killed.

Migrating takes longer than most tests: the migrated database is kept in `.tools/test-database/`, by what it was made
from, and the next run's databases are copies of it (`tests/conftest.py`). Delete the folder at will.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from infra.embedded.postgres import Postgres
from infra.embedded.redis import Redis
from infra.embedded.state import State
from infra.embedded.supervisor import Supervisor

WORKER = "PYTEST_XDIST_WORKER"
HOME = "CAMPUS_TEST_HOME"
_ROOT = Path(__file__).resolve().parent.parent
_KEPT = _ROOT / ".tools" / "test-database"
TEMPLATE = "campus_template"
TO_KEEP = "CAMPUS_TEST_TO_KEEP"
HAS_TEMPLATE = "CAMPUS_TEST_TEMPLATE"
_running: list[tuple[Supervisor, State, Path]] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start what is missing. A wrapper, because pytest-django reads the settings in this same hook."""
    only_asks = early_config.known_args_namespace.help or early_config.known_args_namespace.version
    if WORKER in os.environ:
        _take_a_share(os.environ[WORKER])
    elif not only_asks:
        _start_services()
    return (yield)


def _start_services() -> None:
    home = Path(tempfile.mkdtemp(prefix="campus-test-"))
    # The services' own account must pass through; nothing in here is readable to others.
    home.chmod(0o711)
    state = State(home / "services")
    supervisor = Supervisor(state)
    _running.append((supervisor, state, home))
    programs = []
    if not os.environ.get("DATABASE_URL"):
        postgres = Postgres(state, durable=False)
        _begin_with_what_was_kept(postgres, state)
        programs.append(postgres.program())
        os.environ["DATABASE_URL"] = postgres.url()
    if not os.environ.get("REDIS_URL"):
        redis = Redis(state)
        programs.append(redis.program())
        os.environ["REDIS_URL"] = redis.url
    try:
        supervisor.start(*programs)
    except BaseException:
        _stop_services()
        raise
    os.environ[HOME] = str(home)
    os.environ["CAMPUS_MODE"] = "test"
    os.environ["CAMPUS_API_PER_MINUTE"] = "1000000"  # the tests of one minute are many people of one id
    # Playwright's synchronous API runs an event loop in the tests' own thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.config.settings")
    _use_state_folder("main")


def _made_from() -> str:
    """A digest of all that the migrated database follows from."""
    digest = sha256()
    packages = ("campus", "courses", "labs", "infra")
    files = [file for package in packages for file in (_ROOT / package).rglob("migrations/*.py")]
    for file in [*sorted(files), _ROOT / "requirements" / "base.txt", _ROOT / "infra" / "embedded" / "postgres.py"]:
        digest.update(file.relative_to(_ROOT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _begin_with_what_was_kept(postgres: Postgres, state: State) -> None:
    kept = _KEPT / _made_from()
    if not (kept / "PG_VERSION").exists():
        os.environ[TO_KEEP] = str(kept)
        return
    shutil.copytree(kept, postgres.data, symlinks=True)
    if state.account is not None:
        for path in (postgres.data, *postgres.data.rglob("*")):
            os.chown(path, state.account.uid, state.account.gid, follow_symlinks=False)
    os.environ[HAS_TEMPLATE] = "1"


def _keep(home: Path, data: Path) -> None:
    """Set the stopped server's data aside for later runs; older ones go."""
    kept = Path(os.environ.pop(TO_KEEP, ""))
    if not (home / TEMPLATE).exists() or kept.exists():
        return
    draft = kept.with_name(f"{kept.name}.{os.getpid()}")
    shutil.copytree(data, draft, symlinks=True, ignore=shutil.ignore_patterns("postmaster.pid"))
    # Not the newest, which another run may be copying this moment.
    for old in sorted(_KEPT.iterdir(), key=lambda folder: folder.stat().st_mtime)[:-4]:
        shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(OSError):  # another run was first
        draft.rename(kept)
    shutil.rmtree(draft, ignore_errors=True)


def _take_a_share(worker: str) -> None:
    """Give worker `gwN` Redis database N+1, a key prefix (Redis's channels know no databases) and a folder."""
    parts = urlsplit(os.environ["REDIS_URL"])
    os.environ["REDIS_URL"] = urlunsplit(parts._replace(path=f"/{int(worker.removeprefix('gw')) + 1}"))
    os.environ["CAMPUS_KEY_PREFIX"] = f"campus-{worker}"
    _use_state_folder(worker)


def _use_state_folder(name: str) -> None:
    folder = Path(os.environ[HOME]) / name
    folder.mkdir(mode=0o711, exist_ok=True)
    os.environ["CAMPUS_STATE"] = str(folder)


def _stop_services() -> None:
    while _running:
        supervisor, state, home = _running.pop()
        supervisor.close()
        _keep(home, state.root / "postgres")
        state.close()
        shutil.rmtree(home, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End the services, after pytest-django has dropped its databases."""
    _stop_services()
