"""What must be true of jobs, attempts, leases and the ledger whenever nothing is under way (FINDINGS.md)."""

from collections import defaultdict

from django.db.models import Q, Sum

from infra.pool.models import Gpu
from labs.jobs.models import Attempt, GpuLease, Job
from labs.quota.models import Account, LedgerEntry


def broken() -> list[str]:
    """The invariants that do not hold, each as a sentence."""
    return [*_jobs(), *_leases(), *_ledger(), *_balances()]


def _jobs() -> list[str]:
    found = []
    for job in Job.objects.prefetch_related("attempts"):
        open_attempts = [a for a in job.attempts.all() if a.state != "ENDED"]
        leased = [a for a in open_attempts if a.lease_expires_at is not None]
        if (job.state == "RUNNING") != (len(leased) == 1):
            found.append(f"{job} is {job.state} with {len(leased)} leases")
        if len(open_attempts) > 1:
            found.append(f"{job} has {len(open_attempts)} open attempts")
    return found


def _leases() -> list[str]:
    found = [
        f"{lease} outlives its attempt"
        for lease in GpuLease.objects.filter(attempt__state=Attempt.State.ENDED).select_related("attempt", "gpu__node")
    ]
    for attempt in Attempt.objects.exclude(state="ENDED").select_related("job"):
        held = list(GpuLease.objects.filter(attempt=attempt))
        milli, asked = sum(one.milli.upper - one.milli.lower for one in held), attempt.job.gpus * attempt.job.gpu_milli
        if milli != asked or len({one.gpu_id for one in held}) != attempt.job.gpus:
            found.append(f"{attempt} holds {milli} thousandths of {asked}")
    return found + [f"{gpu} has more of it leased than there is" for gpu in Gpu.objects.all() if _is_overcommitted(gpu)]


def _is_overcommitted(gpu: Gpu) -> bool:
    held = list(gpu.leases.all())
    milli = sum(one.milli.upper - one.milli.lower for one in held)
    return milli > 1000 or sum(one.memory_mib for one in held) > gpu.memory_mib


def _ledger() -> list[str]:
    found = []
    lines: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for job_id, attempt, kind, seconds in LedgerEntry.objects.values_list("job_id", "attempt", "kind", "gpu_seconds"):
        # Corrections may be several of a kind.
        lines[job_id, attempt][kind] = lines[job_id, attempt].get(kind, 0) + seconds
    for job in Job.objects.all():
        of_job = {attempt: kinds for (job_id, attempt), kinds in lines.items() if job_id == job.pk}
        unsettled = [n for n, kinds in of_job.items() if not {"CHARGE", "RELEASE"} & kinds.keys()]
        if len(unsettled) != (1 if job.is_open else 0):
            found.append(f"{job} is {job.state} and holds for attempts {unsettled}")
        for number, kinds in of_job.items():
            given = kinds.get("CHARGE", 0) + kinds.get("RELEASE", 0)
            if number not in unsettled and kinds.get("HOLD") != given:
                found.append(f"{job}, attempt {number}: held {kinds.get('HOLD')}, charged and released {given}")
        stayed = sum(_used(kinds) for kinds in of_job.values())
        if stayed != job.charged_s:
            found.append(f"{job} says {job.charged_s} s were charged, its ledger {stayed}")
    return found


def _used(kinds: dict[str, int]) -> int:
    """What stayed charged, staff's corrections included."""
    added, taken = ("CHARGE", "DEBIT"), ("REFUND", "CREDIT")
    return sum(kinds.get(kind, 0) for kind in added) - sum(kinds.get(kind, 0) for kind in taken)


def _balances() -> list[str]:
    found = []
    for account in Account.objects.all():
        sums = dict.fromkeys(("HOLD", "CHARGE", "RELEASE", "REFUND", "CREDIT", "DEBIT"), 0)
        rows = LedgerEntry.objects.filter(path__contains=[account.pk]).values_list("kind").annotate(Sum("gpu_seconds"))
        sums.update(dict(rows))
        used, held = _used(sums), sums["HOLD"] - sums["CHARGE"] - sums["RELEASE"]
        if (used, held) != (account.used_s, account.held_s):
            found.append(f"{account}: used {account.used_s}, held {account.held_s}; its ledger says {used}, {held}")
    overdrawn = Account.objects.filter(Q(used_s__lt=0) | Q(held_s__lt=0))
    return found + [f"{account} is below zero" for account in overdrawn]
