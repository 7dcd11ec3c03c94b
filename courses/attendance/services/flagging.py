"""Flags: what is remarkable about a check-in is noted for a person; what they decide is theirs."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.compiled import Compiled, Given
from campus.core.errors import Conflict, InvalidInput
from campus.people.models import User
from courses.attendance.domain.signals import Seen, suspicions
from courses.attendance.live import tell_board
from courses.attendance.models import DeviceMark, Evidence, Flag

from .drawing import Cause, draw, policy_of
from .locking import hold_policy, lock_verdicts
from .marking import REASON_MOST

_SCANS = Compiled(
    lambda: DeviceMark.objects.filter(evidence__session_id=Given("session"), evidence__act=Evidence.Act.IN)
    .order_by("evidence_id")
    .values_list(
        "evidence_id", "evidence__enrolment__user_id", "device", "network", "evidence__station__room_id", "step",
        "is_fresh",
    )
)  # fmt: skip


def raise_flags(made: Evidence) -> list[Flag]:
    """Compare a check-in by code with the earlier ones of its class; each kind once. Two queries."""
    scans = _scans(made.session_id)
    mine = next(scan for scan in scans if scan.number == made.pk)
    found = suspicions(mine, [scan for scan in scans if scan.number < made.pk])
    flags = [Flag(evidence=made, kind=one.signal.value, other_id=one.other) for one in found]
    if flags:
        Flag.objects.bulk_create(flags, ignore_conflicts=True)
        tell_board(made.session_id)
    return flags


def _scans(session_id: int) -> list[Seen]:
    return [Seen._make(row) for row in _SCANS.rows(session=session_id)]


@transaction.atomic
def judge_flag(*, flag_id: int, is_harmless: bool, note: str, actor: User, now: datetime) -> Flag:
    """Decide a flag: harmless, or the check-in does not count, which undoes it as evidence and draws the verdict anew.

    Raises InvalidInput without a note or with a long one, Conflict where somebody decided it already.
    """
    if not note.strip():
        raise InvalidInput({"note": _("Say why, for the learner and for whoever looks at it later.")})
    if len(note.strip()) > REASON_MOST:
        raise InvalidInput({"note": _("At most %(most)d characters.") % {"most": REASON_MOST}})
    flag = Flag.objects.select_related("evidence__session", "evidence__enrolment__cohort__scope").get(pk=flag_id)
    made = flag.evidence
    session, enrolment = made.session, made.enrolment
    hold_policy(session.run_id)
    lock_verdicts([(session.pk, enrolment.pk)])
    state = Flag.State.DISMISSED if is_harmless else Flag.State.UPHELD
    claimed = Flag.objects.filter(pk=flag_id, state=Flag.State.OPEN).update(
        state=state, note=note.strip(), judged_by=actor, judged_at=now
    )
    if not claimed:
        raise Conflict(_("Somebody has judged this already."), code="judged")
    if not is_harmless and not Evidence.objects.filter(undoes=made).exists():
        Evidence.objects.create(
            session=session, enrolment=enrolment, kind=Evidence.Kind.STAFF, act=Evidence.Act.UNDO, at=now, undoes=made,
            reason=note.strip(), by=actor,
        )  # fmt: skip
        policy = policy_of(session.run_id)
        draw(
            [(session.pk, enrolment.pk)], {session.pk: session}, policy=policy, cause=Cause.STAFF, by_id=actor.pk,
            now=now,
        )  # fmt: skip
    audit.record(
        actor=actor, verb="attendance.flag_judged", target=flag, subject=enrolment.user, reason=note.strip(),
        scope_path=enrolment.cohort.scope.path, changes={"state": (Flag.State.OPEN, state)},
    )  # fmt: skip
    tell_board(session.pk)
    flag.refresh_from_db()
    return flag
