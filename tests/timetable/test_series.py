"""A weekly series: booked whole or not at all, changed without touching what was changed by hand."""

from datetime import time

import pytest

from courses.timetable.models import ClassSession, Holiday
from courses.timetable.services import PlaceWish, SeriesWish, cancel_session, end_series, move_session, save_series
from courses.timetable.services.looking import TimetableClash
from labs.scheduling.models import ClassReservation
from tests.courses import build as courses

from . import build
from .test_booking import Term, held, notices

pytestmark = pytest.mark.django_db


@pytest.fixture
def term():
    return Term()


def when(weekdays=(0, 2), hours=(9, 11), days=(0, 20), **changes):
    given = {
        "weekdays": weekdays, "starts": time(hours[0]), "ends": time(hours[1]), "from_on": build.at(days[0], 0).date(),
        "until_on": build.at(days[1], 0).date(),
    }  # fmt: skip
    return SeriesWish(**(given | changes))


def plan(term, pattern=None, series=None, **changes):
    return save_series(
        run_id=term.run.pk, wish=term.wish(**changes), when=pattern or when(), actor=term.planner,
        series_id=series.pk if series else None,
    )  # fmt: skip


def starts(series):
    rows = series.sessions.filter(state="PLANNED").order_by("starts_at")
    return [row.starts_at for row in rows]


def test_a_series_books_all_its_classes_with_their_gpus(term):
    learner = courses.learner(term.yongin).user
    saved = plan(term, places=term.places(gpus=4))
    assert (saved.planned, starts(saved.series)[0], starts(saved.series)[-1]) == (6, build.at(0, 9), build.at(16, 9))
    assert ClassReservation.objects.filter(state="BOOKED").count() == 6
    assert notices(learner) == ["timetable.series_added"]  # once, not six times


def test_one_clash_in_one_week_keeps_the_whole_series_out_and_names_a_time_free_in_all(term):
    term.plan(start=build.at(7, 10), title="특강")
    with pytest.raises(TimetableClash) as caught:
        plan(term)
    assert {one.clash.at for one in caught.value.clashes} == {build.at(7, 9)}
    assert [slot.starts_at.astimezone(build.SEOUL).time() for slot in caught.value.slots] == [
        time(8), time(12), time(12, 30)
    ]  # fmt: skip
    assert ClassSession.objects.count() == 1


def test_a_change_moves_the_classes_to_come_but_those_changed_by_hand(term):
    series = plan(term).series
    by_hand = series.sessions.get(starts_at=build.at(2, 9))
    move_session(session_id=by_hand.pk, starts_at=build.at(3, 15), actor=term.planner)
    called_off = series.sessions.get(starts_at=build.at(7, 9))
    cancel_session(session_id=called_off.pk, actor=term.planner, reason="축제")
    saved = plan(term, when(hours=(13, 15)), series)
    assert (saved.planned, saved.kept_by_hand) == (4, 2)
    assert starts(series) == [build.at(0, 13), build.at(3, 15), *(build.at(day, 13) for day in (9, 14, 16))]
    called_off.refresh_from_db()
    assert called_off.state == "CANCELLED"


def test_a_day_that_leaves_the_pattern_is_cancelled_and_comes_back_as_itself(term):
    series = plan(term).series
    uid = series.sessions.get(starts_at=build.at(2, 9)).uid
    plan(term, when(weekdays=(0,)), series)
    gone = ClassSession.objects.get(uid=uid)
    assert (gone.state, gone.sequence, held(gone.booking_key)) == ("CANCELLED", 1, [])
    plan(term, when(), series)
    gone.refresh_from_db()
    assert (gone.state, gone.sequence) == ("PLANNED", 3 - 1)
    assert len(starts(series)) == 6
    assert len(held(gone.booking_key)) == 2


def test_holidays_of_a_campus_of_the_series_are_left_out_and_those_of_others_are_not(term):
    Holiday.objects.create(on=build.at(0, 0).date(), name_ko="지방 공휴일", campus=term.jeonbuk.campus)
    Holiday.objects.create(on=build.at(2, 0).date(), name_ko="다른 캠퍼스", campus=courses.campus())
    saved = plan(term)
    assert saved.holidays == (build.at(0, 0).date(),)
    assert build.at(0, 9) not in starts(saved.series)
    assert build.at(2, 9) in starts(saved.series)


def test_ending_a_series_frees_the_rest(term):
    series = plan(term, places=(PlaceWish(term.yongin.pk, term.room.pk, 4, "", term.site.pk),)).series
    assert end_series(series_id=series.pk, actor=term.planner, reason="폐강") == 6
    assert not ClassReservation.objects.filter(state="BOOKED").exists()
    assert plan(term, title="다음").planned == 6
