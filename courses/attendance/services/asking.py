"""What learners ask of staff: to be excused, with documents; and another mark than they got."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput
from campus.people.models import User
from courses.attendance import notices
from courses.attendance.domain.files import MOST_BYTES, MOST_FILES, kind_of
from courses.attendance.models import Contest, Evidence, Excuse, ExcuseDocument, LabConsent, Mark, Verdict
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession

from .drawing import Cause, draw, policy_of
from .locking import hold_policy, lock_verdicts


@dataclass(frozen=True)
class Document:
    """A document that was checked: its name, media type and bytes' digest."""

    upload: UploadedFile
    name: str
    media_type: str
    digest: str


def checked_documents(uploads: Sequence[UploadedFile]) -> list[Document]:
    """Check what was handed in by size and first bytes. Raises InvalidInput under `documents`."""
    if len(uploads) > MOST_FILES:
        raise InvalidInput({"documents": _("At most %(most)d documents.") % {"most": MOST_FILES}})
    found: dict[str, Document] = {}
    for upload in uploads:
        name = PurePath(str(upload.name)).name[-120:]
        if (upload.size or 0) > MOST_BYTES:
            raise InvalidInput({"documents": _("“%(name)s” is larger than 5 MB.") % {"name": name}})
        content = upload.read()
        upload.seek(0)
        kind = kind_of(content[:16])
        if kind is None:
            raise InvalidInput({"documents": _("“%(name)s” is no PDF, PNG or JPEG.") % {"name": name}})
        digest = hashlib.sha256(content).hexdigest()
        found[digest] = Document(upload, f"{PurePath(name).stem}.{kind[1]}", kind[0], digest)
    return list(found.values())


@transaction.atomic
def ask_excuse(
    *, enrolment: Enrolment, session: ClassSession, reason: str, text: str, documents: Sequence[UploadedFile],
) -> Excuse:  # fmt: skip
    """Ask to be excused from a class, before or after it. Raises InvalidInput, Conflict where one was asked already."""
    if reason not in Excuse.Reason.values:
        raise InvalidInput({"reason": _("Choose a reason.")})
    if not text.strip():
        raise InvalidInput({"text": _("Say what happened.")})
    checked = checked_documents(documents)
    try:
        with transaction.atomic():
            made = Excuse.objects.create(enrolment=enrolment, session=session, reason=reason, text=text.strip()[:2000])
    except IntegrityError as error:
        raise Conflict(_("You asked already. Withdraw that request to ask again."), code="asked") from error
    for one in checked:
        row = ExcuseDocument(
            excuse=made, name=one.name, media_type=one.media_type, size_bytes=one.upload.size or 0, digest=one.digest
        )
        # The name on the disk tells nothing of the person or the document.
        row.file.save(f"{made.pk}-{one.digest[:16]}", one.upload, save=True)
    notices.tell_staff("attendance.excuse_asked", made)
    return made


@transaction.atomic
def withdraw_excuse(*, excuse: Excuse, actor: User, now: datetime) -> None:
    """Take a request back that nobody answered. Raises Conflict."""
    waiting = Excuse.objects.filter(pk=excuse.pk, state=Excuse.State.ASKED)
    if not waiting.update(state=Excuse.State.WITHDRAWN, answered_by=actor, answered_at=now):
        raise Conflict(_("It was answered already."), code="answered")


@transaction.atomic
def decide_excuse(*, excuse: Excuse, is_granted: bool, answer: str, actor: User, now: datetime) -> Excuse:
    """Grant or refuse a request; a refusal says why. Draws the verdict anew. Raises InvalidInput, Conflict."""
    if not is_granted and not answer.strip():
        raise InvalidInput({"answer": _("Say why, so that the learner knows what to do.")})
    hold_policy(excuse.session.run_id)
    lock_verdicts([(excuse.session_id, excuse.enrolment_id)])
    state = Excuse.State.GRANTED if is_granted else Excuse.State.REFUSED
    _answer(Excuse.objects.filter(pk=excuse.pk, state=Excuse.State.ASKED), state, answer, actor, now)
    excuse.refresh_from_db()
    _draw_one(excuse, Cause.EXCUSE, actor, now)
    _record("attendance.excuse_decided", excuse, Excuse.State.ASKED, actor)
    notices.tell_learner("attendance.excuse_granted" if is_granted else "attendance.excuse_refused", excuse)
    return excuse


@transaction.atomic
def contest(*, enrolment: Enrolment, session: ClassSession, text: str) -> Contest:
    """Dispute the mark that stands. Raises InvalidInput, Conflict where there is none, or a dispute is open."""
    if not text.strip():
        raise InvalidInput({"text": _("Say what happened.")})
    mark = Verdict.objects.filter(session=session, enrolment=enrolment).values_list("mark", flat=True).first()
    if mark in (None, Mark.NONE):
        raise Conflict(_("There is no mark yet that could be disputed."), code="no_mark")
    try:
        with transaction.atomic():
            made = Contest.objects.create(enrolment=enrolment, session=session, text=text.strip()[:2000], mark=mark)
    except IntegrityError as error:
        raise Conflict(_("You dispute this mark already; the answer comes here."), code="asked") from error
    notices.tell_staff("attendance.contested", made)
    return made


@transaction.atomic
def decide_contest(*, contest: Contest, mark: str, answer: str, actor: User, now: datetime) -> Contest:
    """Answer a dispute: keep the mark (`mark` empty), or put another in its place. The answer is the reason.

    Raises InvalidInput, Conflict where somebody answered already.
    """
    if not answer.strip():
        raise InvalidInput({"answer": _("Say why, for the learner and for whoever looks at it later.")})
    if mark and (mark not in Mark.values or mark == Mark.NONE):
        raise InvalidInput({"mark": _("Choose a mark.")})
    hold_policy(contest.session.run_id)
    lock_verdicts([(contest.session_id, contest.enrolment_id)])
    state = Contest.State.CHANGED if mark else Contest.State.KEPT
    _answer(Contest.objects.filter(pk=contest.pk, state=Contest.State.OPEN), state, answer, actor, now)
    contest.refresh_from_db()
    if mark:
        Evidence.objects.create(
            session=contest.session, enrolment=contest.enrolment, kind=Evidence.Kind.STAFF, act=Evidence.Act.MARK,
            at=now, mark=mark, reason=answer.strip()[:300], by=actor,
        )  # fmt: skip
        _draw_one(contest, Cause.STAFF, actor, now)
    _record("attendance.contest_decided", contest, Contest.State.OPEN, actor)
    notices.tell_learner("attendance.contest_changed" if mark else "attendance.contest_kept", contest)
    return contest


@transaction.atomic
def set_lab_consent(*, enrolment: Enrolment, is_given: bool, now: datetime) -> None:
    """Let one's lab runs count as evidence, or not any more, which draws the verdicts that rest on them anew."""
    hold_policy(enrolment.run_id)
    LabConsent.objects.update_or_create(enrolment=enrolment, defaults={"given_at": now if is_given else None})
    seen = Evidence.objects.filter(enrolment=enrolment, kind=Evidence.Kind.LAB).values("session")
    sessions = {row.pk: row for row in ClassSession.objects.filter(pk__in=seen)}
    draw(
        [(pk, enrolment.pk) for pk in sessions], sessions, policy=policy_of(enrolment.run_id), cause=Cause.CONSENT,
        by_id=enrolment.user_id, now=now,
    )  # fmt: skip
    audit.record(
        actor=enrolment.user, verb="attendance.lab_consent", target=enrolment, subject=enrolment.user,
        scope_path=enrolment.cohort.scope.path, changes={"lab_evidence": (not is_given, is_given)},
    )  # fmt: skip


def _answer(waiting: Any, state: str, answer: str, actor: User, now: datetime) -> None:
    said = {"answer": answer.strip()[:500], "answered_by": actor, "answered_at": now}
    if not waiting.update(state=state, **said):
        raise Conflict(_("It was answered already."), code="answered")


def _draw_one(asked: Excuse | Contest, cause: str, actor: User, now: datetime) -> None:
    draw(
        [(asked.session_id, asked.enrolment_id)], {asked.session_id: asked.session},
        policy=policy_of(asked.session.run_id), cause=cause, by_id=actor.pk, now=now,
    )  # fmt: skip


def _record(verb: str, asked: Excuse | Contest, before: str, actor: User) -> None:
    audit.record(
        actor=actor, verb=verb, target=asked, subject=asked.enrolment.user, reason=asked.answer,
        scope_path=asked.enrolment.cohort.scope.path, changes={"state": (before, asked.state)},
    )  # fmt: skip
