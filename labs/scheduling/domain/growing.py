"""Arrays that grow at their end: a step adds one job to some thirty columns of as many entries as jobs wait."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Room for so many more, and for an eighth of what there is.
LEAST_ROOM = 64


class Growing:
    """Columns by name. Each is a view of a longer array, so that most entries are added without a copy."""

    def __init__(self) -> None:
        self._whole: dict[str, NDArray[Any]] = {}

    def append(self, name: str, column: NDArray[Any], value: Any) -> NDArray[Any]:
        """The column with one entry more; what was there before must not be added to again."""
        size, whole = len(column), self._whole.get(name)
        if whole is None or column.base is not whole or size == len(whole):
            whole = self._whole[name] = np.empty(size + size // 8 + LEAST_ROOM, dtype=column.dtype)
            whole[:size] = column
        whole[size] = value
        return whole[: size + 1]
