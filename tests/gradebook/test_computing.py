"""Grades by table and by property: exact, explained, and never lowered by a better score."""

from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.gradebook.domain.computing import Category, Item, Policy, bounds, compute, rounded
from courses.gradebook.domain.marks import EXCUSED, MISSING, PENDING, Mark, State, graded, parse, text_of
from courses.gradebook.domain.schemes import LETTERS, PASS_FAIL, Band, band_of, bands_wrong

LABS = Category(1, Decimal(60))
TESTS = Category(2, Decimal(40))


def items(*out_of: int, category: int = 1, start: int = 1, bonus: tuple[int, ...] = ()) -> list[Item]:
    return [Item(start + at, category, Decimal(most), at in bonus) for at, most in enumerate(out_of)]


def percent(categories: Any, of: Any, marks: Any, **policy: Any) -> Decimal | None:
    return compute(categories, of, marks, Policy(**policy)).percent


@pytest.mark.parametrize(
    ("mark", "policy", "expected"),
    [
        (graded(0), {}, "50.00"),
        (MISSING, {}, "50.00"),
        (MISSING, {"missing_is_zero": False}, "100.00"),
        (EXCUSED, {}, "100.00"),
        (PENDING, {}, "100.00"),
    ],
)
def test_zero_missing_excused_and_pending_are_four_things(mark: Mark, policy: Any, expected: str) -> None:
    assert percent([LABS], items(10, 10), {1: graded(10), 2: mark}, **policy) == Decimal(expected)


def test_a_category_without_anything_counted_gives_its_weight_to_the_others() -> None:
    of = [*items(10), *items(20, category=2, start=9)]
    grade = compute([LABS, TESTS], of, {1: graded(7)}, Policy())
    assert grade.percent == Decimal("70.00")
    assert [part.share for part in grade.categories] == [Decimal("100.00"), Decimal("0.00")]
    assert percent([LABS, TESTS], of, {1: graded(7), 9: graded(20)}) == Decimal("82.00")


def test_nothing_counted_is_no_grade_and_not_zero() -> None:
    assert percent([LABS], items(10), {}) is None
    assert percent([], [], {}) is None


def test_items_count_by_points_or_all_alike() -> None:
    marks = {1: graded(10), 2: graded(0)}
    assert percent([LABS], items(10, 90), marks) == Decimal("10.00")
    assert percent([Category(1, Decimal(60), weighting="EQUAL")], items(10, 90), marks) == Decimal("50.00")


def test_a_bonus_adds_without_asking_and_the_cap_holds() -> None:
    of = items(10, 5, bonus=(1,))
    assert percent([LABS], of, {1: graded(8), 2: graded(1)}) == Decimal("90.00")
    assert percent([LABS], of, {1: graded(8)}) == Decimal("80.00")
    assert percent([LABS], of, {1: graded(8), 2: MISSING}) == Decimal("80.00")
    assert percent([LABS], of, {1: graded(10), 2: graded(5)}) == Decimal("100.00")
    assert percent([LABS], of, {1: graded(10), 2: graded(5)}, cap=None) == Decimal("150.00")


def test_what_is_dropped_is_named_and_the_last_item_stays() -> None:
    drops = Category(1, Decimal(100), drop_lowest=1)
    grade = compute([drops], items(10, 10, 10), {1: graded(9), 2: graded(3), 3: graded(8)}, Policy())
    (part,) = grade.categories
    assert (part.counted, part.dropped) == ((1, 3), (2,))
    assert grade.percent == Decimal("85.00")
    assert percent([Category(1, Decimal(100), drop_lowest=5)], items(10), {1: graded(4)}) == Decimal("40.00")


def test_drops_choose_for_the_grade_and_not_for_the_percentage() -> None:
    """The case that other gradebooks get wrong: leaving out the lowest percentage is not what helps most."""
    drops = Category(1, Decimal(100), drop_lowest=1)
    marks = {1: graded(2), 2: graded(20), 3: graded(8)}
    of = items(100, 100, 10)
    naive = Fraction(20 + 8, 110)
    best = max(Fraction(2 + 20, 200), Fraction(2 + 8, 110), naive)
    grade = compute([drops], of, marks, Policy())
    assert grade.exact == best * 100


def test_rounding_happens_once_half_up() -> None:
    assert rounded(Fraction(2, 3) * 100, 2) == Decimal("66.67")
    assert rounded(Fraction(12345, 1000), 2) == Decimal("12.35")
    assert rounded(Fraction(1, 2), 0) == Decimal(1)
    thirds = [Category(at, Decimal(1)) for at in (1, 2, 3)]
    of = [item for at in (1, 2, 3) for item in items(1, category=at, start=at)]
    assert percent(thirds, of, {1: graded(1), 2: graded(1), 3: graded(1)}) == Decimal("100.00")


def test_bounds_say_what_is_still_possible() -> None:
    assert bounds([LABS], items(10, 10), {1: graded(6)}, Policy()) == (Decimal("30.00"), Decimal("80.00"))
    assert bounds([LABS], items(10), {1: graded(6)}, Policy()) == (Decimal("60.00"), Decimal("60.00"))


points = st.decimals(min_value=0, max_value=120, places=2)
marks_of_a_learner = st.lists(
    st.one_of(points.map(graded), st.sampled_from([MISSING, EXCUSED, PENDING])), min_size=1, max_size=7
)
sizes = st.lists(st.decimals(min_value=1, max_value=100, places=1), min_size=7, max_size=7)
categories_given = st.builds(
    Category, id=st.just(1), weight=st.just(Decimal(100)), drop_lowest=st.integers(0, 4),
    weighting=st.sampled_from(["POINTS", "EQUAL"]),
)  # fmt: skip


@given(categories_given, sizes, marks_of_a_learner, st.data())
def test_a_better_score_never_lowers_a_grade(category: Category, most: Any, marks: list[Mark], data: Any) -> None:
    of = [Item(at, 1, out_of, is_bonus=at == 1) for at, out_of in enumerate(most)]
    given_marks = dict(enumerate(marks))
    raisable = [at for at, mark in given_marks.items() if mark.state in (State.GRADED, State.MISSING)]
    if not raisable:
        return
    at = data.draw(st.sampled_from(raisable))
    before = given_marks[at].points or Decimal(0)
    better = given_marks | {at: graded(before + data.draw(points))}
    policy = Policy(cap=None)
    low = compute([category], of, given_marks, policy).exact
    high = compute([category], of, better, policy).exact
    assert low is None or (high is not None and high >= low)


@given(st.integers(0, 4), sizes, marks_of_a_learner)
def test_drops_are_the_best_of_all_that_were_possible(drop: int, most: Any, marks: list[Mark]) -> None:
    of = [Item(at, 1, out_of) for at, out_of in enumerate(most)]
    grade = compute([Category(1, Decimal(100), drop)], of, dict(enumerate(marks)), Policy(cap=None))
    counted = [
        (Fraction(mark.points or 0), Fraction(of[at].out_of))
        for at, mark in enumerate(marks)
        if mark.state in (State.GRADED, State.MISSING)
    ]
    if not counted:
        assert grade.exact is None
        return
    keep = max(len(counted) - drop, 1)
    ratios = [sum(one for one, _ in some) / sum(two for _, two in some) for some in combinations(counted, keep)]
    assert grade.exact == max(ratios) * 100


@given(sizes, marks_of_a_learner, st.randoms(use_true_random=False))
def test_the_order_of_items_changes_nothing(most: Any, marks: list[Mark], random: Any) -> None:
    of = [Item(at, 1, out_of) for at, out_of in enumerate(most)]
    category = Category(1, Decimal(100), 2)
    shuffled = list(of)
    random.shuffle(shuffled)
    given_marks = dict(enumerate(marks))
    assert (
        compute([category], of, given_marks, Policy()).exact
        == compute([category], shuffled, given_marks, Policy()).exact
    )


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("", PENDING), ("  ", PENDING), ("-", PENDING), ("0", graded(0)), ("7.5", graded("7.5")),
        ("7,5", graded("7.5")), (".5", graded("0.5")), ("ex", EXCUSED), ("면제", EXCUSED),
        ("miss", MISSING), ("미제출", MISSING),
    ],
)  # fmt: skip
def test_what_a_person_types_is_read(text: str, mark: Mark) -> None:
    assert parse(text) == mark


@pytest.mark.parametrize("text", ["x", "1e9", "-1", "1.2.3", "٣", "NaN", "1" * 13, "=1+1", ".", "1 2"])
def test_what_is_no_mark_is_told(text: str) -> None:
    assert parse(text) is None


@given(st.one_of(points.map(graded), st.sampled_from([MISSING, EXCUSED, PENDING])))
def test_a_mark_is_written_as_it_is_read(mark: Mark) -> None:
    assert parse(text_of(mark)) == mark


def test_points_belong_to_graded_marks_alone() -> None:
    with pytest.raises(ValueError, match="graded"):
        Mark(State.EXCUSED, Decimal(1))
    with pytest.raises(ValueError, match="graded"):
        Mark(State.GRADED)


def test_bands_are_taken_from_the_rounded_percentage() -> None:
    assert band_of(Decimal("94.99"), LETTERS) == "A0"
    assert band_of(Decimal("95.00"), LETTERS) == "A+"
    assert band_of(Decimal(0), PASS_FAIL) == "F"
    assert band_of(None, LETTERS) == ""


@pytest.mark.parametrize(
    ("bands", "wrong"),
    [
        (LETTERS, None), (PASS_FAIL, None), ((), "empty"), ((Band("P", Decimal(60)),), "no_floor"),
        ((Band("A", Decimal(50)), Band("B", Decimal(60)), Band("F", Decimal(0))), "order"),
        ((Band("A", Decimal(50)), Band("A", Decimal(0))), "twice"),
    ],
)  # fmt: skip
def test_a_scheme_says_what_is_wrong_with_it(bands: Any, wrong: str | None) -> None:
    assert bands_wrong(bands) == wrong
