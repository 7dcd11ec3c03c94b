"""Which lines are metrics, and that a stream cut anywhere gives the same ones."""

from __future__ import annotations

import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.executors.domain import metrics
from infra.executors.domain.metrics import LineSplitter, MetricStream, PointBudget, parse_point


@pytest.mark.parametrize(
    ("line", "point"),
    [
        (b'{"epoch": 1, "loss": 0.5}', {"epoch": 1, "loss": 0.5}),
        (b'  {"loss": 1e-3}\r', {"loss": 0.001}),
        ('{"손실": 2}'.encode(), {"손실": 2}),
        (b'{"loss": 0.5, "name": "cnn", "ok": true, "list": [1], "none": null}', {"loss": 0.5}),
        (b'{"a": NaN, "b": Infinity, "c": -Infinity, "d": 1e999, "e": 1}', {"e": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"big": ' + b"9" * 400 + b"}", None),
        (b'{"big": ' + b"9" * 5000 + b"}", None),
        (b'{"wide": 9007199254740993}', {"wide": 9007199254740992.0}),
        (b'{"": 1}', None),
        (b'{"' + b"k" * 64 + b'": 1}', {"k" * 64: 1}),
        (b'{"' + b"k" * 65 + b'": 1}', None),
        (b'{"a\\nb": 1}', None),
        (b'{"\\ud800": 1}', None),
        (b'{"x": "only text"}', None),
        (b"{}", None),
        (b"[1, 2]", None),
        (b"3.5", None),
        (b'epoch 1 {"loss": 1}', None),
        (b'{"loss": 1', None),
        (b'{"loss": \xff}', None),
        (b'{"a":' + b"[" * 5000 + b"}", None),
        (b"", None),
    ],
)
def test_only_finite_numbers_of_a_json_object_make_a_point(line, point):
    assert parse_point(line) == point


def test_the_first_32_keys_of_a_line_stay():
    line = json.dumps({f"k{number}": number for number in range(40)}).encode()
    assert parse_point(line) == {f"k{number}": number for number in range(metrics.MAX_KEYS)}


@given(st.binary(max_size=200))
def test_no_line_breaks_the_parser_and_no_point_holds_what_is_not_finite(line):
    point = parse_point(b"{" + line + b"}")
    assert point is None or all(math.isfinite(value) for value in point.values())


@given(st.binary(max_size=400), st.lists(st.integers(0, 400)))
def test_lines_are_the_same_wherever_the_stream_is_cut(stream, cuts):
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut <= len(stream))})
    splitter = LineSplitter()
    lines = [line for start, end in itertools.pairwise(edges) for line in splitter.feed(stream[start:end])]
    lines += splitter.finish()
    expected = stream.split(b"\n")
    assert lines == (expected if expected[-1] else expected[:-1])


@pytest.mark.parametrize("step", [1, 7, 4096, 100_000])
def test_a_line_that_is_too_long_is_skipped_and_the_next_one_is_not(step):
    stream = b'{"a":1}\n' + b"x" * (metrics.MAX_LINE + 1) + b'\n{"b":2}\n'
    reader = MetricStream()
    points = [point for at in range(0, len(stream), step) for point in reader.feed(stream[at : at + step])]
    assert points == [{"a": 1}, {"b": 2}]


def test_a_last_line_without_newline_counts_at_the_end():
    reader = MetricStream()
    assert reader.feed(b'{"a":1}\n{"b"') == [{"a": 1}]
    assert reader.feed(b":2}") == []
    assert reader.finish() == [{"b": 2}]
    assert reader.finish() == []


def test_streams_that_share_a_budget_give_no_more_points_than_it_holds():
    budget = PointBudget(3)
    first, second = MetricStream(budget), MetricStream(budget)
    assert len(first.feed(b'{"a":1}\n' * 2)) == 2
    assert len(second.feed(b'{"a":1}\n' * 5)) == 1
    assert first.feed(b'{"a":1}\n') == []
