"""The world of the job tests, and the same invariants after each test that uses it."""

from tests.jobs.conftest import invariants_hold, world

__all__ = ["invariants_hold", "world"]
