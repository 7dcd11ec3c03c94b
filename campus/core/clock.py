"""The database's clock: leases and ledgers of several machines must be judged by one clock."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """Return PostgreSQL's `clock_timestamp()`, aware. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now
