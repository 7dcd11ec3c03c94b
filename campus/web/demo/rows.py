"""Past jobs as rows, in bulk: job, attempts, events, log, metrics, artifact, ledger, days of use, balances."""

import hashlib
import json
from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from courses.assignments.api import work_key
from courses.assignments.models import LabRun
from labs.environments.models import DataSet
from labs.jobs.api import store_bundle
from labs.jobs.models import Artifact, Attempt, Job, JobEvent, LogChunk, MetricPoint, Sweep
from labs.quota.api import charge_s
from labs.quota.models import Account, LedgerEntry, UsageDay

from .activity import Past, Swept

Kind = JobEvent.Kind
Entry = LedgerEntry.Kind


def write_week(week: list[Past]) -> None:
    """Write everything that these jobs left. Call it in a transaction, before any of their accounts is used."""
    jobs = _jobs(week)
    pairs = list(zip(week, jobs, strict=True))
    _connect(pairs)
    attempts = _attempts(pairs)
    _leavings(attempts)
    _events(pairs)
    _ledger(pairs)


def _jobs(week: list[Past]) -> list[Job]:
    bundles = {program: store_bundle({"main.py": program.encode()}) for program in {p.recorded.program for p in week}}
    urls = {past.lab.pk: reverse("assignments:lab", args=[past.lab.pk]) for past in week}
    sweeps = _sweeps(week)
    return Job.objects.bulk_create(
        Job(
            owner=past.enrolment.user,
            account=past.enrolment.account,
            title=past.swept.title if past.swept else past.lab.title,
            environment=past.lab.environment,
            source=bundles[past.recorded.program],
            entrypoint=past.lab.entrypoint,
            gpu_milli=past.gpu_milli,
            wall_s=past.wall_s,
            preferred_campus=past.enrolment.cohort.campus,
            deadline_at=past.lab.due_at if past.lab.due_at and past.lab.due_at > past.submitted_at else None,
            work_key=f"sweep:{sweeps[past.swept].pk}" if past.swept else work_key(past.lab.pk),
            work_url="" if past.swept else urls[past.lab.pk],
            sweep=sweeps[past.swept] if past.swept else None,
            sweep_index=past.place,
            parameters=past.parameters,
            state=past.state,
            end_reason=past.reason,
            exit_code=past.exit_code,
            attempts_made=_attempts_made(past),
            submitted_at=past.submitted_at,
            started_at=past.started_at,
            ended_at=past.ended_at,
            charged_s=_charge(past),
            result=past.recorded.metrics if past.state == Job.State.SUCCEEDED else {},
        )
        for past in week
    )


def _sweeps(week: list[Past]) -> dict[Swept, Sweep]:
    """A row for each sweep that runs belong to, by what describes it."""
    made: dict[Swept, Sweep] = {}
    for past in week:
        if past.swept is not None and past.swept not in made:
            made[past.swept] = Sweep.objects.create(
                owner=past.enrolment.user,
                account=past.enrolment.account,
                title=past.swept.title,
                grid=past.swept.grid,
                names=list(past.swept.grid),
                runs=sum(other.swept == past.swept for other in week),
                metric=past.swept.metric,
                submitted_at=past.submitted_at,
            )
    return made


def _attempts_made(past: Past) -> int:
    if past.started_at is None:
        return 0
    return 2 if past.lost_s else 1


def _charge(past: Past) -> int:
    """GPU-seconds that stay charged; every job of the week had one GPU, or a quarter of one."""
    return charge_s(run_s=past.run_s, gpus=past.gpus, hold_s=past.hold_s) if past.started_at else 0


def _connect(pairs: list[tuple[Past, Job]]) -> None:
    LabRun.objects.bulk_create(
        LabRun(lab=past.lab, enrolment=past.enrolment, job=job) for past, job in pairs if past.swept is None
    )
    wanted: dict[int, list[DataSet]] = {}
    links = []
    for past, job in pairs:
        if past.lab.pk not in wanted:
            wanted[past.lab.pk] = list(past.lab.data_sets.all())
        links += [Job.data_sets.through(job=job, dataset=data_set) for data_set in wanted[past.lab.pk]]
    Job.data_sets.through.objects.bulk_create(links)


def _attempts(pairs: list[tuple[Past, Job]]) -> list[tuple[Past, Attempt]]:
    made: list[tuple[Past, Attempt]] = []
    ran = [(past, job) for past, job in pairs if past.started_at is not None]
    fences = iter(_fences(sum(job.attempts_made for _past, job in ran)))
    for past, job in ran:
        if past.lost_s:
            made.append((past, _attempt(past, job, 1, next(fences), is_lost=True)))
        made.append((past, _attempt(past, job, job.attempts_made, next(fences), is_lost=False)))
    Attempt.objects.bulk_create([attempt for _past, attempt in made])
    return [(past, attempt) for past, attempt in made if attempt.outcome == Attempt.Outcome.SETTLED]


def _attempt(past: Past, job: Job, number: int, fence: int, *, is_lost: bool) -> Attempt:
    began = past.started_at or past.submitted_at
    ended = past.ended_at
    if is_lost:
        began = past.lost_began_at
        ended = began + timedelta(seconds=past.lost_s * 2)
    fields: dict[str, Any] = {"lost_s": past.lost_s} if is_lost else _measured(past, job)
    return Attempt(
        job=job,
        number=number,
        node=past.node,
        fence=fence,
        state=Attempt.State.ENDED,
        outcome=Attempt.Outcome.LOST if is_lost else Attempt.Outcome.SETTLED,
        assigned_at=began - timedelta(milliseconds=70),
        claimed_at=began - timedelta(milliseconds=40),
        started_at=began,
        ended_at=ended,
        gpu_labels=[f"{past.node.name}/{past.slot}"],
        **fields,
    )


def _measured(past: Past, job: Job) -> dict[str, Any]:
    log_bytes = len(past.log.encode())
    return {
        "run_s": past.run_s,
        "cpu_s": min(past.recorded.cpu_s, past.run_s),
        "peak_memory_bytes": 11 * 1024 * 1024 if past.recorded.lab == "hello" else 181 * 1024 * 1024,
        "log_bytes": log_bytes,
        "report": {
            "state": job.state,
            "reason": past.node_report,
            "exit_code": past.exit_code,
            "detail": "",
            "skipped": [],
            "log_bytes_seen": log_bytes,
        },
    }


def _fences(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('jobs_fence_seq') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def _leavings(attempts: list[tuple[Past, Attempt]]) -> None:
    """Logs, metrics, and metrics.json as a real file: it is what the job's result was read from."""
    LogChunk.objects.bulk_create(
        LogChunk(attempt=attempt, start=0, content=past.log.encode(), at=past.ended_at)
        for past, attempt in attempts
        if past.log
    )
    MetricPoint.objects.bulk_create(
        MetricPoint(attempt=attempt, seq=seq, run_s=run_s, values=values)
        for past, attempt in attempts
        for seq, (run_s, values) in enumerate(past.points)
    )
    artifacts = []
    for past, attempt in attempts:
        if past.state != Job.State.SUCCEEDED:
            continue
        content = json.dumps(past.recorded.metrics, indent=2).encode()
        digest = hashlib.sha256(content).hexdigest()
        name = default_storage.save(f"attempts/{attempt.pk}/{digest[:24]}", ContentFile(content))
        artifacts.append(
            Artifact(
                attempt=attempt, path="metrics.json", size_bytes=len(content), digest=digest, file=name,
                is_published=True,
            )
        )  # fmt: skip
    Artifact.objects.bulk_create(artifacts)


def _events(pairs: list[tuple[Past, Job]]) -> None:
    events = []
    for past, job in pairs:
        events.append(JobEvent(job=job, kind=Kind.SUBMITTED, at=past.submitted_at))
        if past.lost_s:
            began = past.lost_began_at
            events += _runs_on(past, job, 1, began)
            lost = {"cause": "node_restarted", "lost_s": past.lost_s}
            at = began + timedelta(seconds=past.lost_s * 2)
            events.append(JobEvent(job=job, attempt=1, kind=Kind.LOST, facts=lost, at=at))
        if past.started_at is not None:
            events += _runs_on(past, job, job.attempts_made, past.started_at)
        if job.state == Job.State.CANCELLED:
            events.append(JobEvent(job=job, kind=Kind.CANCEL_REQUESTED, at=past.ended_at - timedelta(seconds=1)))
        ended = {"state": job.state, "reason": past.reason}
        number = job.attempts_made or None
        events.append(JobEvent(job=job, attempt=number, kind=Kind.ENDED, facts=ended, at=past.ended_at))
    JobEvent.objects.bulk_create(events)


def _runs_on(past: Past, job: Job, number: int, began: Any) -> list[JobEvent]:
    place = {"node": past.node.name, "gpus": [f"{past.node.name}/{past.slot}"]}
    return [
        JobEvent(job=job, attempt=number, kind=Kind.ASSIGNED, facts=place, at=began - timedelta(milliseconds=70)),
        JobEvent(job=job, attempt=number, kind=Kind.CLAIMED, at=began - timedelta(milliseconds=40)),
        JobEvent(job=job, attempt=number, kind=Kind.STARTED, at=began),
    ]


def _ledger(pairs: list[tuple[Past, Job]]) -> None:
    """HOLD = CHARGE + RELEASE for each attempt; a lost one is charged and refunded, and the next holds again."""
    entries: list[LedgerEntry] = []
    for past, job in pairs:
        number, held_at = 1, past.submitted_at
        if past.lost_s:
            lost_at = (past.started_at or held_at) - timedelta(seconds=past.lost_s * 2 - 0.5)
            entries += _postings(job, 1, held_at, lost_at, past.lost_s, "lost")
            entries.append(_entry(job, 1, Entry.REFUND, past.lost_s, lost_at, "lost"))
            number, held_at = 2, lost_at
        entries += _postings(job, number, held_at, past.ended_at, job.charged_s, past.reason.lower())
    entries.sort(key=lambda entry: entry.at)
    LedgerEntry.objects.bulk_create(entries)
    _fold(entries)


def _postings(job: Job, number: int, held_at: Any, at: Any, charged_s: int, reason: str) -> list[LedgerEntry]:
    hold = _entry(job, number, Entry.HOLD, job.hold_s, held_at, "")
    release = _entry(job, number, Entry.RELEASE, job.hold_s - charged_s, at, reason)
    if not charged_s:
        return [hold, release]
    return [hold, _entry(job, number, Entry.CHARGE, charged_s, at, reason), release]


def _entry(job: Job, number: int, kind: str, gpu_seconds: int, at: Any, reason: str) -> LedgerEntry:
    day = timezone.localdate(at) if kind in (Entry.CHARGE, Entry.REFUND) else None
    return LedgerEntry(
        account=job.account, path=job.account.path, job_id=job.pk, attempt=number, kind=kind,
        gpu_seconds=gpu_seconds, at=at, reason=reason, day=day,
    )  # fmt: skip


def _fold(entries: list[LedgerEntry]) -> None:
    """Bring days of use and balances to what the entries say."""
    used: dict[int, int] = defaultdict(int)
    days: dict[tuple[int, Any], UsageDay] = {}
    counted: set[tuple[int, Any, int]] = set()
    for entry in entries:
        if entry.day is None:
            continue
        sign = 1 if entry.kind == Entry.CHARGE else -1
        for account_id in entry.path:
            used[account_id] += sign * entry.gpu_seconds
        key = (entry.account_id, entry.day)
        day = days.setdefault(key, UsageDay(account=entry.account, path=entry.path, day=entry.day))
        if sign > 0:
            day.charged_s += entry.gpu_seconds
            if (*key, entry.job_id) not in counted:
                counted.add((*key, entry.job_id))
                day.jobs += 1
        else:
            day.refunded_s += entry.gpu_seconds
    UsageDay.objects.bulk_create(days.values())
    for account_id, seconds in sorted(used.items()):
        Account.objects.filter(pk=account_id).update(used_s=F("used_s") + seconds)
