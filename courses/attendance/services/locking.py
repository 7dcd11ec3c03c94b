"""Locks of attendance, always in this order: the run's policy, the verdict's row, then evidence is written.

Whoever draws verdicts holds the policy as it is (shared); who changes it waits for them and holds it alone. Otherwise a
check-in drawn by the old policy could be written behind the back of the change that redraws all others.
"""

from collections.abc import Iterable, Sequence

from django.db import connection

from courses.attendance.models import Verdict

_POLICY_LOCKS = 7_205_104  # the first number of PostgreSQL's advisory locks for the policies of runs
# By name: PostgreSQL refuses a plan that it kept when `*` has become another row since.
_COLUMNS = ", ".join(field.column for field in Verdict._meta.concrete_fields if field.column)
#: Makes a verdict or locks the one that is there. Finds neither where another made it after this statement began.
_MAKE_OR_LOCK = f"""
WITH made AS (
    INSERT INTO attendance_verdict (session_id, enrolment_id, mark, minutes, late_min, early_min, why, revision)
    VALUES (%(session)s, %(enrolment)s, 'NONE', 0, 0, 0, '[]', 0)
    ON CONFLICT (session_id, enrolment_id) DO NOTHING RETURNING {_COLUMNS}
), held AS (
    SELECT {_COLUMNS} FROM attendance_verdict
    WHERE session_id = %(session)s AND enrolment_id = %(enrolment)s FOR UPDATE
)
SELECT * FROM made UNION ALL SELECT * FROM held
"""  # noqa: S608  (names of columns)


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
    # One alone is mostly the first check-in to a class, one of hundreds in these minutes: it takes one statement.
    found = _locked(wanted) if len(wanted) > 1 else _made_or_locked(*wanted[0])
    if len(found) < len(wanted):
        missing = [Verdict(session_id=s, enrolment_id=e) for s, e in wanted if (s, e) not in found]
        Verdict.objects.bulk_create(missing, ignore_conflicts=True)
        found = _locked(wanted)
    return found


def _made_or_locked(session_id: int, enrolment_id: int) -> dict[tuple[int, int], Verdict]:
    rows = Verdict.objects.raw(_MAKE_OR_LOCK, {"session": session_id, "enrolment": enrolment_id})
    return {(row.session_id, row.enrolment_id): row for row in rows}


def _locked(wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Verdict]:
    sessions, enrolments = {s for s, _e in wanted}, {e for _s, e in wanted}
    rows = Verdict.objects.filter(session_id__in=sessions, enrolment_id__in=enrolments).order_by("pk")
    asked = set(wanted)
    return {
        (row.session_id, row.enrolment_id): row
        for row in rows.select_for_update()
        if (row.session_id, row.enrolment_id) in asked
    }
