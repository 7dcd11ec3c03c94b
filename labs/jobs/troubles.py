"""What the platform cost somebody's runs: attempts that it lost, and long waits. Read by whoever gives more time."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db.models import Prefetch

from .models import Attempt, Job


@dataclass(frozen=True, slots=True)
class Trouble:
    """A run that was lost, or that waited. Times are aware; `until_at` is None while it is not over.

    A loss (`attempt` set) lasts from the start of the lost attempt until the next one began, or the job was given up.
    Of a wait `held_back_s` seconds were its owner's or its account's doing (a cap, a dependency), none of the pool's.
    """

    job_id: int
    attempt: int | None
    node: str
    from_at: datetime
    until_at: datetime | None
    held_back_s: int = 0

    @property
    def is_loss(self) -> bool:
        return self.attempt is not None

    @property
    def key(self) -> str:
        """The same for the same trouble, whenever it is asked for."""
        return f"{self.job_id}:{self.attempt or 'wait'}"


def troubles_of(job_ids: Collection[int], *, since: datetime) -> list[Trouble]:
    """Return waits, however short, and losses that reach beyond `since`, in the order of their jobs.

    A wait is the one before the first attempt: who lets others interrupt a run queues again by choice. Two queries.
    """
    attempts = Attempt.objects.select_related("node").order_by("number")
    rows = Job.objects.filter(pk__in=job_ids).order_by("pk").prefetch_related(Prefetch("attempts", attempts))
    fields = ("submitted_at", "ended_at", "end_reason", "state", "held_back_s", "held_back_from")
    found = [one for job in rows.only(*fields) for one in (*_waits(job), *_losses(job))]
    return [one for one in found if one.until_at is None or one.until_at > since]


def _waits(job: Job) -> Iterator[Trouble]:
    first = next(iter(job.attempts.all()), None)
    until_at = first.assigned_at if first else job.ended_at
    held_back_s = job.held_back_s
    if first is None and job.held_back_from is not None:
        if until_at is None:
            return  # its owner's cap holds it back now; what it waited for the pool is told once that is over
        held_back_s += int((until_at - job.held_back_from).total_seconds())
    yield Trouble(job.pk, None, "", job.submitted_at, until_at, held_back_s)


def _losses(job: Job) -> Iterable[Trouble]:
    tries: list[Attempt | None] = [*job.attempts.all(), None]
    for one, after in pairwise(tries):
        if one is None:
            continue
        is_unbuilt = after is None and job.end_reason == Job.EndReason.ENVIRONMENT
        if one.outcome == Attempt.Outcome.LOST or is_unbuilt:
            until_at = after.assigned_at if after else job.ended_at
            yield Trouble(job.pk, one.number, one.node.name, one.started_at or one.assigned_at, until_at)
