"""Folding new ledger entries into what each account has used of late."""

from datetime import datetime

from django.db import connection

# Charges add and refunds take away, staff's corrections too, each decayed from its own time; the entry that was folded
# last is kept beside, in the same transaction, so an entry counts once. Ids are committed in their order: every posting
# locks the root account first (labs.quota.services.locking), so no entry can turn up behind the mark later.
_FOLD = """
WITH fresh AS (
    SELECT id, account_id,
           CASE WHEN kind IN ('CHARGE', 'DEBIT') THEN gpu_seconds
                WHEN kind IN ('REFUND', 'CREDIT') THEN -gpu_seconds ELSE 0 END
               * power(2, -GREATEST(0, EXTRACT(epoch FROM statement_timestamp() - at)::float8) / %(half_life_s)s)
               AS gpu_seconds
    FROM quota_ledgerentry
    WHERE id > COALESCE((SELECT seen_entry_id FROM scheduling_schedulermark WHERE id = 1), 0)
), sums AS (
    SELECT account_id, SUM(gpu_seconds) AS gpu_seconds FROM fresh WHERE gpu_seconds <> 0 GROUP BY account_id
), folded AS (
    INSERT INTO scheduling_fairshareuse AS kept (account_id, gpu_seconds, as_of)
    SELECT account_id, gpu_seconds, statement_timestamp() FROM sums
    ON CONFLICT (account_id) DO UPDATE SET
        gpu_seconds = GREATEST(0, EXCLUDED.gpu_seconds + kept.gpu_seconds * power(
            2, -GREATEST(0, EXTRACT(epoch FROM EXCLUDED.as_of - kept.as_of)::float8) / %(half_life_s)s)),
        as_of = EXCLUDED.as_of
)
INSERT INTO scheduling_schedulermark AS mark (id, seen_entry_id, seen_nudge)
SELECT 1, COALESCE((SELECT MAX(id) FROM fresh), 0), %(asked)s
ON CONFLICT (id) DO UPDATE SET
    seen_entry_id = GREATEST(mark.seen_entry_id, EXCLUDED.seen_entry_id), seen_nudge = EXCLUDED.seen_nudge
RETURNING waits_told_at
"""


def fold_ledger(*, half_life_s: float, asked: int) -> datetime | None:
    """Add what was charged and refunded since the last cycle, and note that `asked` nudges were seen. One query.

    Returns when a long queue was last told its waits. Call it inside the cycle's transaction, under its lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"half_life_s": half_life_s, "asked": asked})
        (told_at,) = cursor.fetchone()
    return told_at
