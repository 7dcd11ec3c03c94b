"""Reading accounts, the ledger and the history of allocations."""

from .models import LedgerEntry


def ledger_of_job(job_id: int) -> list[LedgerEntry]:
    """Return a job's ledger lines in the order in which they were posted. One query."""
    return list(LedgerEntry.objects.filter(job_id=job_id).order_by("id"))
