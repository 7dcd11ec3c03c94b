"""What the pool board says beside each site: which GPUs are kept for which class and when, and which are lent."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .domain.windows import windows
from .kept_loader import classes_until, hours_of, open_lendings
from .models import ClassReservation, SiteLending

AHEAD = timedelta(hours=24)


@dataclass(frozen=True)
class Held:
    """A class that meets, or will within a day, and how many of its GPUs its jobs use now."""

    row: ClassReservation
    is_now: bool
    in_use: int


@dataclass(frozen=True)
class Lent:
    """A lending with its window that is open, or the next one."""

    row: SiteLending
    opens_at: datetime
    closes_at: datetime
    is_now: bool
    is_round_the_clock: bool


@dataclass
class Kept:
    classes: list[Held] = field(default_factory=list)
    lendings: list[Lent] = field(default_factory=list)


def kept_by_site(now: datetime, running: Iterable[int | None]) -> dict[int, Kept]:
    """By site what is kept and lent now or soon. `running` are the reservations of the GPUs in use. Two queries."""
    in_use = Counter(running)
    found: dict[int, Kept] = defaultdict(Kept)
    for row in classes_until(now, now + AHEAD):
        found[row.site_id].classes.append(Held(row, row.start_at <= now, in_use[row.pk]))
    for lent in open_lendings(now):
        for opens, closes in windows(hours_of(lent), now, AHEAD)[:1]:
            around = lent.opens_at == lent.closes_at
            found[lent.site_id].lendings.append(Lent(lent, opens, closes, opens <= now, around))
    return found
