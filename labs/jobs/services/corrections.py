"""Correcting what a job was charged: by staff, with a reason, as a line of the ledger of its own."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, NotFound
from labs.jobs.models import Attempt, Job
from labs.quota import api as quota
from labs.quota.models import LedgerEntry


@dataclass(frozen=True)
class AttemptCharge:
    """What an attempt that is settled held, and what it stays charged, in GPU-seconds of account."""

    attempt: int
    held_s: int
    net_s: int


def attempt_charges(job_id: int) -> list[AttemptCharge]:
    """Return the settled attempts of a job, the first before the others. Two queries."""
    kinds = LedgerEntry.Kind
    rows = LedgerEntry.objects.filter(job_id=job_id, kind__in=(kinds.HOLD, kinds.RELEASE)).order_by("attempt")
    held: dict[int, int] = {}
    over: set[int] = set()
    for attempt, kind, seconds in rows.values_list("attempt", "kind", "gpu_seconds"):
        if kind == kinds.HOLD:
            held[attempt] = seconds
        else:
            over.add(attempt)
    nets = charges_of(job_id)
    return [AttemptCharge(attempt, held_s, nets[attempt]) for attempt, held_s in held.items() if attempt in over]


def charges_of(job_id: int) -> dict[int, int]:
    """Return what each attempt of a job stays charged, in GPU-seconds of account. One query."""
    signs = {"CHARGE": 1, "DEBIT": 1, "REFUND": -1, "CREDIT": -1}
    rows = LedgerEntry.objects.filter(job_id=job_id).order_by().values_list("attempt", "kind")
    nets: dict[int, int] = {}
    for attempt, kind, total in rows.annotate(total=Sum("gpu_seconds")):
        nets[attempt] = nets.get(attempt, 0) + signs.get(kind, 0) * total
    return nets


@transaction.atomic
def correct_charge(
    *, job_id: int, seen_s: int, charged_s: int, reason: str, actor: Any, attempt: int | None = None
) -> LedgerEntry:
    """Correct what an attempt (the last one, when left out) stays charged, from `seen_s` to `charged_s`.

    Returns the new line. Raises NotFound, Conflict (not_over, not_settled, charge_changed), InvalidInput (charged_s,
    reason), OverQuota.
    """
    job = (
        Job.objects.select_for_update(no_key=True, of=("self",))
        .select_related("account__scope", "owner")
        .filter(pk=job_id)
        .first()
    )
    if job is None:
        raise NotFound
    if job.is_open:
        raise Conflict(_("Only a job that is over can be corrected."), code="not_over")
    number = attempt
    if number is None:
        number = Attempt.objects.filter(job=job).order_by("-number").values_list("number", flat=True).first() or 1
    entry = quota.correct(
        account_id=job.account_id, job_id=job.pk, attempt=number, seen_s=seen_s, charged_s=charged_s, reason=reason,
        actor=actor, day_zone=quota.zone_of(job.account.scope.path),
    )  # fmt: skip
    before, after = job.charged_s, sum(charges_of(job.pk).values())
    Job.objects.filter(pk=job.pk).update(charged_s=after)
    audit.record(
        actor=actor, verb="job.charge_corrected", target=job, subject=job.owner, scope_path=job.account.scope.path,
        changes={"charged_s": (before, after)}, reason=reason.strip(),
    )  # fmt: skip
    return entry
