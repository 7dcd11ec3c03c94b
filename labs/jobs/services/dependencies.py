"""What a new job waits for: checked, locked and written with it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput
from labs.jobs.domain.dependencies import After, Verdict, judge
from labs.jobs.models import Dependency, Job


def broken_by(after: Sequence[After], owner: Any) -> str:
    """Say why a job of `owner` cannot follow these; empty where it can. One query."""
    states = dict(Job.objects.filter(pk__in=_ids(after), owner=owner).values_list("pk", "state"))
    return _broken(after, states)


def lock_after(after: Sequence[After], owner: Any) -> None:
    """Lock the jobs that a new one is to follow, so that none ends between this look and the new job's commit.

    They come before all accounts in the lock order, lowest first. Raises InvalidInput (after).
    """
    if not after:
        return
    rows = Job.objects.filter(pk__in=_ids(after), owner=owner).order_by("pk")
    states = dict(rows.select_for_update(no_key=True, of=("self",)).values_list("pk", "state"))
    if words := _broken(after, states):
        raise InvalidInput({"after": words})


def add_dependencies(jobs: Iterable[Job], after: Sequence[After]) -> None:
    """Write that each of these new jobs waits for each of those. One query."""
    rows = [Dependency(job=job, after_id=one.job_id, condition=one.condition) for job in jobs for one in after]
    if rows:
        Dependency.objects.bulk_create(rows)


def _ids(after: Sequence[After]) -> list[int]:
    return [one.job_id for one in after if 0 < one.job_id < 2**63]


def _broken(after: Sequence[After], states: dict[int, str]) -> str:
    for one in after:
        state = states.get(one.job_id)
        if state is None:
            return _("There is no job #%(id)s of yours to wait for.") % {"id": one.job_id}
        if judge(one.condition, state) is Verdict.BROKEN:
            words = _("#%(id)s is over and did not succeed. Choose another job, or wait for it however it ends.")
            return words % {"id": one.job_id}
    return ""
