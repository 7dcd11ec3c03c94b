"""After a class: what labs saw, every verdict, who comes close to the limit; and forgetting what is old."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from courses.assignments.models import LabRun
from courses.attendance import notices
from courses.attendance.domain.standing import Grade
from courses.attendance.models import DeviceMark, Evidence, KioskCode, LabConsent, Register, Station, StreamWatch
from courses.attendance.standings import standings
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession, Kind

from .checking import OUT_AFTER
from .drawing import Cause, draw, policy_of, rolls
from .locking import hold_policy
from .streaming import end_lapsed

#: Hashes of devices and networks are kept so long, for judging flags and contests, and then deleted.
DEVICES_KEPT_FOR = timedelta(days=120)
#: A class that was over so long ago is not looked at by itself any more.
LOOK_BACK = timedelta(days=60)
A_SWEEP = 50
#: A lab run is a sign of its learner at the moment of submitting, and counts for so long.
LAB_COUNTS_FOR = timedelta(minutes=10)


def due_classes(now: datetime) -> list[int]:
    """Classes that are over, check-out included, and those that were moved after their verdicts were drawn."""
    held = ClassSession.objects.filter(state=ClassSession.State.PLANNED, ends_at__gt=now - LOOK_BACK)
    is_open = Q(register=None, ends_at__lt=now - OUT_AFTER)
    is_moved = Q(register__isnull=False) & ~Q(register__sequence=F("sequence"))
    due = held.exclude(kind=Kind.OFFICE).filter(is_open | is_moved)
    return list(due.order_by("ends_at").values_list("pk", flat=True)[:A_SWEEP])


@transaction.atomic
def close_class(*, session_id: int, now: datetime) -> bool:
    """Draw the verdict of everybody on the roll of a class that is over, or was moved since.

    Says whether there was anything to do. Any number of these may run at once.
    """
    session = ClassSession.objects.select_for_update(of=("self",)).filter(pk=session_id).first()
    if session is None or not session.is_planned or not session.takes_attendance:
        return False
    kept = Register.objects.filter(session=session).first()
    is_drawn = kept is not None and kept.sequence == session.sequence
    if is_drawn or (kept is None and not session.is_over(now)):
        return False
    end_lapsed(session=session, now=now)
    hold_policy(session.run_id)
    roll = rolls([session])[session.pk]
    _see_labs(session, roll)
    draw(
        [(session.pk, pk) for pk in roll], {session.pk: session}, policy=policy_of(session.run_id),
        cause=Cause.CLOSE if kept is None else Cause.TIMETABLE, by_id=None, now=now,
    )  # fmt: skip
    if not session.is_over(now):  # moved to a day to come: what was drawn for the old one is taken back
        Register.objects.filter(session=session).delete()
        return True
    Register.objects.update_or_create(session=session, defaults={"sequence": session.sequence, "closed_at": now})
    Station.objects.filter(session=session, closed_at=None).update(closed_at=now)
    KioskCode.objects.filter(session=session).delete()
    _warn(session, roll)
    return True


def _see_labs(session: ClassSession, roll: list[int]) -> None:
    """Runs of the class's labs, submitted while it was on, by learners who consented. A repeated sweep adds nothing."""
    if session.kind != Kind.LAB or session.module_id is None:
        return
    consenting = LabConsent.objects.filter(enrolment__in=roll).exclude(given_at=None).values("enrolment")
    runs = LabRun.objects.filter(
        lab__module=session.module_id, enrolment__in=consenting, job__submitted_at__gte=session.starts_at,
        job__submitted_at__lt=session.ends_at,
    )  # fmt: skip
    Evidence.objects.bulk_create(
        (
            Evidence(
                session=session, enrolment_id=enrolment_id, kind=Evidence.Kind.LAB, act=Evidence.Act.SPAN, at=at,
                until=min(at + LAB_COUNTS_FOR, session.ends_at), key=f"lab:{session.pk}:{job_id}",
            )
            for enrolment_id, job_id, at in runs.values_list("enrolment_id", "job_id", "job__submitted_at")
        ),
        ignore_conflicts=True,
    )  # fmt: skip


def _warn(session: ClassSession, roll: list[int]) -> None:
    people = Enrolment.objects.select_related("user").filter(pk__in=roll, state=Enrolment.State.ACTIVE)
    found = standings([*people])
    kinds = {Grade.NEAR: "attendance.near_limit", Grade.FAILED: "attendance.limit_reached"}
    for enrolment in people:
        grade = found[enrolment.pk].grade
        if grade in kinds:
            notices.tell_standing(kinds[grade], enrolment, session.run.course.name)


def forget(now: datetime) -> int:
    """Delete hashes of devices and networks that are older than what is kept. Returns how many."""
    return DeviceMark.objects.filter(at__lt=now - DEVICES_KEPT_FOR).delete()[0]


def watched_classes() -> list[int]:
    """Classes of which somebody watches the stream, or left it without a word."""
    return list(StreamWatch.objects.order_by("session_id").values_list("session_id", flat=True).distinct())
