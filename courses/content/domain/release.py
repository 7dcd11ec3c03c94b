"""When a module opens for a learner: at a time, and once other modules are finished; no ring of needs may arise."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class ReleaseRule:
    """What opens one module. `needs` are ids of modules that come first."""

    module_id: int
    title: str = ""
    opens_at: datetime | None = None
    needs: tuple[int, ...] = ()
    is_published: bool = True

    @property
    def is_free(self) -> bool:
        return self.opens_at is None and not self.needs


@dataclass(frozen=True)
class Finished:
    """How many of a module's published parts one learner has finished."""

    done: int = 0
    total: int = 0

    @property
    def is_all(self) -> bool:
        return self.done >= self.total


class Reason(StrEnum):
    OPENS_LATER = "OPENS_LATER"
    NEEDS_ANOTHER = "NEEDS_ANOTHER"


@dataclass(frozen=True)
class Lock:
    """One reason why a module is closed, with what opens it: a time, or what is left of another module."""

    reason: Reason
    opens_at: datetime | None = None
    module_id: int | None = None
    title: str = ""
    left: int = 0


NOTHING = Finished()


def locks(rules: Iterable[ReleaseRule], finished: Mapping[int, Finished], now: datetime) -> dict[int, tuple[Lock, ...]]:
    """Return the closed modules of a run by id, each with every reason, the time first.

    `finished` says how far one learner is, by module id. A module that they have begun does not close again because
    another one grew; before its time it is closed to all. A needed module that is hidden holds nobody up: they
    could never finish it. One that is empty counts as finished.
    """
    known = {rule.module_id: rule for rule in rules}
    found = {}
    for rule in known.values():
        reasons = []
        if rule.opens_at is not None and now < rule.opens_at:
            reasons.append(Lock(Reason.OPENS_LATER, opens_at=rule.opens_at))
        if not finished.get(rule.module_id, NOTHING).done:
            reasons += [lock for pk in rule.needs if (lock := _needs(known.get(pk), finished))]
        if reasons:
            found[rule.module_id] = tuple(reasons)
    return found


def _needs(other: ReleaseRule | None, finished: Mapping[int, Finished]) -> Lock | None:
    if other is None or not other.is_published:
        return None
    far = finished.get(other.module_id, NOTHING)
    if far.is_all:
        return None
    return Lock(Reason.NEEDS_ANOTHER, module_id=other.module_id, title=other.title, left=far.total - far.done)


def ring(needs: Mapping[int, Collection[int]]) -> tuple[int, ...]:
    """Return modules that wait for each other in a ring, each needing the next and the last the first; or nothing."""
    done: set[int] = set()
    for start in needs:
        path: list[int] = []
        stack = [(start, iter(sorted(needs.get(start, ()))))] if start not in done else []
        if stack:
            path.append(start)
        while stack:
            one, others = stack[-1]
            following = next(others, None)
            if following is None:
                done.add(one)
                stack.pop()
                path.pop()
            elif following in path:
                return tuple(path[path.index(following) :])
            elif following not in done:
                stack.append((following, iter(sorted(needs.get(following, ())))))
                path.append(following)
    return ()
