"""Accounts with some use: the tree of tests/quota, and jobs run on it."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from campus.people.models import User
from labs.jobs.models import Job, SourceBundle
from labs.quota import api
from labs.quota.models import Account
from tests.quota.conftest import Tree, plant

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
def tree(db: None) -> Tree:
    return plant()


def ran(account: Account, owner: User, charged_s: int, day: date, *, refunded_s: int = 0, title: str = "train") -> Job:
    """A job that ended at noon of that day in Seoul and was charged `charged_s` GPU-seconds."""
    source, _created = SourceBundle.objects.get_or_create(digest="0" * 64, defaults={"files": {}, "size_bytes": 0})
    at = datetime.combine(day, time(12), SEOUL)
    job = Job.objects.create(
        owner=owner, account=account, title=title, source=source, gpus=1, wall_s=charged_s + 60,
        state=Job.State.SUCCEEDED, ended_at=at, charged_s=charged_s - refunded_s,
    )  # fmt: skip
    leaf = {"account_id": account.pk, "job_id": job.pk, "attempt": 1}
    api.hold(**leaf, gpu_seconds=job.hold_s, at=at)
    api.settle(**leaf, held_s=job.hold_s, charged_s=charged_s, reason="EXITED", at=at)
    if refunded_s:
        api.refund(**leaf, gpu_seconds=refunded_s, reason="node lost", at=at)
    return job
