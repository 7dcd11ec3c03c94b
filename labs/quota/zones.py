"""The time zone that decides what "a day" is for an account: its campus's."""

from collections.abc import Sequence

from django.conf import settings

from campus.places.models import Campus


def zone_of(scope_path: Sequence[int]) -> str:
    """Return the IANA zone of the campus on this path of scopes, or the platform's own. One query."""
    zone = Campus.objects.filter(scope_id__in=scope_path).values_list("timezone", flat=True).first()
    return zone or settings.TIME_ZONE
