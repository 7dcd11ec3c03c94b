"""Calendar feeds: a secret address a person or cohort, renewed and revoked; the address is computed, never stored."""

import hmac
import re

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from campus.core.errors import NotFound
from campus.people.models import User
from courses.catalog.models import Cohort
from courses.timetable.models import CalendarFeed

_TOKEN = re.compile(r"([1-9][0-9]{0,17})-([0-9a-f]{40})")


def token_of(feed: CalendarFeed) -> str:
    """The secret part of a feed's address: its number, and a code that only this site can compute (HMAC-SHA256)."""
    return f"{feed.pk}-{_code(feed)}"


def _code(feed: CalendarFeed) -> str:
    mac = salted_hmac("courses.timetable.feed", f"{feed.pk}:{feed.nonce.hex}", algorithm="sha256")
    return mac.hexdigest()[:40]


def feed_of(*, user: User | None = None, cohort: Cohort | None = None) -> CalendarFeed | None:
    """The feed that is valid now, if there is one."""
    return CalendarFeed.objects.filter(user=user, cohort=cohort, revoked_at=None).first()


@transaction.atomic
def renew_feed(*, user: User | None = None, cohort: Cohort | None = None) -> CalendarFeed:
    """Give a new address; the old one ends at once. Of two at once, both get the same."""
    revoke_feed(user=user, cohort=cohort)
    try:
        with transaction.atomic():
            return CalendarFeed.objects.create(user=user, cohort=cohort)
    except IntegrityError:
        return CalendarFeed.objects.get(user=user, cohort=cohort, revoked_at=None)


def revoke_feed(*, user: User | None = None, cohort: Cohort | None = None) -> None:
    """End an address: calendars that read it get nothing any more."""
    CalendarFeed.objects.filter(user=user, cohort=cohort, revoked_at=None).update(revoked_at=Now())


def read_feed(*, token: str) -> CalendarFeed:
    """Return the feed of an address, and note that it was read. Raises NotFound (none, revoked, account closed)."""
    match = _TOKEN.fullmatch(token)
    rows = CalendarFeed.objects.select_related("user", "cohort__run__course", "cohort__campus").filter(revoked_at=None)
    feed = rows.filter(Q(user=None) | Q(user__is_active=True), pk=int(match[1])).first() if match else None
    if match is None or feed is None or not hmac.compare_digest(_code(feed), match[2]):
        raise NotFound
    CalendarFeed.objects.filter(pk=feed.pk).update(read_at=Now())
    return feed
