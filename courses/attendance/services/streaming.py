"""Watching the stream: heartbeats of a page become spans of evidence. Opening the stream alone is no presence."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core.errors import Conflict
from courses.attendance.domain.beats import GAP, Watch, beat, lapsed
from courses.attendance.models import Evidence, StreamWatch
from courses.attendance.words import clock
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession

from .drawing import Cause, draw, policy_of, rules_of
from .locking import hold_policy, lock_verdicts

Span = tuple[datetime, datetime]


@transaction.atomic
def hear(
    *, session: ClassSession, enrolment: Enrolment, tab: uuid.UUID, is_leaving: bool = False, now: datetime
) -> bool:
    """Take a heartbeat of one page, by the server's clock. Says whether evidence was written.

    Raises Conflict outside the class's time (from check-in on until its end).
    """
    hold_policy(session.run_id)
    if not session.is_planned:
        raise Conflict(_("This class was cancelled."), code="cancelled")
    opens = session.starts_at - timedelta(minutes=rules_of(policy_of(session.run_id)).opens_min)
    if now < opens and not is_leaving:
        raise Conflict(_("The stream counts from %(when)s on.") % {"when": clock(opens)}, code="early")
    lock_verdicts([(session.pk, enrolment.pk)])
    kept = StreamWatch.objects.filter(session=session, enrolment=enrolment, tab=tab).first()
    if now > session.ends_at:  # the rest of the class is written, and then nothing counts any more
        now, is_leaving = max(session.ends_at, kept.seen_at) if kept else session.ends_at, True
    known = Watch(kept.since, kept.seen_at, kept.parts) if kept else None
    beaten = beat(known, now, is_leaving=is_leaving)
    if beaten.watch is None:
        StreamWatch.objects.filter(session=session, enrolment=enrolment, tab=tab).delete()
    else:
        watch = {"since": beaten.watch.since, "seen_at": beaten.watch.seen_at, "parts": beaten.watch.parts}
        StreamWatch.objects.update_or_create(session=session, enrolment=enrolment, tab=tab, defaults=watch)
    if beaten.span is None:
        return False
    _write(session, [(enrolment.pk, tab, beaten.span)], now)
    return True


@transaction.atomic
def end_lapsed(*, session: ClassSession, now: datetime) -> int:
    """Write what pages saw that were closed without a word. Returns how many."""
    hold_policy(session.run_id)
    quiet = list(StreamWatch.objects.filter(session=session, seen_at__lt=now - GAP).order_by("enrolment_id"))
    lock_verdicts((session.pk, row.enrolment_id) for row in quiet)
    # Whoever came back before the lock was had beats on.
    still = StreamWatch.objects.filter(pk__in=[row.pk for row in quiet], seen_at__lt=now - GAP)
    spans = []
    for row in still.order_by("enrolment_id"):
        span = lapsed(Watch(row.since, row.seen_at, row.parts), now)
        if span is not None:
            spans.append((row.enrolment_id, row.tab, span))
    still.delete()
    _write(session, spans, now)
    return len(spans)


def _write(session: ClassSession, spans: Iterable[tuple[int, uuid.UUID, Span]], now: datetime) -> None:
    rows = [
        Evidence(
            session=session, enrolment_id=enrolment_id, kind=Evidence.Kind.STREAM, act=Evidence.Act.SPAN, at=start,
            until=end, key=f"stream:{tab}:{start.timestamp():.3f}",
        )
        for enrolment_id, tab, (start, end) in spans
    ]  # fmt: skip
    if not rows:
        return
    Evidence.objects.bulk_create(rows, ignore_conflicts=True)
    draw(
        [(session.pk, row.enrolment_id) for row in rows], {session.pk: session}, policy=policy_of(session.run_id),
        cause=Cause.EVIDENCE, by_id=None, now=now,
    )  # fmt: skip
