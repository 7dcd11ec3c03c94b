"""The part of the queue that a walk has yet to look through, as columns in the order of the walk."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from labs.scheduling.domain.backlog import Backlog, Bools, Floats, Ints


class Queued(NamedTuple):
    """Jobs (indices into the backlog), their places in the walk, and what is asked of each again and again: fetched
    once, since the order of the walk is none that memory likes."""

    jobs: Ints
    places: Ints
    classes: Ints
    leaves: Ints
    units: Floats

    @classmethod
    def of(cls, backlog: Backlog, order: Ints, first: int) -> Self:
        """The jobs of the order from the place ``first`` on."""
        jobs = order[first:]
        places = np.arange(first, len(order))
        return cls(jobs, places, backlog.class_of[jobs], backlog.leaves[jobs], backlog.units[jobs])

    def chosen(self, which: Bools | Ints | slice) -> Self:
        """Some of them."""
        jobs, places, classes, leaves, units = self
        return type(self)(jobs[which], places[which], classes[which], leaves[which], units[which])


def among(chosen: Ints, numbers: Ints) -> Bools:
    """For each of these small numbers whether it is one of those chosen."""
    is_chosen = np.zeros(max(int(chosen.max(initial=0)), int(numbers.max(initial=0))) + 1, dtype=np.bool_)
    is_chosen[chosen] = True
    return is_chosen[numbers]
