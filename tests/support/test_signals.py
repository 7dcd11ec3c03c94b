"""The rules of signals: each by itself, from its threshold on, hidden by a note until it gets worse."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.support.domain.signals import (
    Cohort,
    Evidence,
    Kind,
    Signal,
    Thresholds,
    cohort_of,
    fall_pct,
    open_signals,
    signals,
)

LIMITS = Thresholds()
COHORT = Cohort(lessons=20, middle_lessons=Decimal(10), middle_days_idle=Decimal(3))
FINE = Evidence(classes=30, lessons_done=10, days_idle=2)


def grades(*percents: int) -> tuple[Decimal, ...]:
    return tuple(Decimal(one) for one in percents)


@pytest.mark.parametrize(
    ("known", "kind", "value"),
    [
        (replace(FINE, absences=2), Kind.ABSENCES, 2),
        (replace(FINE, lessons_done=5), Kind.LESSONS, 25),
        (replace(FINE, missing=1), Kind.MISSING, 1),
        (replace(FINE, late=3), Kind.LATE, 3),
        (replace(FINE, days_idle=14), Kind.IDLE, 14),
        (replace(FINE, grades=grades(80, 80, 60, 70)), Kind.FALLING, 15),
    ],
)
def test_each_signal_is_shown_from_its_threshold_on_and_by_itself(known: Evidence, kind: Kind, value: int) -> None:
    (one,) = signals(known, COHORT, LIMITS)
    assert (one.kind, one.value, one.threshold) == (kind, value, LIMITS.of(kind))


@pytest.mark.parametrize(
    "known",
    [
        FINE,
        replace(FINE, absences=1),
        replace(FINE, lessons_done=6),
        replace(FINE, late=2),
        replace(FINE, days_idle=13),
        replace(FINE, days_idle=None),
        replace(FINE, grades=grades(80, 80, 66, 66)),
        replace(FINE, grades=grades(100, 0, 0)),
        replace(FINE, grades=grades(0, 0, 100, 100)),
        replace(FINE, lessons_done=20),
    ],
)
def test_below_the_threshold_nothing_is_said(known: Evidence) -> None:
    assert signals(known, COHORT, LIMITS) == ()


def test_a_week_in_which_nobody_runs_jobs_is_nobodys_signal() -> None:
    resting = replace(COHORT, middle_days_idle=Decimal(14))
    assert signals(replace(FINE, days_idle=40), resting, LIMITS) == ()


def test_zero_turns_a_signal_off() -> None:
    off = Thresholds(0, 0, 0, 0, 0, 0)
    worst = Evidence(9, 3, 10, 0, 9, 9, 90, grades(100, 100, 0, 0))
    assert signals(worst, COHORT, off) == ()


def test_the_middle_of_a_cohort_leaves_out_who_has_no_labs() -> None:
    known = [replace(FINE, lessons_done=done, days_idle=idle) for done, idle in ((1, None), (4, 2), (9, 8))]
    assert cohort_of(known, 12) == Cohort(12, Decimal(4), Decimal(5))
    assert cohort_of([], 12) == Cohort(12, Decimal(0), None)


def test_too_few_grades_say_nothing() -> None:
    assert fall_pct(grades(100, 0, 0)) == 0
    assert fall_pct(()) == 0


counts = st.integers(0, 60)
evidence = st.builds(
    Evidence,
    absences=counts,
    lessons_done=st.integers(0, 20),
    missing=counts,
    late=counts,
    days_idle=st.none() | st.integers(0, 200),
    grades=st.lists(st.decimals(0, 100, places=1), max_size=8).map(tuple),
)
limits = st.builds(
    Thresholds,
    absences=st.integers(0, 9),
    lessons_pct=st.integers(0, 100),
    missing=st.integers(0, 9),
    late=st.integers(0, 9),
    idle_days=st.integers(0, 60),
    falling_pct=st.integers(0, 100),
)


@given(evidence, limits)
def test_a_signal_is_there_exactly_from_its_threshold_on(known: Evidence, given_limits: Thresholds) -> None:
    found = {one.kind: one for one in signals(known, COHORT, given_limits)}
    assert all(one.value >= one.threshold > 0 for one in found.values())
    for kind, value in ((Kind.ABSENCES, known.absences), (Kind.MISSING, known.missing), (Kind.LATE, known.late)):
        threshold = given_limits.of(kind)
        assert (kind in found) == (threshold > 0 and value >= threshold)


@given(evidence, limits, st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(0, 60))
def test_what_gets_worse_takes_no_signal_away_and_lowers_no_level(
    known: Evidence, given_limits: Thresholds, absences: int, missing: int, late: int, days: int
) -> None:
    worse = replace(
        known,
        absences=known.absences + absences,
        missing=known.missing + missing,
        late=known.late + late,
        lessons_done=max(0, known.lessons_done - late),
        days_idle=None if known.days_idle is None else known.days_idle + days,
    )
    before = {one.kind: one.level for one in signals(known, COHORT, given_limits)}
    after = {one.kind: one.level for one in signals(worse, COHORT, given_limits)}
    assert set(before) <= set(after)
    assert all(after[kind] >= level for kind, level in before.items())


@given(evidence, limits, st.integers(0, 3))
def test_a_note_hides_its_signal_alone_until_the_level_is_above_it(
    known: Evidence, given_limits: Thresholds, above: int
) -> None:
    found = signals(known, COHORT, given_limits)
    for one in found:
        left = open_signals(found, {one.kind.value: one.level})
        assert left == tuple(other for other in found if other is not one)
        worse = Signal(one.kind, one.value, one.threshold, one.level + above)
        assert (worse in open_signals([worse], {one.kind.value: one.level})) == (above > 0)
