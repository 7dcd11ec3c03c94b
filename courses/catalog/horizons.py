"""Until when a quota account is needed: the end of its cohort's term; above cohorts, the latest that goes on below.

And which terms there are, so that quota can give and count GPU time by them.
"""

from collections.abc import Mapping
from datetime import date

from django.db.models import Q
from django.utils import timezone

from labs.quota import beyond, horizons

from .models import Cohort, Term


def register_horizon() -> None:
    horizons.register(term_ends)
    beyond.register_terms(open_terms)


def open_terms() -> list[beyond.Term]:
    """Return the terms that are not over, the first to begin before the others. One query."""
    rows = Term.objects.filter(ends_on__gte=timezone.localdate()).order_by("starts_on", "id")
    return [beyond.Term(str(term.pk), term.name, term.starts_on, term.ends_on) for term in rows]


def term_ends(paths: Mapping[int, list[int]]) -> dict[int, date]:
    """Return the last day of the terms of these accounts. One query."""
    ids = list(paths)
    above = {pk for path in paths.values() for pk in path[:-1]}
    # A cohort's own account, what lies above it, and what lies below it (its learners').
    concerned = Q(account__path__overlap=ids) | Q(account_id__in=above)
    rows = Cohort.objects.filter(concerned, run__term__ends_on__gte=timezone.localdate()).order_by()
    ends: dict[int, date] = {}
    below: dict[int, date] = {}
    for account_id, path, day in rows.values_list("account_id", "account__path", "run__term__ends_on"):
        below[account_id] = day
        for pk in path:
            if pk in paths:
                ends[pk] = max(day, ends.get(pk, day))
    for account_id, path in paths.items():
        found = [below[pk] for pk in path[:-1] if pk in below]
        if found:
            ends[account_id] = max(found)
    return ends
