"""The pure rules of a job's life, by table and by property."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.jobs.domain import results
from labs.jobs.domain.checkpoints import kept_run_s, refund_s
from labs.jobs.domain.endings import LossLimits, Report, ending_of, ending_of_lost
from labs.jobs.domain.logs import LogGap, new_part
from labs.jobs.domain.paths import BadFile, check_path, check_together
from labs.jobs.domain.source import as_json, check_entrypoint, check_files, digest_of, from_json
from labs.jobs.domain.states import AttemptEvent, AttemptState, IllegalMove, JobEvent, JobState, move_attempt, move_job
from labs.jobs.models import Attempt, Job
from labs.quota.domain.charging import charge_s, cost_s

JOB_TABLE = {
    ("QUEUED", "ASSIGN"): "RUNNING",
    ("QUEUED", "CANCEL"): "CANCELLED",
    ("RUNNING", "LOSE"): "QUEUED",
    ("RUNNING", "PREEMPT"): "QUEUED",
    ("RUNNING", "SUCCEED"): "SUCCEEDED",
    ("RUNNING", "FAIL"): "FAILED",
    ("RUNNING", "TIME_OUT"): "TIMED_OUT",
    ("RUNNING", "CANCEL"): "CANCELLED",
}
ATTEMPT_TABLE = {
    ("ASSIGNED", "CLAIM"): "CLAIMED",
    ("CLAIMED", "START"): "RUNNING",
    ("ASSIGNED", "END"): "ENDED",
    ("CLAIMED", "END"): "ENDED",
    ("RUNNING", "END"): "ENDED",
}


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("event", JobEvent)
def test_a_job_moves_by_the_table_and_refuses_the_rest(state: JobState, event: JobEvent) -> None:
    if (state, event) in JOB_TABLE:
        assert move_job(state, event) == JOB_TABLE[state, event]
    else:
        with pytest.raises(IllegalMove):
            move_job(state, event)


@pytest.mark.parametrize("state", AttemptState)
@pytest.mark.parametrize("event", AttemptEvent)
def test_an_attempt_moves_by_the_table_and_refuses_the_rest(state: AttemptState, event: AttemptEvent) -> None:
    if (state, event) in ATTEMPT_TABLE:
        assert move_attempt(state, event) == ATTEMPT_TABLE[state, event]
    else:
        with pytest.raises(IllegalMove):
            move_attempt(state, event)


def test_the_rules_and_the_models_know_the_same_states() -> None:
    assert set(JobState) == set(Job.State.values)
    assert set(AttemptState) == set(Attempt.State.values)


@pytest.mark.parametrize("report", Report)
@pytest.mark.parametrize("exit_code", [None, 0, 1])
@pytest.mark.parametrize("is_cancelling", [True, False])
@pytest.mark.parametrize("is_preempting", [True, False])
def test_every_report_has_a_meaning_that_the_model_can_hold(
    report: Report, exit_code: int | None, is_cancelling: bool, is_preempting: bool
) -> None:
    ending = ending_of(report, exit_code, is_cancelling=is_cancelling, is_preempting=is_preempting)
    if ending is None:
        assert report in (Report.EXECUTOR_ERROR, Report.STOPPED, Report.PREEMPTED)
        assert report is Report.EXECUTOR_ERROR or not is_cancelling
        assert report is not Report.PREEMPTED or not is_preempting
    else:
        assert ending.reason in Job.EndReason.values
        assert move_job("RUNNING", ending.event) in JobState


@pytest.mark.parametrize(
    ("report", "is_cancelling", "is_preempting", "event"),
    [
        (Report.PREEMPTED, False, True, "PREEMPT"),
        (Report.PREEMPTED, True, True, "CANCEL"),
        (Report.PREEMPTED, False, False, None),
        (Report.EXITED, False, True, "SUCCEED"),
        (Report.EXITED, True, True, "SUCCEED"),
        (Report.STOPPED, True, True, "CANCEL"),
        (Report.STOPPED, False, True, None),
    ],
)
def test_a_run_that_was_to_make_room_keeps_its_own_end_and_a_cancellation_wins(
    report: Report, is_cancelling: bool, is_preempting: bool, event: str | None
) -> None:
    ending = ending_of(report, 0, is_cancelling=is_cancelling, is_preempting=is_preempting)
    assert (ending and ending.event) == event


@pytest.mark.parametrize(
    ("saved_at_s", "run_s", "wall_left_s", "kept_s"),
    [
        (None, 500.0, 600, 0),
        (0.0, 500.0, 600, 0),
        (99.9, 500.0, 600, 99),
        (900.0, 500.0, 600, 500),
        (590.0, 595.0, 600, 540),
        (50.0, 55.0, 60, 0),
        (50.0, 55.0, 30, 0),
    ],
)
def test_a_checkpoint_keeps_whole_seconds_and_leaves_time_to_go_on(
    saved_at_s: float | None, run_s: float, wall_left_s: int, kept_s: int
) -> None:
    assert kept_run_s(saved_at_s=saved_at_s, run_s=run_s, wall_left_s=wall_left_s) == kept_s


@given(
    run_s=st.integers(0, 5000), wall_s=st.integers(10, 5000), saved=st.none() | st.integers(0, 5000),
    gpus=st.integers(1, 8), rate=st.decimals("0.001", "9", places=3),
)  # fmt: skip
def test_what_stays_charged_and_the_next_hold_are_within_the_hold_before(
    run_s: int, wall_s: int, saved: int | None, gpus: int, rate: Decimal
) -> None:
    kept = kept_run_s(saved_at_s=saved, run_s=run_s, wall_left_s=wall_s)
    held_s, next_s = (cost_s(gpu_seconds=gpus * wall, rate=rate) for wall in (wall_s, wall_s - kept))
    charged_s = charge_s(run_s=run_s, gpus=gpus, hold_s=held_s, rate=rate)
    lost_s = refund_s(charged_s=charged_s, held_s=held_s, next_hold_s=next_s)
    assert 0 <= lost_s <= charged_s
    assert charged_s - lost_s + next_s <= held_s


@pytest.mark.parametrize(
    ("is_cancelling", "claimed", "unclaimed", "event", "reason"),
    [
        (False, 1, 0, "LOSE", ""),
        (False, 2, 5, "LOSE", ""),
        (False, 3, 0, "FAIL", "PLATFORM"),
        (False, 0, 9, "LOSE", ""),
        (False, 0, 10, "FAIL", "PLATFORM"),
        (True, 1, 0, "CANCEL", "CANCELLED"),
        (True, 3, 0, "CANCEL", "CANCELLED"),
    ],
)
def test_what_is_lost_is_tried_again_a_few_times(
    is_cancelling: bool, claimed: int, unclaimed: int, event: str, reason: str
) -> None:
    ending = ending_of_lost(
        is_cancelling=is_cancelling, lost_claimed=claimed, lost_unclaimed=unclaimed, limits=LossLimits(attempts=3)
    )
    assert (ending.event, ending.reason, ending.is_charged) == (event, reason, False)


@given(
    log=st.binary(max_size=200),
    sends=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=40),
    most=st.integers(1, 250),
)
def test_any_order_and_overlap_of_chunks_gives_the_same_bytes(
    log: bytes, sends: list[tuple[int, int]], most: int
) -> None:
    stored, gaps = b"", []
    # Whatever is sent meanwhile, in the end the node has sent everything once in order, going on where it was told.
    for start, size in [*sends, *((at, 7) for at in range(0, len(log), 7))]:
        if start > len(log):
            continue
        try:
            stored += new_part(len(stored), start, log[start : start + size], most)
        except LogGap as gap:
            gaps.append((gap.next_start == len(stored), len(stored) < start))
    assert stored == log[:most]
    assert all(told_right and was_one for told_right, was_one in gaps)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/etc/passwd", "absolute"), ("C:/x.py", "absolute"), ("../x.py", "parent"), ("a/../b.py", "parent"),
        ("a//b.py", "parent"), ("./a.py", "parent"), ("a\\b.py", "backslash"), ("", "empty_name"), ("a/", "empty_name"),
        ("a\0.py", "control_character"), ("a\n.py", "control_character"), ("a\u202e.py", "control_character"),
        ("\ud800.py", "control_character"), ("x" * 101, "name_too_long"), ("a/" * 120 + "b", "name_too_long"),
        ("a/b/c/d/e/f/g/h/i.py", "too_deep"),
    ],
)  # fmt: skip
def test_names_that_could_do_harm_are_refused(path: str, code: str) -> None:
    with pytest.raises(BadFile) as error:
        check_path(path)
    assert error.value.code == code


@given(st.text(max_size=40))
def test_whatever_name_is_taken_stays_below_the_project(name: str) -> None:
    try:
        path = check_path(name)
    except BadFile:
        return
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))
    assert check_path(path) == path


@pytest.mark.parametrize(
    ("paths", "code"),
    [(["a.py", "A.py"], "duplicate"), (["a", "a/b.py"], "file_is_folder"), (["A/b.py", "a"], "file_is_folder")],
)
def test_names_that_clash_are_refused(paths: list[str], code: str) -> None:
    with pytest.raises(BadFile) as error:
        check_together(paths)
    assert error.value.code == code


def test_korean_names_are_taken_in_one_form() -> None:
    decomposed = "\u1112\u1161\u11ab.py"
    assert check_path(decomposed) == "한.py"
    with pytest.raises(BadFile):
        check_together([check_path(decomposed), "한.py"])


@pytest.mark.parametrize(
    ("content", "entrypoint", "code", "facts"),
    [
        (b"print()", "main.txt", "entrypoint_not_python", {}),
        (b"print()", "other.py", "entrypoint_missing", {"scripts": "main.py"}),
        (b"  \n", "main.py", "entrypoint_empty", {}),
        (b"x = 1\ny = '\xff'\n", "main.py", "entrypoint_not_utf8", {"line": 2}),
        (b"x\0", "main.py", "entrypoint_nul", {}),
    ],
)
def test_a_script_that_cannot_run_is_refused_with_what_to_do(
    content: bytes, entrypoint: str, code: str, facts: dict[str, object]
) -> None:
    with pytest.raises(BadFile) as error:
        check_entrypoint({"main.py": content, "main.txt": content}, entrypoint)
    assert (error.value.code, error.value.facts) == (code, facts)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.binary(max_size=50), max_size=5))
def test_files_come_back_from_json_as_they_went_in_and_postgresql_would_take_it(files: dict[str, bytes]) -> None:
    stored = as_json(files)
    assert from_json(json.loads(json.dumps(stored))) == files
    assert all("\0" not in entry.get("text", "") for entry in stored.values())


def test_the_digest_tells_names_from_contents() -> None:
    assert digest_of({"a": b"bc"}) != digest_of({"ab": b"c"})
    assert digest_of({"a": b"1", "b": b"2"}) == digest_of({"b": b"2", "a": b"1"})


@pytest.mark.parametrize(
    ("files", "code"),
    [({}, "no_files"), ({str(n): b"" for n in range(4)}, "too_many_files"), ({"a": b"x" * 11}, "too_large")],
)
def test_too_little_and_too_much_are_refused(files: dict[str, bytes], code: str) -> None:
    with pytest.raises(BadFile) as error:
        check_files(files, most_files=3, most_bytes=10)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (b'{"a": 1, "b": {"c": 0.5, "d": {"e": "x"}}}', {"a": 1, "b.c": 0.5, "b.d.e": "x"}),
        (b'{"a": NaN, "b": Infinity, "c": [1], "d": null, "e": true}', {"e": True}),
        (b'{"a": {"b": {"c": {"d": 1}}}}', {}),
        (b'{"nul": "\\u0000", "half": "\\ud800", "bad\\u0000name": 1}', {}),
        (b'{"huge": ' + b"9" * 400 + b"}", {}),
        (b"[1]", {}),
        (b"nonsense", {}),
        (b"\xff", {}),
        (b"[" * 60_000, {}),
        (b'{"a": 1}' + b" " * 70_000, {}),
    ],
)
def test_metrics_json_becomes_flat_and_never_breaks_anything(content: bytes, result: dict[str, object]) -> None:
    assert results.flat_result(content) == result


def test_a_result_is_capped() -> None:
    many = json.dumps({f"m{n}": n for n in range(500)}).encode()
    assert len(results.flat_result(many)) == results.MAX_ENTRIES


@given(st.dictionaries(st.text(max_size=5), st.floats() | st.integers() | st.text(max_size=3) | st.none(), max_size=50))
def test_a_point_keeps_finite_numbers_only(values: dict[str, object]) -> None:
    kept = results.clean_point(values)
    assert len(kept) <= results.MAX_POINT_VALUES
    assert all(math.isfinite(value) for value in kept.values())
