"""The rules of sweeps and dependencies on plain values: tables and properties."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.jobs.domain.dependencies import Condition, Verdict, judge
from labs.jobs.domain.source import with_parameters
from labs.jobs.domain.states import OVER, JobState
from labs.jobs.domain.sweeps import (
    MAX_NAMES,
    BadSweep,
    Value,
    as_text,
    best_of,
    check_points,
    count,
    expand,
    params_file,
    parse_values,
    variables_of,
    written,
)

values: st.SearchStrategy[Value] = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=20),
)
names = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_]{0,10}\Z")


def grids() -> Any:
    def unlike(one: Value) -> str:
        return json.dumps(float(one) if isinstance(one, int) and not isinstance(one, bool) else one)

    columns = st.lists(values, min_size=1, max_size=4, unique_by=unlike)
    return st.dictionaries(names, columns, min_size=1, max_size=3).filter(
        lambda grid: len({name.upper() for name in grid}) == len(grid)
    )


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("0.1, 0.01", [0.1, 0.01]),
        ("1,2,3", [1, 2, 3]),
        ("1..4", [1, 2, 3, 4]),
        ("3..1", [3, 2, 1]),
        ("-1..1", [-1, 0, 1]),
        ("1e-3, 5E2, .5, 2.", [0.001, 500.0, 0.5, 2.0]),
        ("adam, sgd", ["adam", "sgd"]),
        ("true,false", [True, False]),
        ('"1", 1', ["1", 1]),
        ("relu\ntanh", ["relu", "tanh"]),
        ("1, 2,", [1, 2]),
        ("1e999", ["1e999"]),
        ("nan, inf", ["nan", "inf"]),
        ("１", ["１"]),
    ],
)
def test_what_is_typed_is_read_as_people_mean_it(typed: str, read: list[Value]) -> None:
    assert parse_values(typed) == read
    assert [type(value) for value in parse_values(typed)] == [type(value) for value in read]


@pytest.mark.parametrize(
    ("typed", "code"), [("", "empty_value"), ("1,,2", "empty_value"), ("0..999999", "too_many_values")]
)
def test_what_cannot_be_read_is_refused(typed: str, code: str) -> None:
    with pytest.raises(BadSweep) as refusal:
        parse_values(typed)
    assert refusal.value.code == code


@given(grids())
def test_a_grid_makes_every_combination_once_in_a_fixed_order(grid: dict[str, list[Value]]) -> None:
    points = expand(grid, most=1000)
    assert len(points) == count(grid)
    assert all(list(point) == list(grid) for point in points)
    assert all(point[name] in grid[name] for point in points for name in grid)
    assert check_points(points, most=1000) == points  # so none is there twice


def test_the_last_name_changes_fastest() -> None:
    assert expand({"a": [1, 2], "b": ["x", "y"]}, most=9) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


@pytest.mark.parametrize(
    ("grid", "code"),
    [
        ({}, "no_parameters"),
        ({"lr": []}, "no_values"),
        ({"": [1]}, "bad_name"),
        ({"1lr": [1]}, "bad_name"),
        ({"_": [1]}, "bad_name"),
        ({"a-b": [1]}, "bad_name"),
        ({"a b": [1]}, "bad_name"),
        ({"학습률": [1]}, "bad_name"),
        ({"a\n": [1]}, "bad_name"),
        ({"x" * 41: [1]}, "bad_name"),
        ({"lr": [1], "LR": [2]}, "doubled_name"),
        ({f"p{n}": [1] for n in range(MAX_NAMES + 1)}, "too_many_names"),
        ({"a": [1, 1]}, "doubled_value"),
        ({"a": [1, 1.0]}, "doubled_value"),
        ({"a": [float("nan")]}, "bad_value"),
        ({"a": [float("inf")]}, "bad_value"),
        ({"a": [2**60]}, "bad_value"),
        ({"a": [None]}, "bad_value"),
        ({"a": [[1]]}, "bad_value"),
        ({"a": [""]}, "bad_value"),
        ({"a": ["x\0"]}, "bad_value"),
        ({"a": ["\ud800"]}, "bad_value"),
        ({"a": ["line\nline"]}, "bad_value"),
        ({"a": ["x" * 101]}, "bad_value"),
        ({"a": list(range(300))}, "too_many_values"),
        ({"a": list(range(100)), "b": list(range(100))}, "too_many_runs"),
    ],
)
def test_a_grid_that_cannot_be_is_refused_by_name(grid: dict[str, list[Any]], code: str) -> None:
    with pytest.raises(BadSweep) as refusal:
        expand(grid, most=256)
    assert refusal.value.code == code


def test_a_grid_is_counted_before_it_is_made() -> None:
    huge: dict[str, list[Any]] = {f"p{n}": list(range(200)) for n in range(8)}
    with pytest.raises(BadSweep) as refusal:
        expand(huge, most=256)  # 200 to the 8th combinations would never end
    assert refusal.value.facts["given"] == 200**8


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ([], "no_parameters"),
        ([{}], "no_parameters"),
        ([{"a": 1}, {"b": 1}], "other_names"),
        ([{"a": 1}, {"a": 1, "b": 2}], "other_names"),
        ([{"a": 1}, {"a": 1.0}], "doubled_point"),
        ([{"a": None}], "bad_value"),
        ([{"a": n} for n in range(9)], "too_many_runs"),
    ],
)
def test_a_list_of_points_that_cannot_be_is_refused(points: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(BadSweep) as refusal:
        check_points(points, most=8)
    assert refusal.value.code == code


@given(grids())
def test_no_parameter_can_become_a_variable_that_the_system_reads(grid: dict[str, list[Value]]) -> None:
    for point in expand(grid, most=1000):
        variables = variables_of(point)
        assert len(variables) == len(point)
        assert all(name.startswith("PARAM_") and name == name.upper() for name in variables)
        assert all("\0" not in text for text in variables.values())


@given(st.lists(values, min_size=1, max_size=5))
def test_what_is_written_into_a_form_is_read_back(given_values: list[Value]) -> None:
    plain = [
        one for one in given_values if not isinstance(one, str) or (not set(one) & set(",\"'\n") and one.strip() == one)
    ]
    if plain:
        assert parse_values(written(plain)) == plain


@given(grids())
def test_params_json_gives_back_each_value_with_its_type(grid: dict[str, list[Value]]) -> None:
    point = expand(grid, most=1000)[0]
    assert json.loads(params_file(None, point)) == point


@pytest.mark.parametrize("own", [None, b"", b"[1]", b"\xff", b"{bad", b"[" * 100_000])
def test_a_params_file_that_is_no_object_gives_way(own: bytes | None) -> None:
    assert json.loads(params_file(own, {"lr": 0.1})) == {"lr": 0.1}


def test_a_runs_values_go_over_the_learners_own_defaults() -> None:
    assert json.loads(params_file(b'{"lr": 1, "epochs": 5}', {"lr": 0.1})) == {"lr": 0.1, "epochs": 5}


def test_the_shared_bundle_is_left_as_it_is() -> None:
    stored = {"main.py": {"text": "x"}, "params.json": {"text": '{"epochs": 2}'}}
    told = with_parameters(stored, {"lr": 0.5})
    assert json.loads(told["params.json"]["text"]) == {"epochs": 2, "lr": 0.5}
    assert stored["params.json"] == {"text": '{"epochs": 2}'}
    assert with_parameters(stored, {}) == stored


@pytest.mark.parametrize(
    ("results", "higher", "best"),
    [
        ({1: 0.5, 2: 0.9, 3: 0.9}, True, 2),
        ({1: 0.5, 2: 0.9}, False, 1),
        ({1: None, 2: "good", 3: True, 4: float("nan")}, True, None),
        ({1: None, 7: -3}, True, 7),
        ({}, True, None),
    ],
)
def test_the_best_run_has_the_best_finite_number(results: dict[int, Any], higher: bool, best: int | None) -> None:
    assert best_of(results, is_higher_better=higher) == best


@pytest.mark.parametrize("state", list(JobState))
def test_a_dependency_waits_while_the_other_is_open_and_breaks_only_where_success_was_asked(state: JobState) -> None:
    ok, either = judge(Condition.OK, state), judge(Condition.ANY, state)
    if state not in OVER:
        assert (ok, either) == (Verdict.WAIT, Verdict.WAIT)
    elif state is JobState.SUCCEEDED:
        assert (ok, either) == (Verdict.MET, Verdict.MET)
    else:
        assert (ok, either) == (Verdict.BROKEN, Verdict.MET)


@given(values)
def test_a_value_is_one_line_of_text(value: Value) -> None:
    assert as_text(value)
    assert "\n" not in as_text(value)
