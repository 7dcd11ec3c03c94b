"""What the tests of jobs stand on: a cohort with a learner, nodes, and short words for what an agent sends."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.db import transaction

from campus.people.models import User
from campus.places.models import Campus
from infra.pool import api as pool
from infra.pool.models import Node, Site
from labs.jobs import api as jobs
from labs.jobs.domain.endings import Report
from labs.jobs.models import Attempt, Job
from labs.quota.models import Account
from tests import factories

_serial = count(1)
MAIN = {"main.py": b"print('hello')\n"}


@dataclass
class World:
    """One cohort at one campus. Others are added by the tests that need them."""

    campus: Campus
    cohort_account: Account
    learner: User
    account: Account
    tokens: dict[str, str] = field(default_factory=dict)

    def another_learner(self, allocated_s: int = 20 * factories.HOUR) -> tuple[User, Account]:
        with transaction.atomic():
            user = factories.UserFactory()
            return user, factories.learner_account(self.cohort_account, user, allocated_s)

    def node(
        self, *, gpus: int = 2, gpu_type: str = "nvidia-h100", name: str = "", boot_id: str = "boot-1", **said: Any
    ) -> Node:
        """A node that has said hello, with what else it `said`, and is up."""
        name = name or f"node-{next(_serial)}"
        site, _ = Site.objects.get_or_create(
            slug=self.campus.slug, defaults={"name_ko": self.campus.name_ko, "campus": self.campus}
        )
        admin = User.objects.filter(email="operator@campus.test").first() or factories.UserFactory(
            email="operator@campus.test"
        )
        node, self.tokens[name] = pool.register_node(site_id=site.pk, name=name, actor=admin)
        return jobs.hello(node=node, said=hello_of(gpus=gpus, gpu_type=gpu_type, boot_id=boot_id, **said))

    def submit(self, **wishes: Any) -> Job:
        return self.try_submit(**wishes)[0]

    def try_submit(self, **wishes: Any) -> tuple[Job, bool]:
        asked: dict[str, Any] = {
            "owner": self.learner,
            "account_id": self.account.pk,
            "title": "Digits",
            "environment_id": None,
            "files": MAIN,
            "entrypoint": "main.py",
            "gpus": 1,
            "gpu_type": "",
            "wall_s": 600,
        }
        return jobs.submit(**(asked | wishes))


def world() -> World:
    """A fresh world in an empty database."""
    with transaction.atomic():
        home = factories.campus()
        platform = factories.platform_account()
        at_campus = factories.account("CAMPUS", platform, home.scope, 500 * factories.HOUR)
        scope = factories.cohort_scope(home)
        cohort = factories.account("COHORT", at_campus, scope, 400 * factories.HOUR)
        learner = factories.UserFactory()
        account = factories.learner_account(cohort, learner)
    return World(campus=home, cohort_account=cohort, learner=learner, account=account)


def hello_of(*, gpus: int = 2, gpu_type: str = "nvidia-h100", boot_id: str = "boot-1", **said: Any) -> pool.Hello:
    """What a node with that many GPUs says when it starts."""
    described = [
        pool.GpuReport(index=n, uuid=f"GPU-{n}", kind="NVIDIA", gpu_type=gpu_type, memory_mib=81_920, watts=700)
        for n in range(gpus)
    ]
    facts: dict[str, Any] = {
        "boot_id": boot_id,
        "agent_version": "1",
        "cpu_count": 16,
        "memory_mib": 65_536,
        "confinement": "FULL",
        "confinement_detail": "",
        "gpus": described,
    }
    return pool.Hello(**(facts | said))


def assign(job: Job, node: Node, *, gpus: int | None = None) -> Attempt | None:
    """Give the job free GPUs of the node, as a cycle does, or its share of the first."""
    chosen = node.gpus.all() if job.is_share else node.gpus.filter(leases=None)
    ids = list(chosen.values_list("pk", flat=True)[: gpus or job.gpus])
    memory_mib = (job.gpu_memory_mib or 0) if job.is_share else 0
    return jobs.start_attempt(
        job_id=job.pk, node_id=node.pk, gpu_ids=ids, gpu_milli=job.gpu_milli, gpu_memory_mib=memory_mib
    )


def claimed(job: Job, node: Node) -> Attempt:
    """The job's attempt, assigned to the node and claimed by it."""
    assign(job, node)
    return next(a for a in jobs.claim(node=node, boot_id=node.boot_id) if a.job_id == job.pk)


def running(job: Job, node: Node) -> Attempt:
    """The job's attempt, started on the node."""
    attempt = claimed(job, node)
    jobs.started(attempt=attempt, fence=attempt.fence)
    return attempt


def ended(reason: str = "EXITED", exit_code: int | None = 0, run_s: float = 12.3, **said: Any) -> jobs.Ended:
    """A node's report."""
    return jobs.Ended(reason=Report(reason), exit_code=exit_code, run_s=run_s, **said)


def settle(attempt: Attempt, **said: Any) -> str:
    return jobs.settle(attempt=attempt, fence=attempt.fence, ended=ended(**said))


def entries(job: Job) -> list[tuple[int, str, int]]:
    """The job's ledger lines as (attempt, kind, GPU-seconds), in order."""
    from labs.quota.models import LedgerEntry

    lines = LedgerEntry.objects.filter(job_id=job.pk).order_by("id")
    return list(lines.values_list("attempt", "kind", "gpu_seconds"))


def expire(attempt: Attempt) -> None:
    """Let the attempt's lease have run out a second ago."""
    from datetime import timedelta

    from django.db.models.functions import Now

    Attempt.objects.filter(pk=attempt.pk).update(lease_expires_at=Now() - timedelta(seconds=1))
