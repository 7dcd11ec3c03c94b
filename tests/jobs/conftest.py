"""After every test of this folder the invariants of the ledger and the leases are checked."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.jobs import build, invariants


@pytest.fixture
def world(db: Any) -> build.World:
    return build.world()


@pytest.fixture(autouse=True)
def invariants_hold(request: pytest.FixtureRequest) -> Iterator[None]:
    uses_database = "world" in request.fixturenames
    if uses_database:
        request.getfixturevalue("world")
    yield
    if uses_database:
        assert invariants.broken() == []
