"""Pytest plugin (`-p tests.services`): PostgreSQL and Redis for the whole run, before settings are read.

One server of each, started by the process that was called; xdist's workers inherit its environment,
and each takes a database (pytest-django's suffix), a Redis database, a key prefix and a state folder
of its own. With DATABASE_URL or REDIS_URL set, the outside service is used instead.
The guard of `infra.embedded` ends the servers even when this process is killed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from infra.embedded.postgres import Postgres
from infra.embedded.redis import Redis
from infra.embedded.state import State
from infra.embedded.supervisor import Supervisor

_WORKER = "PYTEST_XDIST_WORKER"
_HOME = "CAMPUS_TEST_HOME"
_running: list[tuple[Supervisor, State, Path]] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start what is missing. A wrapper, because pytest-django reads the settings in this same hook."""
    only_asks = early_config.known_args_namespace.help or early_config.known_args_namespace.version
    if _WORKER in os.environ:
        _take_a_share(os.environ[_WORKER])
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
    os.environ[_HOME] = str(home)
    os.environ["CAMPUS_MODE"] = "test"
    # Playwright's synchronous API runs an event loop in the tests' own thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.config.settings")
    _use_state_folder("main")


def _take_a_share(worker: str) -> None:
    """Give worker `gwN` Redis database N+1, a key prefix (Redis's channels know no databases) and a folder."""
    parts = urlsplit(os.environ["REDIS_URL"])
    os.environ["REDIS_URL"] = urlunsplit(parts._replace(path=f"/{int(worker.removeprefix('gw')) + 1}"))
    os.environ["CAMPUS_KEY_PREFIX"] = f"campus-{worker}"
    _use_state_folder(worker)


def _use_state_folder(name: str) -> None:
    folder = Path(os.environ[_HOME]) / name
    folder.mkdir(mode=0o711, exist_ok=True)
    os.environ["CAMPUS_STATE"] = str(folder)


def _stop_services() -> None:
    while _running:
        supervisor, state, home = _running.pop()
        supervisor.close()
        state.close()
        shutil.rmtree(home, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End the services, after pytest-django has dropped its databases."""
    _stop_services()
