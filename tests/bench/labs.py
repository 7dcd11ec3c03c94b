"""What the topics of jobs stand on: learners with GPU time, nodes with tokens, submissions, and where they came."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count

from campus.people.models import User
from infra.pool import api as pool
from infra.pool.models import Node, Site
from labs.jobs import api as jobs
from labs.jobs.models import Job, JobEvent
from labs.quota.models import Account

from . import world

WALL_S = 60
MAIN = {"main.py": b"pass\n"}
QUOTA_S = 1_000_000
STEPS = (
    ("submit to assigned", JobEvent.Kind.SUBMITTED, JobEvent.Kind.ASSIGNED),
    ("assigned to claimed", JobEvent.Kind.ASSIGNED, JobEvent.Kind.CLAIMED),
    ("claimed to started", JobEvent.Kind.CLAIMED, JobEvent.Kind.STARTED),
    ("started to settled", JobEvent.Kind.STARTED, JobEvent.Kind.ENDED),
)


@dataclass(frozen=True)
class Place:
    """A learner and the account to submit on."""

    user: User
    account: Account


@dataclass(frozen=True)
class Registered:
    """A node and the token that it proves itself by."""

    node: Node
    token: str


@transaction.atomic
def open_labs(learners: int) -> list[Place]:
    """A campus with one cohort of so many learners, each with plenty of GPU time."""
    home = world.open_campuses(allocated_s=10 * QUOTA_S * learners)[0]
    cohort = world.open_cohort(world.open_course_run(), home, "1기", seats=learners, learner_quota_s=QUOTA_S)
    enrolments = world.enrol(cohort, world.people(learners, "learner"))
    return [Place(row.user, row.account) for row in enrolments]


@transaction.atomic
def register(count: int, *, prefix: str) -> list[Registered]:
    """So many nodes at both campuses, known by token, not yet heard of."""
    (operator,) = world.people(1, prefix)
    sites = list(Site.objects.order_by("pk"))
    return [
        Registered(*pool.register_node(site_id=sites[n % len(sites)].pk, name=f"{prefix}-{n:02}", actor=operator))
        for n in range(count)
    ]


def hello_of(gpus: int) -> dict[str, Any]:
    """What an agent of a node with so many GPUs says when it starts."""
    return {
        "boot_id": "bench",
        "agent_version": "bench",
        "cpu_count": 96,
        "memory_mib": 1_048_576,
        "confinement": "FULL",
        "gpus": [
            {"index": n, "uuid": f"GPU-{n}", "kind": "NVIDIA", "gpu_type": "nvidia-h100", "memory_mib": 81_920,
             "watts": 700}
            for n in range(gpus)
        ],
    }  # fmt: skip


def submit(place: Place) -> Job:
    """An empty job of one GPU, through the service."""
    job, _created = jobs.submit(
        owner=place.user, account_id=place.account.pk, title="empty", environment_id=None, files=MAIN,
        entrypoint="main.py", gpus=1, gpu_type="", wall_s=WALL_S,
    )  # fmt: skip
    return job


def submit_timed(place: Place) -> float:
    """Submit, and say how long it took in ms."""
    begun = time.perf_counter()
    submit(place)
    return (time.perf_counter() - begun) * 1e3


def spread(places: Sequence[Place], number: int) -> list[Place]:
    """So many submissions, dealt out evenly."""
    return [places[n % len(places)] for n in range(number)]


def moments(job_ids: Iterable[int]) -> dict[int, dict[str, float]]:
    """When each job's events were, by kind, in seconds since 1970 by the database's clock."""
    found: dict[int, dict[str, float]] = {}
    for job_id, kind, at in JobEvent.objects.filter(job_id__in=job_ids).values_list("job_id", "kind", "at"):
        found.setdefault(job_id, {})[kind] = at.timestamp()
    return found


def ended_count() -> int:
    """How many jobs are over. One query."""
    return Job.objects.exclude(state__in=Job.OPEN_STATES).count()


def states() -> str:
    """How many jobs ended which way, in words."""
    counted = Job.objects.order_by().values_list("state", "end_reason").annotate(n=Count("id"))
    return ", ".join(f"{n} × {state} {reason}".strip() for state, reason, n in counted)
