"""Many clients at once: threads that start together, each with a connection of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def all_at_once(
    items: Sequence[Item], work: Callable[[Item], Result], *, threads: int, done: Callable[[], None] | None = None
) -> tuple[list[Result], float]:
    """Do `work` for every item with so many threads, none of which begins before all are there.

    Returns the results and the seconds from that moment to the last end. `done` is called in each thread at its end.
    Raises the first error of a worker.
    """
    waiting: SimpleQueue[Item] = SimpleQueue()
    for item in items:
        waiting.put(item)
    gate = threading.Barrier(threads + 1)

    def labour() -> list[Result]:
        gate.wait()
        results = []
        try:
            while True:
                try:
                    item = waiting.get_nowait()
                except Empty:
                    return results
                results.append(work(item))
        finally:
            if done is not None:
                done()

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(labour) for _ in range(threads)]
        gate.wait()
        begun = time.perf_counter()
        results = [result for future in futures for result in future.result()]
        return results, time.perf_counter() - begun
