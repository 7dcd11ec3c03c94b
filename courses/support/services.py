"""What staff do with signals: note that they looked, write to the learner, set the run's thresholds."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput
from campus.core.notices.services import notify
from campus.people.models import User
from courses.catalog.api import clean, save_changes
from courses.catalog.models import CourseRun, Enrolment

from .domain.signals import Kind
from .models import SupportMessage, SupportNote, SupportSettings

MOST_IN_NOTICE = 600


@transaction.atomic
def note_signal(*, enrolment: Enrolment, kind: str, level: int, act: str, text: str, actor: User) -> SupportNote:
    """Note that somebody talked to the learner, or that no help is needed: the signal is hidden until it gets worse.

    `level` is the one that the person who notes has seen. Raises InvalidInput.
    """
    if kind not in set(Kind) or act not in SupportNote.Act.values:
        raise InvalidInput({"act": _("Choose what was done.")})
    note = SupportNote(enrolment=enrolment, kind=kind, level=level, act=act, text=text.strip(), author=actor)
    clean(note, exclude=["author", "enrolment"])
    note.save()
    audit.record(
        actor=actor, verb="support.noted", target=enrolment, subject=enrolment.user,
        scope_path=enrolment.cohort.scope.path, changes={"kind": (None, kind), "act": (None, act)},
    )  # fmt: skip
    return note


@transaction.atomic
def write_to(*, enrolment: Enrolment, title: str, body: str, actor: User) -> SupportMessage:
    """Write to a learner: a notice and an e-mail that cannot be turned off. The trail notes that, not the words.

    Raises InvalidInput.
    """
    message = SupportMessage(enrolment=enrolment, author=actor, title=title.strip(), body=body.strip())
    clean(message, exclude=["author", "enrolment"])
    message.save()
    notify(
        recipient_ids=[enrolment.user_id], kind="support.message", url=reverse("support:message", args=[message.pk]),
        facts={"author": actor.name, "title": message.title, "text": _beginning(message.body)},
    )  # fmt: skip
    audit.record(
        actor=actor, verb="support.message_sent", target=enrolment, subject=enrolment.user,
        scope_path=enrolment.cohort.scope.path,
    )  # fmt: skip
    return message


def _beginning(text: str) -> str:
    """As much as a list of notices bears; the page has the rest."""
    return text if len(text) <= MOST_IN_NOTICE else f"{text[:MOST_IN_NOTICE]}…"


@transaction.atomic
def save_thresholds(*, run: CourseRun, fields: Mapping[str, Any], actor: User) -> None:
    """Set from which figures on the signals of a run are shown; 0 turns one off. Raises InvalidInput."""
    kept, _made = SupportSettings.objects.get_or_create(run=run)
    save_changes(kept, fields, actor=actor)
