"""How many notices a person has not read. Every page shows it, so no page may pay a query for it.

`campus.people.access.standing_of` asks for it in the query that each page makes anyway, and leaves it on the user.
"""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from campus.core.models import Notice

KEPT = "_unread_notices"


def unread_of(outer: str) -> Coalesce:
    """Return the count as an expression for a query in which `outer` is the person's id."""
    mine = Notice.objects.filter(recipient_id=OuterRef(outer), read_at=None).order_by()
    counted = mine.values("recipient_id").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def unread(user: Any) -> int:
    """Return the count that was kept on the user, or ask for it. Nothing is unread for who is not signed in."""
    if not getattr(user, "is_authenticated", False):
        return 0
    if getattr(user, KEPT, None) is None:
        setattr(user, KEPT, Notice.objects.filter(recipient_id=user.pk, read_at=None).count())
    return int(getattr(user, KEPT))
