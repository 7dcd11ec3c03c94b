"""One campus for all these tests, as whole before each of them as a supervisor would have made it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from . import proof
from .scene import Scene, looking_at
from .stand import AGENTS, APPLICATION, Campus


@pytest.fixture(scope="package")
def chaos(django_db_blocker: Any) -> Iterator[Scene]:
    campus = Campus()
    try:
        campus.begin()
        with django_db_blocker.unblock(), looking_at(campus):
            scene = Scene(campus)
        campus.start(*APPLICATION, *AGENTS)
        yield scene
    finally:
        campus.close()


@pytest.fixture
def scene(chaos: Scene, django_db_blocker: Any) -> Iterator[Scene]:
    """The campus, whole; proved whole again afterwards, with every job ended and paid for once."""
    with django_db_blocker.unblock(), looking_at(chaos.campus):
        chaos.campus.launch_whatever_is_down()
        chaos.until_nodes_are_up()
        try:
            yield chaos
            chaos.campus.launch_whatever_is_down()
            proof.all_is_well(chaos)
        except BaseException:
            sys.stdout.write(chaos.campus.logs())
            raise
