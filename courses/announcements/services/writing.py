"""Writing, publishing, changing and withdrawing. What was published can be corrected, not turned to other people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotAllowed
from campus.core.models import Notice
from campus.people.api import standing_of
from campus.people.models import User
from courses.announcements.access import may_write
from courses.announcements.models import Announcement, Delivery
from courses.catalog.api import clean

from .bringing import author_may_write, begin, notice_key

State = Announcement.State


@dataclass(frozen=True)
class Wish:
    """What an announcement is to be. Of `cohort_id`, `run_id` and `campus_id` the one that `reach` names is given."""

    title: str
    body: str
    reach: str
    role: str = Announcement.Role.ALL
    cohort_id: int | None = None
    run_id: int | None = None
    campus_id: int | None = None
    publish_at: datetime | None = None

    def fields(self) -> dict[str, Any]:
        return dict(self.__dict__)


@transaction.atomic
def save_announcement(*, wish: Wish, actor: User, announcement_id: int | None = None) -> Announcement:
    """Write a draft or change what is there.

    What is published keeps its readers and is marked as edited. Raises NotAllowed, InvalidInput, Conflict (withdrawn).
    """
    found = Announcement(author=actor) if announcement_id is None else _locked(announcement_id, actor)
    if found.state == State.WITHDRAWN:
        raise Conflict(_("It was withdrawn. Write a new one."))
    if found.state == State.PUBLISHED:
        return _correct(found, wish, actor)
    for name, value in wish.fields().items():
        setattr(found, name, value)
    if not may_write(standing_of(actor), found):
        raise NotAllowed(_("You may not write to these people."))
    if found.state == State.SCHEDULED and wish.publish_at is None:
        found.state = State.DRAFT
    clean(found, exclude=["author"])
    found.save()
    return found


def _correct(found: Announcement, wish: Wish, actor: User) -> Announcement:
    changes = {"title": (found.title, wish.title), "body": (found.body, wish.body)}
    if all(before == after for before, after in changes.values()):
        return found
    found.title, found.body, found.edited_at = wish.title, wish.body, database_now()
    clean(found, exclude=["author"])
    found.save(update_fields=["title", "body", "edited_at"])
    audit.record(
        actor=actor, verb="announcement.edited", target=found, scope_path=found.scope_path, changes=changes
    )  # fmt: skip
    return found


@transaction.atomic
def publish(*, announcement_id: int, actor: User, at_its_time: bool = False) -> Announcement:
    """Publish now, or let it wait for its own time; in the actor's name where its author may not write there any more.

    Raises NotAllowed, Conflict, InvalidInput (no or a past time).
    """
    found = _locked(announcement_id, actor)
    if found.state not in (State.DRAFT, State.SCHEDULED):
        raise Conflict(_("It was published before."))
    if not author_may_write(found):
        found.author = actor
    found.withheld_at = None
    found.save(update_fields=["author", "withheld_at"])
    if not at_its_time:
        begin(found, actor)
        return found
    if found.publish_at is None or found.publish_at <= database_now():
        raise InvalidInput({"publish_at": _("Choose a time to come.")})
    found.state = State.SCHEDULED
    found.save(update_fields=["state"])
    audit.record(
        actor=actor, verb="announcement.scheduled", target=found, scope_path=found.scope_path,
        changes={"publish_at": (None, found.publish_at)},
    )  # fmt: skip
    return found


@transaction.atomic
def withdraw(*, announcement_id: int, actor: User) -> None:
    """Take it from all pages; e-mails that have not left stay here, a draft goes altogether.

    Raises NotAllowed, Conflict (withdrawn before).
    """
    found = _locked(announcement_id, actor)
    if found.state == State.WITHDRAWN:
        raise Conflict(_("It was withdrawn before."))
    if found.state in (State.DRAFT, State.SCHEDULED):
        found.delete()
        return
    found.state = State.WITHDRAWN
    found.save(update_fields=["state"])
    Notice.objects.filter(kind="announcements.published", key=notice_key(found.pk)).delete()
    audit.record(actor=actor, verb="announcement.withdrawn", target=found, scope_path=found.scope_path)


@transaction.atomic
def mark_read(*, announcement_id: int, user: User) -> None:
    """Note that a person read it; once, and only for whom it was for."""
    unread = Delivery.objects.filter(announcement=announcement_id, recipient=user, read_at=None)
    unread.update(read_at=Now())


def _locked(announcement_id: int, actor: User) -> Announcement:
    found = Announcement.objects.select_for_update(of=("self",)).get(pk=announcement_id)
    if not may_write(standing_of(actor), found):
        raise NotAllowed
    return found
