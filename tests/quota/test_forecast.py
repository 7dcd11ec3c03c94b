"""When an account runs out: by table, and for any use."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.quota.domain.forecast import HORIZON_DAYS, Verdict, forecast

TODAY = date(2026, 11, 23)  # a Monday
LONG_AGO = date(2026, 1, 1)


def weeks(*totals: int, weekday: int | None = None) -> dict[date, int]:
    """Use in the weeks before today, newest first: spread evenly, or all of it on one weekday."""
    used = {}
    for ago, total in enumerate(totals):
        for offset in range(7):
            day = TODAY - timedelta(days=ago * 7 + offset + 1)
            used[day] = total // 7 if weekday is None else total if day.weekday() == weekday else 0
    return used


def at(used: dict[date, int], free_s: int, until: date | None = None, first: date = LONG_AGO):
    return forecast(used=used, first=first, today=TODAY, free_s=free_s, until=until)


def test_steady_use_runs_out_a_fifth_around_the_plain_division() -> None:
    found = at(weeks(700, 700, 700, 700), 1200)
    # 100 a day: 12 days; at 120 a day 10, at 80 a day 15. Today is the first of them.
    assert (found.verdict, found.week_s, found.weeks) == (Verdict.RUNS_OUT, 700, 4)
    assert (found.earliest_on, found.latest_on) == (TODAY + timedelta(9), TODAY + timedelta(14))


@pytest.mark.parametrize(
    ("until", "verdict"),
    [
        (TODAY + timedelta(8), Verdict.LASTS),
        (TODAY + timedelta(9), Verdict.MAY_RUN_OUT),
        (TODAY + timedelta(13), Verdict.MAY_RUN_OUT),
        (TODAY + timedelta(14), Verdict.RUNS_OUT),
        (None, Verdict.RUNS_OUT),
    ],
)
def test_the_end_of_the_term_decides_what_a_date_means(until: date | None, verdict: Verdict) -> None:
    assert at(weeks(700, 700, 700, 700), 1200, until).verdict is verdict


def test_one_odd_week_does_not_move_it() -> None:
    steady = at(weeks(700, 700, 700, 700), 5000)
    assert at(weeks(700, 700, 700, 0), 5000).week_s == steady.week_s
    assert at(weeks(700, 70_000, 700, 700), 5000).week_s == steady.week_s


def test_use_on_one_weekday_only_ends_on_that_weekday() -> None:
    found = at(weeks(700, 700, 700, 700, weekday=3), 2000)
    assert found.earliest_on is not None
    assert found.latest_on is not None
    assert {found.earliest_on.weekday(), found.latest_on.weekday()} == {3}


def test_what_was_never_used_is_unused_and_what_is_gone_is_gone() -> None:
    assert at({}, 100).verdict is Verdict.UNUSED
    assert at({TODAY: 50}, 100).verdict is Verdict.UNUSED  # today is not over: it says nothing of a day
    assert at(weeks(700), 0).verdict is Verdict.EMPTY


def test_a_young_account_counts_the_whole_weeks_that_there_are() -> None:
    assert at(weeks(700), 100, first=TODAY - timedelta(6)).verdict is Verdict.TOO_EARLY
    found = at(weeks(700, 700), 1200, first=TODAY - timedelta(8))
    assert (found.weeks, found.week_s) == (1, 700)


def test_much_for_little_use_lasts() -> None:
    found = at(weeks(7, 7, 7, 7), 10**9)
    assert (found.verdict, found.earliest_on, found.latest_on) == (Verdict.LASTS, None, None)


def test_a_day_that_refunds_more_than_it_charged_is_a_day_without_use() -> None:
    used = weeks(700, 700, 700, 700)
    assert at(used | {TODAY - timedelta(1): -50}, 1200).week_s == at(used | {TODAY - timedelta(1): 0}, 1200).week_s


uses = st.dictionaries(st.integers(1, 40).map(lambda ago: TODAY - timedelta(ago)), st.integers(-100, 10**6))


@given(uses, st.integers(1, 10**9), st.integers(1, 10**9))
def test_with_more_left_it_never_runs_out_sooner(used: dict[date, int], one: int, other: int) -> None:
    less, more = (at(used, free_s) for free_s in sorted((one, other)))
    for before, after in ((less.earliest_on, more.earliest_on), (less.latest_on, more.latest_on)):
        assert after is None or (before is not None and before <= after)


@given(uses, st.integers(1, 10**9), st.integers(0, 60))
def test_a_range_is_a_range_and_the_verdict_says_where_the_end_lies(
    used: dict[date, int], free_s: int, days: int
) -> None:
    until = TODAY + timedelta(days)
    found = at(used, free_s, until)
    last = TODAY + timedelta(HORIZON_DAYS + 7)
    if found.latest_on is not None:
        assert found.earliest_on is not None
        assert TODAY <= found.earliest_on <= found.latest_on <= last
    runs_out = {
        Verdict.RUNS_OUT: found.latest_on is not None and found.latest_on <= until,
        Verdict.MAY_RUN_OUT: found.earliest_on is not None and found.earliest_on <= until,
        Verdict.LASTS: found.earliest_on is None or found.earliest_on > until,
    }
    assert runs_out.get(found.verdict, not any(seconds > 0 for day, seconds in used.items() if (TODAY - day).days < 29))
