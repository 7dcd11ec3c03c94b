"""What a preempted attempt saved, kept for the next attempt of its job until the job is over."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from campus.core.errors import NotFound
from infra.executors.contract import CHECKPOINT
from labs.jobs.models import Artifact, Attempt

from .artifacts import delete_files
from .fences import require_open

INSIDE = f"{CHECKPOINT}/"


def keep_checkpoint(attempt: Attempt, named: Sequence[Mapping[str, Any]]) -> bool:
    """Keep the staged files that the node names, if all of them are here and are of the checkpoint; older ones go.

    Call it inside the transaction that ends the attempt. False: nothing is kept, and an older checkpoint stays.
    """
    wanted = {str(entry["path"]): str(entry["digest"]) for entry in named}
    staged = dict(Artifact.objects.filter(attempt=attempt).values_list("path", "digest"))
    is_whole = all(path.startswith(INSIDE) and staged.get(path) == digest for path, digest in wanted.items())
    if not wanted or not is_whole:
        return False
    drop_checkpoints(attempt.job_id)
    Artifact.objects.filter(attempt=attempt, path__in=wanted).update(is_checkpoint=True)
    return True


def drop_checkpoints(job_id: int) -> None:
    """Forget what was saved for the job; the files go once the transaction is committed."""
    saved = Artifact.objects.filter(attempt__job_id=job_id, is_checkpoint=True)
    names = list(saved.values_list("file", flat=True))
    if names:
        saved.delete()
        transaction.on_commit(lambda: delete_files(names), robust=True)


def checkpoints_of(attempts: Iterable[Attempt]) -> dict[int, list[Artifact]]:
    """What was saved, by the id of the job. No query unless one of them was preempted before."""
    jobs = [attempt.job_id for attempt in attempts if attempt.job.preempted_count]
    found: dict[int, list[Artifact]] = {}
    if jobs:
        for saved in Artifact.objects.filter(attempt__job__in=jobs, is_checkpoint=True).select_related("attempt"):
            found.setdefault(saved.attempt.job_id, []).append(saved)
    return found


def checkpoint_file(*, attempt: Attempt, fence: int, path: str) -> Artifact:
    """The saved file of that path, for an open attempt of its job. Raises StaleFence, NotFound."""
    require_open(attempt, fence)
    found = Artifact.objects.filter(attempt__job_id=attempt.job_id, is_checkpoint=True, path=path[:400]).first()
    if found is None:
        raise NotFound
    return found
