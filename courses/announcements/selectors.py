"""Announcements for lists: what a person may read with what is new to them, what staff wrote with who has read it."""

from datetime import timedelta
from functools import cache, partial
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from campus.core.compiled import AnyOf, Compiled, Given
from campus.people.api import Standing
from courses.catalog.api import RunAccess

from .access import readable_by, written_by
from .models import Announcement, Delivery

NEWS_FOR = timedelta(days=14)
NEWS_SHOWN = 3


def announcements_for(standing: Standing) -> QuerySet[Any]:
    """What is announced to a person, newest first, with `is_new`."""
    unread = Delivery.objects.filter(announcement=OuterRef("pk"), recipient_id=standing.user_id, read_at=None)
    rows = readable_by(standing).annotate(is_new=Exists(unread))
    return _with_places(rows).order_by("-published_at", "-id")


def written_announcements(standing: Standing) -> QuerySet[Any]:
    """What a person may change, with how many it was brought to and how many have read it.

    What is not out yet comes first, since it still waits for somebody; the rest by age, newest first.
    """
    counts = written_by(standing).annotate(
        brought=Count("deliveries"),
        read=Count("deliveries", filter=Q(deliveries__read_at__isnull=False)),
        is_to_come=Q(state__in=(Announcement.State.DRAFT, Announcement.State.SCHEDULED)),
    )
    return _with_places(counts).order_by("-is_to_come", "-id")


def counts_of(found: Announcement) -> tuple[int, int]:
    """How many people it was brought to, and how many of them have read it."""
    brought = Delivery.objects.filter(announcement=found)
    return brought.count(), brought.exclude(read_at=None).count()


_UNREAD = Compiled(
    lambda: Announcement.objects.filter(
        deliveries__recipient_id=Given("user_id"), deliveries__read_at=None, **_of_late()
    ).order_by("-published_at", "-id")[:NEWS_SHOWN]
)


def latest_news(standing: Standing) -> list[Announcement]:
    """The newest that were brought to a person and that they have not read, for Today. One query."""
    return _UNREAD.models(user_id=standing.user_id or 0)


def news_of_run(access: RunAccess) -> list[Announcement]:
    """The newest announcements of a run's page: of the run and of the reader's own cohorts, with `is_new`. One query.

    As `readable_by` says, without asking again what `access` knows.
    """
    if not access.may_read:
        return []
    own = [access.enrolment.cohort_id] if access.enrolment else []
    taught = [cohort.pk for cohort in access.taught]
    return _news(bool(own or access.is_preview), bool(taught)).models(
        user_id=access.standing.user_id or 0, run_id=access.run.pk, own=own, taught=taught, both=own + taught
    )


@cache
def _news(learns: bool, teaches: bool) -> Compiled:
    return Compiled(partial(_news_rows, learns, teaches))


def _news_rows(learns: bool, teaches: bool) -> QuerySet[Any]:
    mine = Delivery.objects.filter(announcement=OuterRef("pk"), recipient_id=Given("user_id"))
    seen, of_run = Q(Exists(mine)), Q(run_id=Given("run_id"))
    if learns:
        seen |= (of_run | Q(cohort_id=AnyOf("own"))) & ~Q(role=Announcement.Role.STAFF)
    if teaches:
        seen |= (of_run | Q(cohort_id=AnyOf("taught"))) & ~Q(role=Announcement.Role.LEARNERS)
    here = of_run | Q(cohort_id=AnyOf("both"))
    rows = Announcement.objects.filter(here, seen, **_of_late()).annotate(is_new=Exists(mine.filter(read_at=None)))
    return rows.order_by("-published_at", "-id")[:NEWS_SHOWN]


def _of_late() -> dict[str, Any]:
    return {"state": Announcement.State.PUBLISHED, "published_at__gt": Now() - NEWS_FOR}


def _with_places(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("author", "cohort__run__course", "run__course", "campus")
