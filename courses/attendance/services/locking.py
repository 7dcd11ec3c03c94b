"""Locks of attendance, always in this order: the run's policy, the verdict's row, then evidence is written.

Whoever draws verdicts holds the policy as it is (shared); who changes it waits for them and holds it alone. Otherwise a
check-in drawn by the old policy could be written behind the back of the change that redraws all others.
"""

from collections.abc import Iterable, Sequence

from django.db import connection

from courses.attendance.models import Verdict

_POLICY_LOCKS = 7_205_104  # the first number of PostgreSQL's advisory locks for the policies of runs


def hold_policy(run_id: int, *, is_change: bool = False) -> None:
    """Hold a run's policy until the transaction ends; for a change, alone."""
    kind = "pg_advisory_xact_lock" if is_change else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {kind}(%s, %s)", [_POLICY_LOCKS, run_id % 2**31])


def lock_verdicts(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Verdict]:
    """Lock the verdicts of (session, enrolment) pairs, made where they are missing, in the order of their ids."""
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    # One alone is mostly the first check-in to a class: it is made first, then found.
    found = _locked(wanted) if len(wanted) > 1 else {}
    if len(found) < len(wanted):
        missing = [Verdict(session_id=s, enrolment_id=e) for s, e in wanted if (s, e) not in found]
        Verdict.objects.bulk_create(missing, ignore_conflicts=True)
        found = _locked(wanted)
    return found


def _locked(wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Verdict]:
    sessions, enrolments = {s for s, _e in wanted}, {e for _s, e in wanted}
    rows = Verdict.objects.filter(session_id__in=sessions, enrolment_id__in=enrolments).order_by("pk")
    asked = set(wanted)
    return {
        (row.session_id, row.enrolment_id): row
        for row in rows.select_for_update()
        if (row.session_id, row.enrolment_id) in asked
    }
