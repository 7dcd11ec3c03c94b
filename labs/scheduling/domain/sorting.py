"""Orders by several keys at once, from sorts of one plain array each.

NumPy sorts one array of numbers several times faster than ``lexsort`` sorts by two or three, so the keys are put
together into one number first. Such a number is different for each entry, so that no sort needs to be stable.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def ranks(values: Floats) -> Ints:
    """For each value how many different ones are smaller."""
    order = np.argsort(values)
    ordered = values[order]
    found = np.zeros(len(values), dtype=np.int64)
    found[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1])
    return found


def by_whole_numbers(*keys: Ints) -> Ints:
    """The order by these keys, the first one first. None is negative, and no two entries have all the same.

    The product of how many values each key may have must stay below 2 ** 63, which a million jobs of a million
    accounts do.
    """
    whole = keys[0]
    for key in keys[1:]:
        whole = whole * (int(key.max(initial=0)) + 1) + key
    return np.argsort(whole)
