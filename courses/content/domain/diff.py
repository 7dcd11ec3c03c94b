"""What changed between two texts: lines, and in a changed line the words. Long stretches that are the same fold."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

CONTEXT = 2  # lines kept beside a change
LONG = 4_000  # lines or words, beyond which exactness would cost seconds
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class Kind(StrEnum):
    SAME = "same"
    GONE = "gone"
    NEW = "new"
    FOLD = "fold"


@dataclass(frozen=True)
class Line:
    """A line of the comparison. `parts` are (text, whether it differs); a FOLD says how many lines it hides."""

    kind: Kind
    parts: tuple[tuple[str, bool], ...] = ()
    folded: int = 0


def compare(before: str, after: str) -> list[Line]:
    """Return the lines of both texts in reading order: what is gone stands before what is new in its place."""
    old, new = before.splitlines(), after.splitlines()
    steps = SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > LONG).get_opcodes()
    found: list[Line] = []
    for index, (step, a, b, c, d) in enumerate(steps):
        if step == "equal":
            found += _folded(old[a:b], is_first=index == 0, is_last=index == len(steps) - 1)
        else:
            found += _changed(old[a:b], new[c:d])
    return found


def _folded(lines: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[Line]:
    head, tail = (0 if is_first else CONTEXT), (0 if is_last else CONTEXT)
    hidden = len(lines) - head - tail
    if hidden < 2:
        head, hidden = len(lines), 0
    yield from (Line(Kind.SAME, ((text, False),)) for text in lines[:head])
    if hidden:
        yield Line(Kind.FOLD, folded=hidden)
        yield from (Line(Kind.SAME, ((text, False),)) for text in lines[head + hidden :])


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Lines that stand for each other are compared by words where they are alike."""
    pairs = list(zip(old, new, strict=False))
    marked = [_words(before, after) for before, after in pairs]
    gone = [parts for parts, _others in marked] + [((text, True),) for text in old[len(pairs) :]]
    come = [parts for _others, parts in marked] + [((text, True),) for text in new[len(pairs) :]]
    yield from (Line(Kind.GONE, parts) for parts in gone)
    yield from (Line(Kind.NEW, parts) for parts in come)


Parts = tuple[tuple[str, bool], ...]


def _words(before: str, after: str) -> tuple[Parts, Parts]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if len(old) + len(new) > LONG or matcher.quick_ratio() < 0.4:
        return ((before, True),), ((after, True),)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for step, a, b, c, d in matcher.get_opcodes():
        is_other = step != "equal"
        if b > a:
            left.append(("".join(old[a:b]), is_other))
        if d > c:
            right.append(("".join(new[c:d]), is_other))
    return tuple(left), tuple(right)
