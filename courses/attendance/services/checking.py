"""Checking in and out: by the code on the room's screen, or at a kiosk."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core.compiled import Compiled, Given
from campus.core.errors import Conflict, NotAllowed
from courses.attendance.models import DeviceMark, Evidence, Station, Verdict
from courses.attendance.traces import Traces
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession

from .drawing import Cause, draw, material, policy_of, rules_of
from .flagging import raise_flags
from .locking import hold_policy, lock_verdicts
from .stations import spend_at_kiosk

NO_TRACES = Traces()
#: One may still check out so long after the end.
OUT_AFTER = timedelta(minutes=30)


_ENROLMENT = Compiled(
    lambda: Enrolment.objects.filter(
        user_id=Given("user"), cohort__sessioncohorts__session=Given("session"), state=Enrolment.State.ACTIVE
    ).order_by("cohort_id", "pk")[:1]
)


@dataclass(frozen=True)
class CheckedIn:
    """What became of it. `is_new` False: there was nothing to add, the learner was in (or out) already."""

    verdict: Verdict
    evidence: Evidence | None

    @property
    def is_new(self) -> bool:
        return self.evidence is not None


def enrolment_at(session: ClassSession, user_id: int) -> Enrolment:
    """The enrolment by which a person belongs on the roll of a class. Raises NotAllowed where there is none."""
    found: Enrolment | None = _ENROLMENT.model(user=user_id, session=session.pk)
    if found is None or not session.takes_attendance:
        raise NotAllowed(_("You are not on the roll of this class."))
    return found


@transaction.atomic
def check(
    *,
    station: Station,
    enrolment: Enrolment,
    at: datetime,
    is_leaving: bool = False,
    traces: Traces = NO_TRACES,
    step: int = 0,
    is_fresh: bool = True,
    now: datetime,
) -> CheckedIn:
    """Write that a learner came, or leaves, at `at` (when the code was scanned), and draw the verdict. Twice is once.

    Raises Conflict before check-in opens, after the class (30 minutes after it for checking out), and where it is
    cancelled.
    """
    session = station.session
    hold_policy(session.run_id)
    policy = policy_of(session.run_id)
    rules = rules_of(policy)
    _refuse_wrong_time(session, at, rules.opens_min, is_leaving=is_leaving)
    pair = session.pk, enrolment.pk
    held = lock_verdicts([pair])
    verdict = held[pair]
    act = Evidence.Act.OUT if is_leaving else Evidence.Act.IN
    found = material([session.pk], [enrolment.pk], rules)
    last = found.last_move(pair)
    if last == act or (is_leaving and last is None):
        return CheckedIn(verdict, None)
    kind = Evidence.Kind.QR if station.kind == Station.Kind.SCREEN else Evidence.Kind.KIOSK
    made = Evidence.objects.create(
        session=session, enrolment=enrolment, kind=kind, act=act, at=at, station=station, by_id=enrolment.user_id
    )
    if kind == Evidence.Kind.QR:
        DeviceMark.objects.create(
            evidence=made, device=traces.device, network=traces.network, step=step, is_fresh=is_fresh, at=now
        )
        if not is_leaving:
            raise_flags(made)
    found.add(made)
    draw(
        [pair], {session.pk: session}, policy=policy, cause=Cause.EVIDENCE, by_id=enrolment.user_id, now=now, held=held,
        found=found,
    )  # fmt: skip
    return CheckedIn(verdict, made)


@transaction.atomic
def check_at_kiosk(
    *, station: Station, typed: str, is_leaving: bool = False, now: datetime
) -> tuple[Enrolment, CheckedIn]:
    """Check in, or out, whose code or card number was typed. A code that led to nothing can be typed again.

    Raises as `spend_at_kiosk` and `check`.
    """
    enrolment = spend_at_kiosk(station=station, typed=typed, now=now)
    return enrolment, check(station=station, enrolment=enrolment, at=now, is_leaving=is_leaving, now=now)


def _refuse_wrong_time(session: ClassSession, at: datetime, opens_min: int, *, is_leaving: bool) -> None:
    if not session.is_planned:
        raise Conflict(_("This class was cancelled."), code="cancelled")
    if at < session.starts_at - timedelta(minutes=opens_min):
        raise Conflict(_("Check-in opens %(minutes)d minutes before the class.") % {"minutes": opens_min}, code="early")
    if at >= session.ends_at + (OUT_AFTER if is_leaving else timedelta()):
        raise Conflict(_("This class is over. Tell your instructor if you were there."), code="over")
