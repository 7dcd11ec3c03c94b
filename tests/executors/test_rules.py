"""The other pure rules: what is kept of a log, which names and which run descriptions pass."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.executors.contract import MIB, EnvironmentSpec, GpuGrant, RunSpec
from infra.executors.domain import names
from infra.executors.domain.log import LogKeeper
from infra.executors.domain.validation import problems

SPEC = RunSpec(run_id="job-1", files={"a.py": b"", "pkg/b.py": b""}, argv=("python", "a.py"))


@given(st.lists(st.binary(max_size=30)), st.integers(0, 60), st.integers(0, 60))
def test_the_kept_log_is_head_and_tail_and_names_what_is_between(chunks, head, tail):
    keeper = LogKeeper(head, tail)
    now = b"".join(keeper.feed(chunk) for chunk in chunks)
    end = keeper.finish()
    whole = b"".join(chunks)
    assert now == whole[:head]
    if len(whole) <= head + tail:
        assert now + end == whole
        assert keeper.left_out == 0
    else:
        left_out = len(whole) - head - tail
        assert f"{left_out} bytes".encode() in end
        assert end.endswith(whole[len(whole) - tail :])
        assert keeper.left_out == left_out


def test_a_long_log_holds_no_more_memory_than_its_tail_and_one_piece():
    keeper = LogKeeper(head=10, tail=1000)
    for _ in range(1000):
        keeper.feed(b"x" * 100)
    assert keeper._held_size <= 1100


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("result.json", None),
        ("figures/혼동 행렬.png", None),
        (unicodedata.normalize("NFD", "결과.txt"), None),
        ("a/b/c/d.txt", None),
        (".cache", "hidden"),
        ("figures/.secret/x", "hidden"),
        ("..", "hidden"),
        ("__pycache__/a.pyc", "Python's cache"),
        ("a\nb", "control"),
        ("a\x1b[31m", "control"),
        ("\u202egnp.exe", "control"),
        ("bad\udcff", "control"),
        ("a\\b", "backslash"),
        (" a", "space"),
        ("a /b", "space"),
        ("x" * 255, None),
        ("x" * 256, "longer"),
        ("가" * 90, "longer"),
        ("a/b/c/d/e", "deeper"),
    ],
)
def test_an_output_is_kept_only_under_a_name_that_harms_no_one(path, problem):
    found = names.output_path_problem(path, max_depth=4)
    assert found is None if problem is None else problem in (found or "")


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a\\b", "a\0b"])
def test_a_source_never_leaves_its_folder(path):
    assert names.source_path_problem(path, max_depth=8) is not None
    assert problems(replace(SPEC, files={path: b""}))


@given(st.text(st.characters()))
def test_a_name_shown_holds_nothing_that_a_terminal_obeys(name):
    assert names.printable(name).isprintable()
    assert len(names.printable(name)) <= 200


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, None),
        ({"run_id": "../x"}, "run_id"),
        ({"run_id": "a\n"}, "run_id"),
        ({"argv": ()}, "argv"),
        ({"argv": ("a\0",)}, "argv"),
        ({"files": {"a": b"", "a/b": b""}}, "a file and a folder"),
        ({"files": {"a": b"x" * 3 * MIB}, "work_bytes": 2 * MIB}, "larger"),
        ({"env": {"A=B": "1"}}, "env"),
        ({"env": {"A": "\0"}}, "env"),
        ({"datasets": (("../x", "/"),)}, "datasets"),
        ({"datasets": (("x", "/a"), ("x", "/b"))}, "twice"),
        ({"gpus": (GpuGrant(0, "GPU-1", "nvidia"),)}, "device path"),
        ({"gpus": (GpuGrant(0, "cpu-1", "cpu-slot"),)}, None),
        ({"memory_bytes": MIB}, "memory_bytes"),
        ({"work_bytes": 2**40}, "work_bytes"),
        ({"cpu_cores": 0}, "cpu_cores"),
        ({"cpu_cores": float("nan")}, "cpu_cores"),
        ({"wall_s": 0}, "wall_s"),
        ({"wall_s": float("inf")}, "wall_s"),
        ({"term_grace_s": -1}, "term_grace_s"),
        ({"max_processes": 0}, "max_processes"),
    ],
)
def test_a_run_that_breaks_a_rule_is_told_which(changes, word):
    found = "; ".join(problems(replace(SPEC, **changes)))
    assert found == "" if word is None else word in found


def test_an_environments_name_changes_with_its_text_and_its_python():
    spec = EnvironmentSpec("numpy==2.0 --hash=sha256:00", "3.11")
    assert spec.digest == EnvironmentSpec("numpy==2.0 --hash=sha256:00", "3.11").digest
    assert len({spec.digest, replace(spec, python_version="3.12").digest, replace(spec, requirements="").digest}) == 3
