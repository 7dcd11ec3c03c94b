"""Many threads at once, each on a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import DatabaseError, connection

from campus.core.errors import CampusError

PATIENCE_S = 60


def rush(*acts: Callable[[], Any]) -> list[Any]:
    """Call all of `acts` at the same moment; each answer, or the expected error that it raised."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            with connection.cursor() as cursor:  # connected before the gate, so that all really begin together
                cursor.execute("SELECT 1")
            gate.wait(timeout=PATIENCE_S)
            return act()
        except (CampusError, DatabaseError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def errors_of(answers: Sequence[Any]) -> list[Exception]:
    return [answer for answer in answers if isinstance(answer, Exception)]
