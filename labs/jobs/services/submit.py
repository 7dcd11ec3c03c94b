"""Submitting, rerunning and cancelling jobs."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from campus.core.errors import Conflict, InvalidInput, NotFound
from labs.jobs.domain.dependencies import After
from labs.jobs.domain.results import is_storable
from labs.jobs.domain.shares import WHOLE_GPU
from labs.jobs.domain.source import digest_of, from_json
from labs.jobs.domain.sweeps import Value
from labs.jobs.models import Job, JobEvent, SourceBundle
from labs.jobs.nudges import nudge_scheduler
from labs.jobs.signals import job_rerun
from labs.quota import api as quota

from .bundles import store_bundle
from .dependencies import add_dependencies, lock_after
from .events import add_event
from .validation import Granted, Wish, check

KEY_CONSTRAINT = "job_idempotency_key_once"

Place = tuple[int, int]
"""A sweep's id and a place in it, from 1."""


def submit(
    *,
    owner: Any,
    account_id: int | None,
    title: str,
    environment_id: int | None,
    files: Mapping[str, bytes],
    entrypoint: str,
    gpus: int,
    gpu_type: str,
    wall_s: int,
    data_set_ids: Sequence[int] = (),
    preferred_campus_id: int | None = None,
    deadline_at: datetime | None = None,
    work_key: str = "",
    idempotency_key: str | None = None,
    rerun_of: Job | None = None,
    work_url: str = "",
    is_preemptible: bool = False,
    purpose: str = Job.Purpose.OWN,
    gpu_milli: int = WHOLE_GPU,
    gpu_memory_mib: int | None = None,
    after: Sequence[After] = (),
    parameters: Mapping[str, Value] | None = None,
    place: Place | None = None,
    wrong: InvalidInput | None = None,
) -> tuple[Job, bool]:
    """Queue a job and hold gpus * wall_s GPU-seconds at today's rate for it. Returns the job and whether it is new.

    With `gpu_milli` below 1000 it gets that many thousandths of one GPU and holds that part of its seconds.
    `gpu_memory_mib` is the least memory of each GPU, or of the share; None is any, and for a share its part.
    One that `is_preemptible` may be asked to save its work and make room; a class's work and grading (`purpose`) never.
    Grading may be put on an account of nobody's, a cohort's: whoever calls with that purpose vouches for it.
    It starts no sooner than the jobs in `after` have ended, and reads `parameters` in params.json. The same
    idempotency key with the same request gives the first job again. Raises InvalidInput (fields named), Conflict
    (idempotency_key_reused, too_many_open_jobs) and OverQuota. What the caller found `wrong` already is raised together
    with whatever else is.
    """
    wish = Wish(
        account_id=account_id,
        title=title.strip(),
        environment_id=environment_id,
        files=files,
        entrypoint=entrypoint,
        gpus=gpus,
        gpu_type=gpu_type.strip(),
        wall_s=wall_s,
        data_set_ids=data_set_ids,
        preferred_campus_id=preferred_campus_id,
        deadline_at=deadline_at,
        work_key=work_key,
        idempotency_key=idempotency_key,
        is_preemptible=is_preemptible,
        purpose=purpose,
        gpu_milli=gpu_milli,
        gpu_memory_mib=gpu_memory_mib,
        after=tuple(after),
        parameters=dict(parameters or {}),
    )
    if wrong is not None:  # nothing that it might be the same as: what was asked for is not known
        check(wish, owner, wrong)
    digest = request_digest(wish)
    if idempotency_key and is_storable(idempotency_key) and (first := _first_of(owner, idempotency_key, digest)):
        return first, False
    granted = check(wish, owner)
    try:
        with transaction.atomic():
            return _create(wish, granted, owner, digest, rerun_of, work_url, place), True
    except IntegrityError as error:
        if not is_of(error, KEY_CONSTRAINT):
            raise
    first = _first_of(owner, idempotency_key or "", digest)
    if first is None:
        raise Conflict(_("The first job with this key is just being submitted. Ask again in a moment."))
    return first, False


_NEWER: tuple[tuple[str, Any], ...] = (
    ("after", ()),
    ("parameters", {}),
    ("is_preemptible", False),
    ("purpose", Job.Purpose.OWN),
    ("gpu_milli", WHOLE_GPU),
    ("gpu_memory_mib", None),
)


def request_digest(wish: Wish) -> str:
    """SHA-256 of all that was asked for, but for the key itself."""
    asked = asdict(wish) | {"files": digest_of(wish.files), "data_set_ids": sorted(set(wish.data_set_ids))}
    del asked["idempotency_key"]
    # Left out where nothing was said, so that digests from before they came still match.
    for newer, usual in _NEWER:
        if asked[newer] == usual:
            del asked[newer]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def _first_of(owner: Any, key: str, digest: str) -> Job | None:
    first = Job.objects.filter(owner=owner, idempotency_key=key).first()
    if first is not None and first.request_digest != digest:
        raise Conflict(
            _("This idempotency key was used for another job. Use a new key for a new job."),
            code="idempotency_key_reused",
            facts={"job_id": first.pk},
        )
    return first


def is_of(error: IntegrityError, constraint: str) -> bool:
    """Say whether it is this constraint that was broken."""
    cause = error.__cause__
    return getattr(getattr(cause, "diag", None), "constraint_name", None) == constraint


def _create(
    wish: Wish, granted: Granted, owner: Any, digest: str, rerun_of: Job | None, work_url: str, place: Place | None
) -> Job:
    nudge_scheduler()  # the first thing after the commit, before those who watch are told
    lock_after(wish.after, owner)
    job = new_job(wish, granted, owner, store_bundle(granted.files))
    job.idempotency_key, job.request_digest = wish.idempotency_key, digest
    job.rerun_of, job.work_url = rerun_of, work_url
    job.sweep_id, job.sweep_index = place or (None, None)
    job.save(force_insert=True)
    add_dependencies([job], wish.after)
    if granted.data_set_ids:
        job.data_sets.set(granted.data_set_ids)
    add_event(job, JobEvent.Kind.SUBMITTED)
    quota.hold(account_id=job.account_id, job_id=job.pk, attempt=1, gpu_seconds=job.hold_s)
    # Behind the hold, whose locks end at the root account: submissions pass here one by one, so the count is exact.
    if job.purpose != Job.Purpose.GRADING:  # those of a whole cohort have one owner
        check_open_jobs(owner)
    return job


def new_job(wish: Wish, granted: Granted, owner: Any, source: SourceBundle) -> Job:
    """A job as it was wished for, not saved yet."""
    return Job(
        owner=owner,
        account=granted.account,
        title=wish.title or granted.entrypoint,
        environment_id=wish.environment_id,
        source=source,
        entrypoint=granted.entrypoint,
        gpus=wish.gpus,
        gpu_milli=wish.gpu_milli,
        gpu_memory_mib=wish.gpu_memory_mib,
        gpu_type=wish.gpu_type,
        wall_s=wish.wall_s,
        rate=granted.rate,
        preferred_campus_id=wish.preferred_campus_id,
        deadline_at=wish.deadline_at,
        work_key=wish.work_key,
        is_preemptible=wish.is_preemptible,
        purpose=wish.purpose,
        wait_reason="just_submitted",
        parameters=dict(wish.parameters),
    )


_OPEN_JOBS = "SELECT COUNT(*) FROM jobs_job WHERE (state = 'QUEUED' OR state = 'RUNNING') AND owner_id = %s"


def check_open_jobs(owner: Any) -> None:
    """Raises Conflict (too_many_open_jobs) if the owner, with the jobs just added, has more open than they may."""
    most = settings.LABS_MAX_OPEN_JOBS
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_JOBS, [owner.pk])
        (opened,) = cursor.fetchone()
    if opened > most:
        raise Conflict(
            _("%(most)s of your jobs are queued or running. Wait until some have ended, or cancel some.")
            % {"most": most},
            code="too_many_open_jobs",
            facts={"most_open_jobs": most},
        )


@transaction.atomic
def rerun(*, job_id: int, actor: Any, files: Mapping[str, bytes] | None = None) -> Job:
    """Submit the job again for its owner `actor`, as it was or with other files. Raises as `submit`, and NotFound.

    It keeps its place in a sweep, and waits for no other job: what it followed is over.
    """
    job = Job.objects.select_related("source").filter(pk=job_id, owner=actor).first()
    if job is None:
        raise NotFound
    fresh, _created = submit(
        owner=actor,
        account_id=job.account_id,
        title=job.title,
        environment_id=job.environment_id,
        files=files if files is not None else from_json(job.source.files),
        entrypoint=job.entrypoint,
        gpus=job.gpus,
        gpu_milli=job.gpu_milli,
        gpu_memory_mib=job.gpu_memory_mib,
        gpu_type=job.gpu_type,
        wall_s=job.wall_s,
        data_set_ids=list(job.data_sets.values_list("pk", flat=True)),
        preferred_campus_id=job.preferred_campus_id,
        deadline_at=job.deadline_at,
        work_key=job.work_key,
        rerun_of=job,
        work_url=job.work_url,
        is_preemptible=job.is_preemptible,
        purpose=job.purpose,
        parameters=job.parameters,
        place=(job.sweep_id, job.sweep_index) if job.sweep_id and job.sweep_index else None,
    )
    job_rerun.send(sender=Job, pairs=[(fresh, job)])
    return fresh
