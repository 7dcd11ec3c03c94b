"""Dividing learners into groups at random, with campuses mixed or kept apart; and reading groups from a table."""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campus.core.tables import BadTable, read_table

MOST_ROWS = 5_000
MOST_BYTES = 512 * 1024


def divide(campus_of: Mapping[int, int], size: int, *, is_mixed: bool, seed: str) -> list[list[int]]:
    """Divide learners (id to campus) into groups of at most `size`, whose sizes differ by one at most.

    Mixed, each group has of each campus as many as any other, give or take one; else each group is of one campus.
    The same seed gives the same groups. Raises ValueError for a size below 1.
    """
    if size < 1:
        raise ValueError(size)
    rng = random.Random(seed)  # noqa: S311  (no secret: a draw that can be repeated)
    by_campus: dict[int, list[int]] = defaultdict(list)
    for learner in sorted(campus_of):
        by_campus[campus_of[learner]].append(learner)
    for learners in by_campus.values():
        rng.shuffle(learners)
    if is_mixed:
        return _deal([one for campus in sorted(by_campus) for one in by_campus[campus]], size)
    return [group for campus in sorted(by_campus) for group in _deal(by_campus[campus], size)]


def _deal(learners: Sequence[int], size: int) -> list[list[int]]:
    groups: list[list[int]] = [[] for _ in range(math.ceil(len(learners) / size))]
    for number, learner in enumerate(learners):
        groups[number % len(groups)].append(learner)
    return groups


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line (from 1, with the heading) that cannot be taken, with a code that the page says in words."""

    line: int
    code: str
    text: str = ""


def read_rows(raw: bytes, known: Mapping[str, int]) -> tuple[dict[int, str], list[BadRow]]:
    """Read a table of e-mails and group names; `known` maps e-mails in lower case to learners.

    A heading is passed over. Returns learner to group name, and every line that is wrong: columns, unknown, doubled,
    name; or what is wrong with the table as a whole, as `BadTable` says it.
    """
    chosen: dict[int, str] = {}
    wrong: list[BadRow] = []
    try:
        table = read_table(raw, max_bytes=MOST_BYTES, max_records=MOST_ROWS, is_known=lambda cell: "@" in cell)
    except BadTable as bad:
        return chosen, [BadRow(bad.line or 1, bad.code)]
    for record in table if "@" in table[0].cells[0] else table[1:]:
        line, cells = record.line, record.cells
        if len(cells) < 2:
            wrong.append(BadRow(line, "columns"))
            continue
        learner, name = known.get(cells[0].lower()), cells[1]
        if learner is None:
            wrong.append(BadRow(line, "unknown", cells[0]))
        elif learner in chosen:
            wrong.append(BadRow(line, "doubled", cells[0]))
        elif not 0 < len(name) <= 80:
            wrong.append(BadRow(line, "name", name[:80]))
        else:
            chosen[learner] = name
    return chosen, wrong
