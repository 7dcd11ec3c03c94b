"""The timetable's rules, by table and by property, without a database."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.timetable.domain.clashes import (
    COHORT,
    GPUS,
    ROOM,
    TEACHER,
    Busy,
    Kept,
    Need,
    Pool,
    Resource,
    among_themselves,
    clashes_of,
    overlaps,
)
from courses.timetable.domain.free_slots import Hours, free_slots, slots_of, union
from courses.timetable.domain.recurrence import Pattern, days_of, left_out, occurrences
from courses.timetable.domain.week import Span, boxes, hours_shown

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
HOUR = timedelta(hours=1)


def pattern(**changes):
    given = {
        "weekdays": frozenset({0, 2}), "starts": time(9), "ends": time(11), "zone": SEOUL, "from_on": MONDAY,
        "until_on": MONDAY + timedelta(days=13), "skipped": frozenset(),
    }  # fmt: skip
    return Pattern(**(given | changes))


def at(hour, minute=0, day=0):
    return datetime(2026, 3, 2 + day, hour, minute, tzinfo=SEOUL)


# ---- recurrence ---------------------------------------------------------------------------------


def test_a_pattern_meets_on_its_weekdays_between_its_days_both_included():
    assert [day.isoformat() for day in days_of(pattern())] == ["2026-03-02", "2026-03-04", "2026-03-09", "2026-03-11"]


def test_holidays_and_exceptions_are_left_out_and_named():
    wednesday, unrelated = date(2026, 3, 4), date(2026, 3, 5)
    with_exception = pattern(skipped=frozenset({date(2026, 3, 9)}))
    assert days_of(with_exception, {wednesday, unrelated}) == [MONDAY, date(2026, 3, 11)]
    assert left_out(with_exception, {wednesday, unrelated}) == [wednesday]


def test_a_class_keeps_the_wall_clock_when_summer_time_begins():
    summer = pattern(zone=BERLIN, weekdays=frozenset({0}), from_on=date(2026, 3, 23), until_on=date(2026, 3, 30))
    assert [one.starts_at.hour for one in occurrences(summer)] == [8, 7]  # UTC
    assert {one.starts_at.astimezone(BERLIN).hour for one in occurrences(summer)} == {9}


def test_a_time_that_the_clock_skips_is_later_by_what_was_skipped():
    skipped = pattern(
        zone=BERLIN, weekdays=frozenset({6}), starts=time(2, 30), ends=time(4), from_on=date(2026, 3, 29),
        until_on=date(2026, 3, 29),
    )  # fmt: skip
    (one,) = occurrences(skipped)
    assert one.starts_at.astimezone(BERLIN).time() == time(3, 30)
    assert one.starts_at < one.ends_at


@given(
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    length=st.integers(0, 120),
    holidays=st.sets(st.integers(0, 120).map(lambda n: MONDAY + timedelta(days=n)), max_size=12),
)
def test_every_day_of_a_pattern_is_one_of_its_weekdays_and_no_holiday(weekdays, length, holidays):
    one = pattern(weekdays=weekdays, until_on=MONDAY + timedelta(days=length))
    days = days_of(one, holidays)
    assert all(day.weekday() in weekdays and day not in holidays for day in days)
    assert days == sorted(set(days))
    assert sorted(days + left_out(one, holidays)) == days_of(one)


# ---- clashes ------------------------------------------------------------------------------------

ROOM_1, ROOM_2, TEACHER_1, COHORT_1 = (Resource(ROOM, 1), Resource(ROOM, 2), Resource(TEACHER, 1), Resource(COHORT, 1))


@pytest.mark.parametrize(
    ("start", "end", "is_clash"),
    [(at(8), at(9), False), (at(8), at(9, 1), True), (at(10), at(10, 30), True), (at(11), at(12), False),
     (at(8), at(12), True), (at(9, day=1), at(11, day=1), False)],
)  # fmt: skip
def test_a_room_clashes_while_it_is_taken_and_not_as_one_class_ends(start, end, is_clash):
    busy = [Busy(ROOM_1, at(9), at(11), "기계 학습")]
    assert bool(clashes_of(Need(start, end, frozenset({ROOM_1})), busy)) is is_clash


def test_every_clash_is_named_and_not_only_the_first():
    busy = [
        Busy(COHORT_1, at(10), at(12), "실습", 7), Busy(TEACHER_1, at(8), at(10), "회의", 8),
        Busy(ROOM_1, at(9), at(10), "세미나", 9), Busy(ROOM_2, at(9), at(10), "다른 방", 9),
    ]  # fmt: skip
    found = clashes_of(Need(at(9), at(11), frozenset({ROOM_1, TEACHER_1, COHORT_1})), busy)
    assert [(one.kind, one.by, one.by_id) for one in found] == [
        (ROOM, "세미나", 9), (TEACHER, "회의", 8), (COHORT, "실습", 7)
    ]  # fmt: skip


def test_a_pool_clashes_only_where_the_sum_at_an_instant_is_too_much():
    kept = (Kept(4, at(9), at(10), "가"), Kept(4, at(10), at(11), "나"))
    assert clashes_of(Need(at(9), at(11), pools=(Pool(1, 8, 4, kept),)), []) == []
    (first, second) = clashes_of(Need(at(9), at(11), pools=(Pool(1, 8, 5, kept),)), [])
    assert (first.kind, first.left, first.by) == (GPUS, 4, "가")
    assert second.by == "나"
    (alone,) = clashes_of(Need(at(9), at(11), pools=(Pool(1, 2, 5),)), [])
    assert (alone.left, alone.by) == (2, "")


def test_a_series_that_meets_twice_at_a_time_clashes_with_itself():
    needs = [Need(at(9), at(11), frozenset({ROOM_1})), Need(at(10), at(12), frozenset({ROOM_1, TEACHER_1}))]
    assert [(one.kind, one.at) for one in among_themselves(needs)] == [(ROOM, at(10))]


# ---- free slots ---------------------------------------------------------------------------------

EARLY = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_nearest_free_times_come_first_and_are_open_and_free():
    busy = [Busy(ROOM_1, at(9), at(12), "세미나")]
    slots = free_slots(Need(at(9), at(11), frozenset({ROOM_1})), busy, Hours(SEOUL), not_before=EARLY)
    assert [slot.starts_at for slot in slots] == [at(12), at(12, 30), at(13)]


def test_a_slot_is_not_offered_in_the_past_or_on_a_closed_day():
    closed = frozenset({date(2026, 3, 3)})
    busy = [Busy(ROOM_1, at(8), at(22), "행사")]
    need = Need(at(9), at(11), frozenset({ROOM_1}))
    slots = free_slots(need, busy, Hours(SEOUL, closed=closed), not_before=at(9))
    assert [slot.starts_at for slot in slots] == [at(8, day=2), at(8, 30, day=2), at(9, day=2)]


def test_slots_wait_for_the_pool_too():
    pool = Pool(1, 8, 6, (Kept(4, at(8), at(15), "실습"),))
    slots = free_slots(Need(at(9), at(11), pools=(pool,)), [], Hours(SEOUL), not_before=at(8), most=1)
    assert [slot.starts_at for slot in slots] == [at(15)]


spans = st.tuples(st.integers(0, 14 * 48), st.integers(1, 12)).map(
    lambda given: (at(0) + given[0] * HOUR / 2, at(0) + (given[0] + given[1]) * HOUR / 2)
)


@given(busy=st.lists(spans, max_size=25), wish=spans)
def test_what_is_offered_is_free_of_every_clash(busy, wish):
    taken = [Busy(ROOM_1, start, end) for start, end in busy]
    slots = free_slots(Need(*wish, frozenset({ROOM_1})), taken, Hours(SEOUL), not_before=at(0), within_days=5)
    distances = [abs(slot.starts_at - wish[0]) for slot in slots]
    assert distances == sorted(distances)
    for slot in slots:
        assert slot.ends_at - slot.starts_at == wish[1] - wish[0]
        assert not clashes_of(Need(slot.starts_at, slot.ends_at, frozenset({ROOM_1})), taken)
        assert 8 <= slot.starts_at.astimezone(SEOUL).hour < 22


@given(busy=st.lists(spans, max_size=25))
def test_a_union_covers_the_same_instants_and_its_parts_do_not_touch(busy):
    joined = union(busy)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(joined))
    assert all(any(start <= one[0] and one[1] <= end for start, end in joined) for one in busy)
    assert {start for start, _end in joined} <= {start for start, _end in busy}


def test_office_hours_have_whole_slots_and_those_taken_are_gone():
    parts = slots_of(at(14), at(15, 10), 20, taken={at(14, 20)})
    assert [part.starts_at for part in parts] == [at(14), at(14, 40)]


# ---- the week's grid ----------------------------------------------------------------------------


def test_a_box_stands_at_its_quarter_hours_of_the_campus():
    (box,) = boxes([Span(1, at(9, 30).astimezone(UTC), at(11).astimezone(UTC))], SEOUL, first_hour=8)
    assert (box.on, box.row, box.rows, box.lane, box.lanes) == (MONDAY, 7, 6, 1, 1)


def test_the_grid_shows_early_and_late_classes_and_cuts_at_midnight():
    night = Span(1, at(6, 30), at(1, day=1))
    assert hours_shown([night], SEOUL) == (6, 24)
    (box,) = boxes([night], SEOUL, first_hour=6)
    assert box.row + box.rows - 1 == 18 * 4


@given(st.lists(spans, max_size=12))
def test_no_two_boxes_of_a_day_cover_each_other(given_spans):
    laid = [Span(key, start, end) for key, (start, end) in enumerate(given_spans)]
    by_key = {box.key: box for box in boxes(laid, SEOUL)}
    assert len(by_key) == len(laid)
    for a in laid:
        for b in laid[a.key + 1 :]:
            if overlaps(a.starts_at, a.ends_at, b.starts_at, b.ends_at):
                assert by_key[a.key].lane != by_key[b.key].lane
                assert by_key[a.key].lanes == by_key[b.key].lanes
