"""Bringing an announcement to thousands in batches: any worker goes on where the last one was killed.

A batch is one transaction: deliveries, notices and the cursor together. The row's lock lets one worker at a time bring
one announcement, and a person's delivery is unique, whatever happens.
"""

from collections.abc import Callable

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from campus.core import audit
from campus.core.clock import database_now
from campus.core.notices.services import notify
from campus.people.api import standing_of
from campus.people.models import User
from courses.announcements.access import may_write
from courses.announcements.audience import audience
from courses.announcements.models import Announcement, Delivery
from courses.announcements.words import place_name

BATCH = 500


def notice_key(announcement_id: int) -> str:
    """What makes a person's notice of an announcement one notice."""
    return f"announcement:{announcement_id}"


def begin(found: Announcement, actor: User | None) -> None:
    """Make a locked announcement public; whom it is for are told after the commit."""
    from courses.announcements.tasks import bring_one

    found.state, found.published_at = Announcement.State.PUBLISHED, database_now()
    found.save(update_fields=["state", "published_at"])
    audit.record(actor=actor, verb="announcement.published", target=found, scope_path=found.scope_path)
    transaction.on_commit(lambda: bring_one.delay(found.pk), robust=True)


def publish_due() -> int:
    """Publish what was scheduled and whose time has come; return how many. Any number of these may run at once.

    Where its author may not announce there any more, it is a draft again instead, and the author is told.
    """
    due = Announcement.objects.filter(state=Announcement.State.SCHEDULED, publish_at__lte=Now())
    ids, count = list(due.values_list("pk", flat=True)), 0
    for pk in ids:
        with transaction.atomic():
            found = due.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
            if found is None:
                continue
            if author_may_write(found):
                begin(found, found.author)
                count += 1
            else:
                _withhold(found)
    return count


def author_may_write(found: Announcement) -> bool:
    """Say whether its author may announce there now, by the rule of writing."""
    return found.author is not None and may_write(standing_of(found.author), found)


def _withhold(found: Announcement) -> None:
    """Make a locked, scheduled announcement a draft again that says why."""
    found.state, found.withheld_at = Announcement.State.DRAFT, database_now()
    found.save(update_fields=["state", "withheld_at"])
    audit.record(actor=None, verb="announcement.withheld", target=found, scope_path=found.scope_path)
    if found.author is not None and found.author.is_active:
        notify(
            recipient_ids=[found.author.pk], kind="announcements.withheld", key=f"announcement-withheld:{found.pk}",
            url=reverse("announcements:list"), facts={"title": found.title, "place": place_name(found)},
        )  # fmt: skip


def bring(*, announcement_id: int, may_go_on: Callable[[], bool] = lambda: True) -> None:
    """Bring batch after batch until all have it, or until `may_go_on()` says no."""
    while may_go_on() and bring_batch(announcement_id=announcement_id):
        pass


@transaction.atomic
def bring_batch(*, announcement_id: int, most: int = BATCH) -> bool:
    """Bring an announcement to the next `most` people; say whether there may be more. Withdrawn ones go nowhere."""
    rows = Announcement.objects.select_related("author", "cohort__run__course", "run__course", "campus")
    waiting = rows.filter(pk=announcement_id, state=Announcement.State.PUBLISHED, brought_at=None)
    found = waiting.select_for_update(of=("self",), no_key=True).first()
    if found is None:
        return False
    people = audience(found).filter(pk__gt=found.cursor).order_by("pk").values_list("pk", flat=True)
    ids = list(people[:most])
    if not ids:
        Announcement.objects.filter(pk=found.pk).update(brought_at=Now())
        return False
    Delivery.objects.bulk_create(
        [Delivery(announcement=found, recipient_id=pk) for pk in ids], ignore_conflicts=True
    )  # fmt: skip
    notify(
        recipient_ids=ids, kind="announcements.published", key=notice_key(found.pk),
        url=reverse("announcements:announcement", args=[found.pk]),
        facts={"title": found.title, "author": found.author.name if found.author else "", "place": place_name(found)},
    )  # fmt: skip
    Announcement.objects.filter(pk=found.pk).update(cursor=ids[-1])
    return True
