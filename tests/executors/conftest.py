"""One executor for all these tests, as a node has one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from infra.executors.local.executor import LocalExecutor
from tests.executors.support import Played, play, processes_of

# User ids of this test process alone, so that what is left under them was left by it.
SLOT_COUNT = 16
FIRST_UID = 63_000 + SLOT_COUNT * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExecutor]:
    """The executor under test, which must contain code fully here, or there is nothing to attack."""
    made = LocalExecutor(tmp_path_factory.mktemp("executor"), first_uid=FIRST_UID, slot_count=SLOT_COUNT)
    found = made.confinement()
    if found.level != "full":
        pytest.skip(f"this machine cannot contain code: {'; '.join(found.missing)}")
    yield made
    made.close()


@pytest.fixture
def program(executor: LocalExecutor) -> Callable[..., Played]:
    """Runs a Python script in the sandbox: `program(source, **RunSpec fields)`."""
    return lambda source, **changes: play(executor, source, **changes)


@pytest.fixture
def leftovers() -> Callable[[], list[str]]:
    """Names the processes that live under the user ids of these tests' slots."""
    return lambda: processes_of(range(FIRST_UID, FIRST_UID + SLOT_COUNT))
