"""Sweeps: many runs of one program over parameters, submitted, cancelled and run again together."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campus.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from labs.jobs.domain import sweeps as rules
from labs.jobs.domain.results import MAX_NAME, is_name, is_storable
from labs.jobs.domain.source import from_json
from labs.jobs.domain.sweeps import BadSweep, Point, Value
from labs.jobs.live import tell_jobs
from labs.jobs.models import Job, JobEvent, SourceBundle, Sweep
from labs.jobs.nudges import nudge_scheduler
from labs.jobs.refusals import sweep_words
from labs.jobs.signals import job_rerun
from labs.quota import api as quota

from .bundles import store_bundle
from .cancel import cancel
from .dependencies import add_dependencies, lock_after
from .submit import check_open_jobs, is_of, new_job, request_digest
from .validation import Granted, Wish, check

KEY_CONSTRAINT = "sweep_idempotency_key_once"
AGAIN = (Job.State.FAILED, Job.State.TIMED_OUT)
"""What `rerun_failed` runs again. What was cancelled was meant to end."""


@dataclass(frozen=True)
class SweepWish:
    """What a sweep adds to a job's wish: a grid, or points listed one by one, and how its runs are compared."""

    grid: Mapping[str, Sequence[Value]]
    points: Sequence[Mapping[str, Value]] = ()
    metric: str = ""
    direction: str = Sweep.Direction.HIGHER
    max_running: int | None = None


def points_of(asked: SweepWish) -> list[Point]:
    """The runs that are asked for, in order. Raises InvalidInput (grid or points, with the fix)."""
    field = "points" if asked.points else "grid"
    if asked.points and asked.grid:
        raise InvalidInput({"points": _("Give a grid or a list of points, not both.")})
    try:
        if asked.points:
            return rules.check_points(asked.points, most=settings.LABS_SWEEP_MAX_RUNS)
        return rules.expand(asked.grid, most=settings.LABS_SWEEP_MAX_RUNS)
    except BadSweep as refusal:
        facts = {"parameter": refusal.name} if refusal.name else {}
        raise InvalidInput({field: sweep_words(refusal)}, code=f"sweep_{refusal.code}", facts=facts) from refusal


def submit_sweep(*, owner: Any, wish: Wish, asked: SweepWish, wrong: InvalidInput | None = None) -> tuple[Sweep, bool]:
    """Queue one job for each point and hold the GPU time of all of them, or of none. Returns it and whether it is new.

    `wish` describes one run; its idempotency key is the sweep's. The same key with the same request gives the first
    sweep again. Raises InvalidInput (fields named), Conflict (idempotency_key_reused, too_many_open_jobs) and OverQuota
    (facts: would_fit, runs). What the caller found `wrong` already is raised together with whatever else is.
    """
    digest = _digest(wish, asked)
    if wrong is None and wish.idempotency_key and is_storable(wish.idempotency_key):
        first = _first_of(owner, wish.idempotency_key, digest)
        if first is not None:
            return first, False
    points, wrong = _judged(asked, wrong)
    granted = check(wish, owner, wrong)
    try:
        with transaction.atomic():
            return _create(wish, asked, points, granted, owner, digest), True
    except IntegrityError as error:
        if not is_of(error, KEY_CONSTRAINT):
            raise
    first = _first_of(owner, wish.idempotency_key or "", digest)
    if first is None:
        raise Conflict(_("The first sweep with this key is just being submitted. Ask again in a moment."))
    return first, False


def _digest(wish: Wish, asked: SweepWish) -> str:
    said = [request_digest(wish), asked.grid, asked.points, asked.metric, asked.direction, asked.max_running]
    return hashlib.sha256(json.dumps(said, default=list).encode()).hexdigest()


def _first_of(owner: Any, key: str, digest: str) -> Sweep | None:
    first = Sweep.objects.filter(owner=owner, idempotency_key=key).first()
    if first is not None and first.request_digest != digest:
        raise Conflict(
            _("This idempotency key was used for another sweep. Use a new key for a new sweep."),
            code="idempotency_key_reused",
            facts={"sweep_id": first.pk},
        )
    return first


def _judged(asked: SweepWish, earlier: InvalidInput | None) -> tuple[list[Point], InvalidInput | None]:
    """The runs that are asked for, and what is wrong beside `earlier`. Nothing more of a wrong field."""
    known = earlier.fields.keys() if earlier is not None else set()
    points: list[Point] = []
    if not {"grid", "points"} & known:
        try:
            points = points_of(asked)
        except InvalidInput as refusal:
            earlier = refusal.beside(earlier)
    wrong: dict[str, str] = {}
    if asked.metric and not (is_name(asked.metric) and is_storable(asked.metric)):
        wrong["metric"] = _("Name a value of metrics.json, in at most %(most)s characters.") % {"most": MAX_NAME}
    if asked.direction not in Sweep.Direction.values:
        wrong["direction"] = _("Use one of: %(choices)s.") % {"choices": ", ".join(Sweep.Direction.values)}
    if asked.max_running is not None and not 1 <= asked.max_running <= settings.LABS_SWEEP_MAX_RUNS:
        wrong["max_running"] = _("Let at least one run at a time, or leave it empty.")
    wrong = {name: words for name, words in wrong.items() if name not in known}
    return points, InvalidInput(wrong).beside(earlier) if wrong else earlier


def _create(wish: Wish, asked: SweepWish, points: list[Point], granted: Granted, owner: Any, digest: str) -> Sweep:
    nudge_scheduler()
    lock_after(wish.after, owner)
    sweep = Sweep.objects.create(
        owner=owner,
        account=granted.account,
        title=wish.title or granted.entrypoint,
        grid={name: list(values) for name, values in asked.grid.items()},
        names=list(points[0]),
        runs=len(points),
        metric=asked.metric,
        direction=asked.direction,
        max_running=asked.max_running,
        idempotency_key=wish.idempotency_key,
        request_digest=digest,
    )
    source = store_bundle(granted.files)
    # Work of its own: how long its runs take is predicted from those of them that have finished.
    wish = replace(wish, work_key=wish.work_key or f"sweep:{sweep.pk}")
    jobs = [_run_of(sweep, place, point, wish, granted, source) for place, point in enumerate(points, start=1)]
    _queue(jobs, granted, wish)
    return sweep


def _run_of(
    sweep: Sweep, place: int, point: Point, wish: Wish, granted: Granted, source: SourceBundle,
    rerun_of: Job | None = None,
) -> Job:  # fmt: skip
    job = new_job(replace(wish, parameters=point), granted, sweep.owner, source)
    job.sweep, job.sweep_index, job.rerun_of = sweep, place, rerun_of
    return job


def _queue(jobs: list[Job], granted: Granted, wish: Wish) -> None:
    """Write new jobs with all that belongs to them and hold for them; a fixed number of queries."""
    Job.objects.bulk_create(jobs)
    through = Job.data_sets.through
    rows = [through(job_id=job.pk, dataset_id=pk) for job in jobs for pk in granted.data_set_ids]
    through.objects.bulk_create(rows)
    add_dependencies(jobs, wish.after)
    JobEvent.objects.bulk_create([JobEvent(job=job, kind=JobEvent.Kind.SUBMITTED) for job in jobs])
    tell_jobs(*(job.pk for job in jobs))
    try:
        quota.hold_all(account_id=jobs[0].account_id, holds=[(job.pk, job.hold_s) for job in jobs])
    except OverQuota as error:
        raise _with_fit(error, len(jobs)) from error
    check_open_jobs(jobs[0].owner)


def _with_fit(error: OverQuota, runs: int) -> OverQuota:
    fit = int(error.facts.get("would_fit", 0))
    if fit:
        words = ngettext(
            "%(fit)d of the %(runs)d runs would fit. None was submitted.",
            "%(fit)d of the %(runs)d runs would fit. None was submitted.",
            fit,
        ) % {"fit": fit, "runs": runs}
    else:
        words = _("Not even one of the runs would fit. None was submitted.")
    return OverQuota(f"{error.message} {words}", facts=error.facts | {"would_fit": fit, "runs": runs})


def cancel_sweep(*, sweep_id: int, actor: Any) -> int:
    """Cancel every run that is not over; returns how many were asked to end. Raises NotFound.

    What waits goes first and the last in line before the others, so that nothing of the sweep starts on what another
    run of it lets go. Each run is a transaction of its own, as `cancel` is: nobody waits for 256 of them.
    """
    if not Sweep.objects.filter(pk=sweep_id).exists():
        raise NotFound
    asked = 0
    for state in (Job.State.QUEUED, Job.State.RUNNING):
        still = Job.objects.filter(sweep_id=sweep_id, state=state, cancel_requested_at=None)
        for job_id in list(still.order_by("-id").values_list("pk", flat=True)):
            try:
                cancel(job_id=job_id, actor=actor)
                asked += 1
            except Conflict:  # it ended by itself a moment ago
                continue
    return asked


@transaction.atomic
def rerun_failed(*, sweep_id: int, actor: Any) -> list[Job]:
    """Run the places again whose newest run failed or ran out of time, all or none, for the sweep's owner `actor`.

    Raises NotFound, Conflict (nothing_failed, too_many_open_jobs), OverQuota and InvalidInput as a submission does.
    """
    sweep = Sweep.objects.select_for_update(no_key=True, of=("self",)).filter(pk=sweep_id, owner=actor).first()
    if sweep is None:
        raise NotFound
    failed = [job for job in newest_runs(sweep.pk) if job.state in AGAIN]
    if not failed:
        raise Conflict(_("No run of this sweep has failed."), code="nothing_failed")
    wish = _wish_of(failed[0])  # the runs differ in their parameters alone
    granted = check(wish, actor)
    nudge_scheduler()
    again = [
        _run_of(sweep, job.sweep_index or 0, job.parameters, wish, granted, failed[0].source, rerun_of=job)
        for job in failed
    ]
    _queue(again, granted, wish)
    job_rerun.send(sender=Job, pairs=list(zip(again, failed, strict=True)))
    return again


def newest_runs(sweep_id: int) -> list[Job]:
    """The newest job of each place, by place; one query."""
    newest = Job.objects.filter(sweep_id=sweep_id).order_by("sweep_index", "-id").distinct("sweep_index")
    return list(newest.defer("factors", "wait_facts"))


def _wish_of(job: Job) -> Wish:
    """What was asked for with one run, to be judged and submitted again as things stand now."""
    return Wish(
        account_id=job.account_id,
        title=job.title,
        environment_id=job.environment_id,
        files=from_json(job.source.files),
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
        idempotency_key=None,
        is_preemptible=job.is_preemptible,
    )
