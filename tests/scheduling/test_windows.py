"""The hours of a lending as windows in time."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from labs.scheduling.domain.windows import Hours, windows

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # 21:00 in Seoul, a Friday


def hours(opens: int, closes: int, first: int = 1, last: int | None = None) -> Hours:
    last_day = None if last is None else date(2026, 11, last)
    return Hours(date(2026, 11, first), last_day, time(opens), time(closes), "Asia/Seoul")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # Every night from 19:00 to 08:00 in Seoul: 10:00 to 23:00 UTC.
        (hours(19, 8), [(20, 10, 20, 23), (21, 10, 21, 23), (22, 10, 22, 23)]),
        (hours(9, 18), [(21, 0, 21, 9), (22, 0, 22, 9)]),
        (hours(9, 18, first=22), [(22, 0, 22, 9)]),
        (hours(19, 8, last=20), [(20, 10, 20, 23)]),
        (hours(19, 8, last=19), []),
        (hours(9, 18, last=20), []),
    ],
)
def test_windows_are_in_the_campuss_own_time(given: Hours, expected: list[tuple[int, int, int, int]]) -> None:
    found = [(a.astimezone(UTC), b.astimezone(UTC)) for a, b in windows(given, NOW)]
    assert [(a.day, a.hour, b.day, b.hour) for a, b in found] == expected


def test_a_window_around_the_clock_is_one_and_does_not_seem_to_end() -> None:
    ((opens, closes),) = windows(hours(0, 0), NOW)
    assert opens <= NOW
    assert closes >= NOW + timedelta(days=7)


def test_a_last_day_ends_even_one_around_the_clock() -> None:
    ((_opens, closes),) = windows(hours(0, 0, last=20), NOW)
    assert closes.astimezone(UTC) == datetime(2026, 11, 20, 15, tzinfo=UTC)
