"""Marks that staff give, one or many at once, with a reason; and taking them back."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.people.models import User
from courses.attendance.models import Evidence, Mark, Verdict
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession

from .drawing import Cause, draw, policy_of
from .locking import hold_policy, lock_verdicts

#: Longer rolls than any hall holds are a mistake.
MOST = 1_000
REASON_MOST = 300


@dataclass(frozen=True)
class Wish:
    """A learner to mark, and the revision of the verdict that the marker saw (None: whatever it is)."""

    enrolment_id: int
    revision: int | None = None


@transaction.atomic
def mark(
    *, session: ClassSession, wishes: Sequence[Wish], mark: str, reason: str, actor: User, cohort_ids: Sequence[int],
    now: datetime,
) -> uuid.UUID:  # fmt: skip
    """Mark learners of these cohorts in one class; all of them or none. Returns the batch, by which it is undone.

    Raises InvalidInput (no reason, no such mark), NotFound (not of these cohorts), Conflict where a verdict is no
    longer what the marker saw, or the class was cancelled.
    """  # fmt: skip
    _check(wishes, mark, reason, session)
    wanted = {wish.enrolment_id: wish.revision for wish in wishes}
    enrolled = Enrolment.objects.select_related("user", "cohort__scope").filter(pk__in=wanted, cohort__in=cohort_ids)
    people = {row.pk: row for row in enrolled}
    if len(people) < len(wanted):
        raise NotFound
    hold_policy(session.run_id)
    held = lock_verdicts((session.pk, pk) for pk in wanted)
    stale = [row for (_s, pk), row in held.items() if wanted[pk] is not None and wanted[pk] != row.revision]
    if stale:
        raise _changed_meanwhile(stale, people)
    batch = uuid.uuid4()
    Evidence.objects.bulk_create(
        Evidence(
            session=session, enrolment_id=pk, kind=Evidence.Kind.STAFF, act=Evidence.Act.MARK, at=now, mark=mark,
            reason=reason.strip(), batch=batch, by=actor,
        )
        for pk in sorted(wanted)
    )  # fmt: skip
    _redraw(session, sorted(wanted), actor, now)
    for pk, enrolment in people.items():
        audit.record(
            actor=actor, verb="attendance.marked", target=held[session.pk, pk], subject=enrolment.user,
            scope_path=enrolment.cohort.scope.path, reason=reason.strip(),
            changes={"mark": (held[session.pk, pk].mark, mark)},
        )  # fmt: skip
    return batch


@transaction.atomic
def undo(*, batch: uuid.UUID, actor: User, cohort_ids: Sequence[int], now: datetime) -> int:
    """Take back what was marked at once: the verdicts are drawn as if it had not been said. Returns how many.

    Raises NotFound (no such batch of these cohorts), Conflict where all of it was taken back already.
    """
    made = Evidence.objects.select_related("session", "enrolment__user", "enrolment__cohort__scope").filter(
        batch=batch, act=Evidence.Act.MARK, enrolment__cohort__in=cohort_ids
    )
    rows = list(made.order_by("enrolment_id"))
    if not rows:
        raise NotFound
    session = rows[0].session
    hold_policy(session.run_id)
    lock_verdicts((session.pk, row.enrolment_id) for row in rows)
    undone = set(Evidence.objects.filter(undoes__in=rows).values_list("undoes_id", flat=True))
    left = [row for row in rows if row.pk not in undone]
    if not left:
        raise Conflict(_("This was taken back already."), code="undone")
    Evidence.objects.bulk_create(
        Evidence(
            session=session, enrolment_id=row.enrolment_id, kind=Evidence.Kind.STAFF, act=Evidence.Act.UNDO, at=now,
            undoes=row, reason=_("Taken back"), by=actor,
        )
        for row in left
    )  # fmt: skip
    _redraw(session, [row.enrolment_id for row in left], actor, now)
    for row in left:
        audit.record(
            actor=actor, verb="attendance.mark_undone", target=row, subject=row.enrolment.user,
            scope_path=row.enrolment.cohort.scope.path,
        )  # fmt: skip
    return len(left)


def _redraw(session: ClassSession, enrolment_ids: Sequence[int], actor: User, now: datetime) -> None:
    draw(
        [(session.pk, pk) for pk in enrolment_ids], {session.pk: session}, policy=policy_of(session.run_id),
        cause=Cause.STAFF, by_id=actor.pk, now=now,
    )  # fmt: skip


def _check(wishes: Sequence[Wish], mark: str, reason: str, session: ClassSession) -> None:
    if mark not in Mark.values or mark == Mark.NONE:
        raise InvalidInput({"mark": _("Choose a mark.")})
    if not reason.strip():
        raise InvalidInput({"reason": _("Say why, for the learner and for whoever looks at it later.")})
    if len(reason.strip()) > REASON_MOST:
        raise InvalidInput({"reason": _("At most %(most)d characters.") % {"most": REASON_MOST}})
    if not wishes:
        raise InvalidInput({"learners": _("Choose at least one learner.")})
    if len(wishes) > MOST:
        raise InvalidInput({"learners": _("At most %(most)d at once.") % {"most": MOST}})
    if not session.is_planned:
        raise Conflict(_("This class was cancelled."), code="cancelled")


def _changed_meanwhile(stale: Sequence[Verdict], people: dict[int, Enrolment]) -> Conflict:
    now = ", ".join(f"{people[row.enrolment_id].user.name}: {Mark(row.mark).label}" for row in stale[:5])
    text = _("Somebody marked them meanwhile (%(now)s). Look again, then decide.") % {"now": now}
    changed = [{"enrolment": row.enrolment_id, "mark": row.mark, "revision": row.revision} for row in stale]
    return Conflict(text, code="changed_meanwhile", facts={"changed": changed})
