"""Deadlines, lateness, attempts, rubrics, tests, reports, regrades: tables and properties, no database."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courses.assignments.domain import cases, late, notebooks, regrades, reports, rubrics, scoring
from courses.assignments.domain.attempts import Attempts
from courses.assignments.domain.deadlines import Change, Deadline, Rule, Times, resolve

D = Decimal
# On a busy machine the first examples may take seconds, which says nothing of the rules.
EXAMPLES = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
OPENS = datetime(2026, 11, 2, 9, tzinfo=UTC)
DUE = OPENS + timedelta(days=10)
COURSE = Times(OPENS, DUE, DUE + timedelta(days=3))
HALF_AGAIN = Change(Rule.ACCOMMODATION, factor_pct=150)


def days(n: float) -> timedelta:
    return timedelta(days=n)


@pytest.mark.parametrize(
    ("changes", "due", "rule"),
    [
        ([], DUE, Rule.COURSE),
        ([Change(Rule.COHORT, DUE - days(1))], DUE - days(1), Rule.COHORT),
        ([Change(Rule.EXTENSION, DUE + days(2))], DUE + days(2), Rule.EXTENSION),
        ([Change(Rule.EXTENSION, DUE - days(2))], DUE, Rule.COURSE),
        ([HALF_AGAIN], DUE + days(5), Rule.ACCOMMODATION),
        ([HALF_AGAIN, Change(Rule.EXTENSION, DUE + days(2))], DUE + days(5), Rule.ACCOMMODATION),
        ([Change(Rule.COHORT, DUE + days(10)), HALF_AGAIN], OPENS + days(30), Rule.ACCOMMODATION),
        ([Change(Rule.COHORT, DUE + days(4)), Change(Rule.EXTENSION, DUE + days(3))], DUE + days(4), Rule.COHORT),
        ([Change(Rule.LATE_DAY), Change(Rule.LATE_DAY)], DUE + days(2), Rule.LATE_DAY),
        ([Change(Rule.OUTAGE, DUE + days(1)), Change(Rule.LATE_DAY)], DUE + days(2), Rule.LATE_DAY),
    ],
)  # fmt: skip
def test_a_deadline_is_the_cohorts_then_the_most_generous_of_what_was_given(
    changes: list[Change], due: datetime, rule: Rule
) -> None:
    found = resolve(COURSE, changes)
    assert (found.due_at, found.rule, found.course_due_at) == (due, rule, DUE)
    # The closing moved along by as much, so that an extension is worth something.
    assert found.closes_at == due + days(3)


def test_a_cohort_may_name_its_own_closing() -> None:
    found = resolve(COURSE, [Change(Rule.COHORT, DUE + days(1), DUE + days(1)), Change(Rule.EXTENSION, DUE + days(5))])
    assert found.closes_at == found.due_at == DUE + days(5)


def test_an_accommodation_stretches_nothing_where_the_deadline_came_before_it_opened() -> None:
    assert resolve(Times(DUE + days(1), DUE), [HALF_AGAIN]).due_at == DUE


def test_without_a_deadline_only_a_cohort_can_have_one() -> None:
    assert resolve(Times(OPENS, None), [Change(Rule.EXTENSION, DUE)]) == Deadline(None, None)
    assert resolve(Times(OPENS, None), [Change(Rule.COHORT, DUE)]).due_at == DUE


GIVEN = (Rule.EXTENSION, Rule.OUTAGE, Rule.ACCOMMODATION, Rule.LATE_DAY)
CHANGES = st.tuples(st.sampled_from(GIVEN), st.integers(-30, 60), st.integers(101, 400)).map(
    lambda said: Change(said[0], DUE + days(said[1]), factor_pct=said[2])
)


@EXAMPLES
@given(st.lists(CHANGES, max_size=6), CHANGES)
def test_nothing_that_is_given_to_a_learner_shortens_a_deadline(changes: list[Change], one: Change) -> None:
    before, after = resolve(COURSE, changes), resolve(COURSE, [*changes, one])
    assert before.due_at is not None
    assert after.due_at is not None
    assert before.closes_at is not None
    assert after.closes_at is not None
    assert DUE <= before.due_at <= after.due_at <= after.closes_at
    assert before.closes_at <= after.closes_at


@EXAMPLES
@given(st.lists(CHANGES, max_size=5).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_in_which_changes_were_made_does_not_move_a_deadline(
    both: tuple[list[Change], list[Change]],
) -> None:
    assert resolve(COURSE, both[0]).due_at == resolve(COURSE, both[1]).due_at


@pytest.mark.parametrize(
    ("late_s", "policy", "taken"),
    [
        (0, late.LatePolicy(deduct_pct=D(10)), "0"),
        (1, late.LatePolicy(deduct_pct=D(10)), "10"),
        (86_400, late.LatePolicy(deduct_pct=D(10)), "10"),
        (86_401, late.LatePolicy(deduct_pct=D(10)), "20"),
        (600, late.LatePolicy(deduct_pct=D(10), grace_s=600), "0"),
        (601, late.LatePolicy(deduct_pct=D(10), grace_s=600), "10"),
        (40 * 86_400, late.LatePolicy(deduct_pct=D(10)), "80"),
        (40 * 86_400, late.LatePolicy(deduct_pct=D(10), floor_pct=D(50)), "40"),
        (5, late.LatePolicy(interval_s=60, deduct_pct=D("0.125")), "0.13"),
        (5, late.LatePolicy(), "0"),
    ],
)
def test_lateness_costs_a_part_of_the_points_for_each_begun_interval(
    late_s: int, policy: late.LatePolicy, taken: str
) -> None:
    assert late.deduction(D(80), D(100), late_s, policy).points == D(taken)


POINTS = st.decimals(0, 100, places=2)


@EXAMPLES
@given(POINTS, POINTS, st.integers(0, 10**7), st.integers(0, 10**6), st.decimals(0, 100, places=2))
def test_better_and_earlier_work_never_ends_with_less(raw: D, more: D, late_s: int, later_s: int, floor: D) -> None:
    policy = late.LatePolicy(deduct_pct=D("7.5"), floor_pct=floor)

    def rest(points: D, seconds: int) -> D:
        return points - late.deduction(points, D(100), seconds, policy).points

    # A cent of rounding is the most that may stand between two exact values.
    assert rest(raw + more, late_s) >= rest(raw, late_s) - D("0.01")
    assert rest(raw, late_s) >= rest(raw, late_s + later_s)
    assert 0 <= rest(raw, late_s) <= raw


def test_a_begun_second_is_late() -> None:
    assert late.lateness_s(DUE, DUE) == 0
    assert late.lateness_s(DUE + timedelta(microseconds=1), DUE) == 1
    assert late.lateness_s(DUE, None) == 0


def test_what_the_platform_failed_is_no_attempt() -> None:
    assert Attempts(made=3, returned=1, allowed=3).left == 1
    assert Attempts(made=3, returned=0, allowed=3).is_used_up
    assert not Attempts(made=99, returned=0, allowed=None).is_used_up
    assert Attempts(made=5, returned=0, allowed=3).left == 0


RUBRIC = "Method: none = 0; some = 4.5; all = 10\nReport: no = 0; yes = 5,25"
METHOD, REPORT = rubrics.key_of("Method"), rubrics.key_of("Report")


def test_a_rubric_is_read_as_it_is_written() -> None:
    criteria = rubrics.parse(RUBRIC)
    assert [one.most for one in criteria] == [D(10), D("5.25")]
    assert rubrics.parse(rubrics.as_text(criteria)) == criteria
    assert rubrics.from_json(json.loads(json.dumps(rubrics.as_json(criteria)))) == criteria
    assert rubrics.most_points(criteria) == D("15.25")


def test_a_criterion_keeps_its_key_wherever_it_stands() -> None:
    method, report = rubrics.parse(RUBRIC)
    new = "Style: no = 0; yes = 10"
    moved = rubrics.parse("\n".join([new, *reversed(RUBRIC.splitlines())]))
    assert [one.key for one in moved[1:]] == [report.key, method.key] == [REPORT, METHOD]
    picks = {METHOD: D("4.5"), REPORT: D(5)}
    assert rubrics.fitting(rubrics.parse(new), picks) == {}
    assert rubrics.add_up(moved, rubrics.fitting(moved, picks)) == rubrics.Picked(D("9.5"), (moved[0].key,))


def test_a_rubric_of_before_keys_is_read_by_its_places_and_keeps_them() -> None:
    stored = [{"title": one.title, "levels": [["no", "0"], ["yes", "4"]]} for one in rubrics.parse(RUBRIC)]
    before = rubrics.from_json(stored)
    assert [one.key for one in before] == ["1", "2"]
    changed = rubrics.with_keys_of(before, rubrics.parse("Style: no = 0; yes = 10\nReport: no = 0; yes = 8"))
    assert [(one.key, one.most) for one in changed] == [(rubrics.key_of("Style"), D(10)), ("2", D(8))]
    assert rubrics.from_json(rubrics.as_json(changed)) == changed


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("no colon", "criterion", 1),
        ("A: x = 1; y = 2\n: a = 1; b = 2", "criterion", 2),
        ("A: x = 1", "level", 1),
        ("A: x; y", "level", 1),
        ("A: x = 1; y = -2", "points", 1),
        ("A: x = 1; y = 1.234", "points", 1),
        ("A: x = 1; y = NaN", "points", 1),
        ("A: x = 1; y = 1e9", "points", 1),
        ("A: x=0;y=1\nA: x=0;y=1", "doubled", 2),
        ("\n".join(f"C{n}: x=0;y=1" for n in range(10)), "too_many", 10),
    ],
)
def test_a_rubric_that_cannot_be_read_names_the_line(text: str, code: str, line: int) -> None:
    with pytest.raises(rubrics.BadRubric) as raised:
        rubrics.parse(text)
    assert (raised.value.code, raised.value.line) == (code, line)


def scored(**changed: object) -> scoring.Scored:
    asked: dict[str, object] = {
        "out_of": D(20), "criteria": rubrics.parse(RUBRIC), "picks": {}, "tested": None, "given": None, "late_s": 0,
        "policy": late.LatePolicy(deduct_pct=D(10)),
    }  # fmt: skip
    return scoring.score(**(asked | changed))  # type: ignore[arg-type]


def test_a_score_waits_until_every_criterion_is_picked() -> None:
    assert scored(picks={METHOD: D(10)}, tested=D(4)).raw is None
    whole = scored(picks={METHOD: D(10), REPORT: D("5.25")}, tested=D(4))
    assert (whole.raw, whole.adjusted) == (D("19.25"), D("19.25"))


def test_points_by_hand_stand_for_all_else_and_lateness_is_said() -> None:
    one = scored(picks={METHOD: D(10)}, tested=D(4), given=D(18), late_s=1)
    assert (one.raw, one.late_deduction, one.adjusted) == (D(18), D("2.00"), D("16.00"))
    assert [code for code, _points, _note in one.why] == ["given", "rubric", "late"]


@pytest.mark.parametrize("picks", [{"1": D(1)}, {METHOD: D(11)}, {METHOD: D(-1)}])
def test_a_pick_outside_the_rubric_is_refused(picks: dict[str, D]) -> None:
    with pytest.raises(ValueError, match=next(iter(picks))):
        scored(picks=picks)


VISIBLE = 'WEIGHTS = {"test_a": 3}\ndef test_a():\n    """Adds up.\n\n    More.\n    """\ndef helper(): pass\n'
HIDDEN = "def test_secret():\n    assert False, 'the answer is 42'\n"
KEY = "k" * 64


def test_cases_are_found_without_running_anything() -> None:
    assert cases.cases_of(VISIBLE, HIDDEN) == (
        cases.Case("test_a", "Adds up.", 3, True),
        cases.Case("test_secret", "", 1, False),
    )


@pytest.mark.parametrize(
    ("visible", "hidden", "code", "part"),
    [
        ("def (", "", "syntax", "visible"),
        (VISIBLE, "def test_a(): pass", "doubled", "hidden"),
        ('WEIGHTS = {"test_b": 1}', "", "weights", "visible"),
        ("WEIGHTS = {'test_a': 0}\ndef test_a(): pass", "", "weights", "visible"),
        ("WEIGHTS = f()\ndef test_a(): pass", "", "weights", "visible"),
        ("", "\n".join(f"def test_{n}(): pass" for n in range(201)), "too_many", "hidden"),
        ("(" * 5000, "", "syntax", "visible"),
    ],
)
def test_sources_that_are_no_tests_say_where(visible: str, hidden: str, code: str, part: str) -> None:
    with pytest.raises(cases.BadTests) as raised:
        cases.cases_of(visible, hidden)
    assert (raised.value.code, raised.value.part) == (code, part)


def written(lines: object, key: str = KEY) -> bytes:
    body = json.dumps(lines).encode()
    return reports.signature(key, body).encode() + b"\n" + body


CASES = cases.cases_of(VISIBLE, HIDDEN)
PASSED_A = {"name": "test_a", "passed": True, "message": ""}


def test_points_are_the_passed_weight_of_the_whole() -> None:
    report = reports.fold(written([PASSED_A]), KEY, CASES, D(10))
    assert report.points == D("7.50")
    assert [one.state for one in report.outcomes] == ["passed", "silent"]


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"no line",
        written([PASSED_A], key="another"),
        written([PASSED_A])[:-1],
        written({"name": "test_a"}),
        b"x" * (reports.MOST_BYTES + 1),
        reports.signature(KEY, b"[" * 100_000).encode() + b"\n" + b"[" * 100_000,
    ],
)
def test_a_report_that_the_key_did_not_sign_is_worth_nothing(body: bytes | None) -> None:
    report = reports.fold(body, KEY, CASES, D(10))
    assert (report.is_signed, report.points) == (False, D("0.00"))


def test_only_named_cases_count_and_the_first_word_about_each() -> None:
    lines = [
        {"name": "test_a", "passed": False, "message": "a\0b\ud800" + "x" * 9000},
        PASSED_A,
        {"name": "test_new", "passed": True},
        {"name": ["test_a"]},
        7,
        {"name": "test_secret", "passed": "yes"},
    ]
    report = reports.fold(written(lines), KEY, CASES, D(10))
    assert report.points == 0
    assert len(report.outcomes) == 2
    assert "\0" not in report.outcomes[0].message
    assert len(report.outcomes[0].message) <= reports.MOST_WORDS


def test_a_learner_reads_nothing_of_hidden_tests_but_how_many_passed() -> None:
    lines = [PASSED_A, {"name": "test_secret", "passed": False, "message": "the answer is 42"}]
    stored = json.loads(json.dumps(reports.as_json(reports.fold(written(lines), KEY, CASES, D(10)))))
    seen = reports.for_learner(stored)
    assert (seen.hidden, seen.hidden_passed) == (1, 0)
    assert "secret" not in repr(seen)
    assert "42" not in repr(seen)


@EXAMPLES
@given(st.binary(max_size=400))
def test_nothing_that_a_report_holds_raises(body: bytes) -> None:
    signed = reports.signature(KEY, body).encode() + b"\n" + body
    assert 0 <= reports.fold(signed, KEY, CASES, D(10)).points <= 10


def test_a_regrade_shows_the_greatest_losses_first_and_keeps_what_failed() -> None:
    rows = [(1, D(5), D(5)), (2, D(5), D(9)), (3, D(5), D(1)), (4, D(5), None), (5, None, D(2))]
    found = regrades.diff(regrades.Tested(*row) for row in rows)
    assert [row.enrolment_id for row in found.changed] == [3, 5, 2]
    assert (found.unchanged, found.failed, found.raised, found.lowered) == (1, 1, 2, 1)


NOTEBOOK = {
    "nbformat": 4,
    "cells": [
        {"cell_type": "markdown", "source": ["# A", "\n<script>x</script>"]},
        {"cell_type": "code", "source": "1/0", "outputs": [
            {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division by zero"},
            {"output_type": "display_data", "data": {"text/html": "<b>x</b>", "image/png": "AAAA"}},
            {"output_type": "execute_result", "data": {"text/plain": ["3"]}}, 9,
        ]},
    ],
}  # fmt: skip


def test_a_notebook_is_read_as_text_alone() -> None:
    first, second = notebooks.cells_of(json.dumps(NOTEBOOK).encode())
    assert first.kind == "markdown"
    assert second.outputs == ("ZeroDivisionError: division by zero", "[image/png, text/html]", "3")


@EXAMPLES
@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_what_is_no_notebook_is_refused_and_nothing_else_happens(said: object) -> None:
    for body in (json.dumps(said).encode(), json.dumps({"nbformat": 4, "cells": [{"outputs": said}]}).encode()):
        try:
            notebooks.cells_of(body)
        except notebooks.BadNotebook:
            continue
