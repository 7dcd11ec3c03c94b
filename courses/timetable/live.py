"""Telling open timetable pages, once the transaction is committed, that something changed; they read it again."""

from collections.abc import Iterable

from django.db import transaction

from campus.core.courier import carry


def cohort_group(cohort_id: int) -> str:
    """The group of those who look at a cohort's classes."""
    return f"timetable-at.{cohort_id}"


def person_group(user_id: int) -> str:
    """The group of one person's own classes."""
    return f"timetable-of.{user_id}"


def tell(*, cohort_ids: Iterable[int], user_ids: Iterable[int] = ()) -> None:
    """Tell who looks at these cohorts' classes, and these people. A dead Redis costs freshness, never the change."""
    groups = sorted({cohort_group(pk) for pk in cohort_ids} | {person_group(pk) for pk in user_ids})
    if groups:
        transaction.on_commit(lambda: carry(groups), robust=True)
