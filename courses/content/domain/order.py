"""Where one thing goes among its neighbours."""

from collections.abc import Sequence

UP, DOWN, END = "up", "down", "end"


class NoSuchPlace(ValueError):
    """The neighbour that was named is not there."""


def moved(ids: Sequence[int], one: int, to: str) -> list[int]:
    """Return `ids` with `one` moved `to` "up", "down", "end", or before the neighbour whose id it is.

    At an edge it stays where it is. Raises NoSuchPlace.
    """
    others = [pk for pk in ids if pk != one]
    here = list(ids).index(one)
    if to in (UP, DOWN):
        place = min(max(here + (1 if to == DOWN else -1), 0), len(others))
    elif to == END:
        place = len(others)
    elif to == str(one):
        place = here
    else:
        place = next((index for index, pk in enumerate(others) if str(pk) == to), -1)
    if place < 0:
        raise NoSuchPlace(to)
    return [*others[:place], one, *others[place:]]
