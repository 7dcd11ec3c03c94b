"""Classes, a series, office hours with a slot, a holiday, a stream and a feed, of Yongin's cohort and its learner."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from courses.timetable.models import ClassSession
from courses.timetable.services import (
    ClassWish,
    PlaceWish,
    SeriesWish,
    add_holiday,
    renew_feed,
    save_series,
    save_session,
    save_stream,
    take_slot,
)
from courses.timetable.services.calendars import token_of

from .world import World


def planned(world: World) -> dict[str, object]:
    """What the timetable's addresses may name."""
    day = timezone.localdate() + timedelta(days=3)
    places = (PlaceWish(world.cohort.pk, world.room.pk),)

    def plan(hour: int, **fields: object) -> ClassSession:
        start = datetime.combine(day, time(hour), ZoneInfo("Asia/Seoul"))
        wish = ClassWish(title="수업", places=places, teacher_ids=(world.people["instructor"].pk,), **fields)  # type: ignore[arg-type]
        return save_session(
            run_id=world.run.pk, wish=wish, starts_at=start, ends_at=start + timedelta(hours=1), actor=None
        ).session

    made, office = plan(9), plan(11, kind="OFFICE", slot_minutes=20)
    when = SeriesWish((day.weekday(),), time(14), time(15), day, day + timedelta(days=7))
    series = save_series(run_id=world.run.pk, wish=ClassWish(title="주간", places=places), when=when, actor=None).series
    holiday = add_holiday(on=day + timedelta(days=30), name_ko="휴일", campus_id=world.yongin.pk, actor=None)
    slot = take_slot(session_id=office.pk, starts_at=office.starts_at, learner=world.learner)
    return {
        "class": made.pk,
        "office": office.pk,
        "series": series.pk,
        "slot": slot.pk,
        "holiday": holiday.pk,
        "stream": save_stream(name_ko="채널", url="https://live.example/1", actor=None).pk,
        "feed": token_of(renew_feed(user=world.learner)),
    }
