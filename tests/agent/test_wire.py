"""Nothing that the campus answers is used before it is checked."""

from __future__ import annotations

from typing import Any

import pytest

from infra.agent.wire import Assignment, ProtocolError, Pulse, Unreadable, Welcome, claimed, source_files

DIGEST = "ab" * 32
ORDER: dict[str, Any] = {
    "attempt_id": 7,
    "fence": 70,
    "job_id": 5,
    "title": "손글씨",
    "entrypoint": "main.py",
    "environment": {"digest": DIGEST, "requirements": "numpy==2.0 --hash=sha256:0"},
    "data_sets": [{"slug": "digits", "digest": DIGEST, "size_bytes": 10}],
    "gpus": [{"index": 0, "uuid": "GPU-1", "kind": "NVIDIA"}],
    "wall_s": 60,
    "term_grace_s": 5,
    "env": {"A": "b"},
}


def test_an_order_is_read_and_a_newer_campus_may_say_more() -> None:
    (order,) = claimed({"attempts": [ORDER | {"something_new": 1}]})
    assert isinstance(order, Assignment)
    assert (order.gpus, order.environment and order.environment.python_version) == (((0, "GPU-1"),), "3.11")


def test_a_campus_that_says_nothing_of_shares_gives_whole_gpus() -> None:
    share = {"gpu_milli": 250, "gpu_memory_mib": 20_480}
    orders = claimed({"attempts": [ORDER, ORDER | {"gpu_milli": 1000, "gpu_memory_mib": None}, ORDER | share]})
    assert [(one.gpu_milli, one.gpu_memory_mib) for one in orders if isinstance(one, Assignment)] == [
        (1000, None),
        (1000, None),
        (250, 20_480),
    ]


def test_files_may_come_with_the_order_or_be_asked_for() -> None:
    said = [ORDER, ORDER | {"files": None}, ORDER | {"files": {"a.py": {"text": "pass"}}}]
    assert [getattr(order, "files", "unreadable") for order in claimed({"attempts": said})] == [
        None,
        None,
        {"a.py": b"pass"},
    ]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"wall_s": "60"}, "wall_s"),
        ({"wall_s": float("nan")}, "wall_s"),
        ({"wall_s": 0}, "wall_s"),
        ({"entrypoint": "a\0b"}, "entrypoint"),
        ({"env": {"A": 1}}, "env"),
        ({"environment": {"digest": "../../etc", "requirements": ""}}, "digest"),
        ({"data_sets": [{"slug": "d", "digest": "A" * 64, "size_bytes": 1}]}, "data_sets[0].digest"),
        ({"data_sets": [{"slug": "d", "digest": DIGEST, "size_bytes": -1}]}, "size_bytes"),
        ({"gpus": [{"index": True, "uuid": "x"}]}, "index"),
        ({"gpus": None}, "gpus"),
        ({"gpu_milli": 0}, "gpu_milli"),
        ({"gpu_milli": 1_001}, "gpu_milli"),
        ({"gpu_milli": 500}, "gpu_memory_mib"),
        ({"gpu_milli": 500, "gpu_memory_mib": 1, "gpus": [{"index": n, "uuid": "x"} for n in (0, 1)]}, "one GPU"),
        ({"files": {"a.py": {"base64": "?"}}}, "files['a.py']"),
    ],
)
def test_a_malformed_order_is_told_apart_and_spoils_no_other(wrong: dict[str, Any], named: str) -> None:
    bad, good = claimed({"attempts": [ORDER | wrong, ORDER | {"attempt_id": 8}]})
    assert isinstance(bad, Unreadable)
    assert named in bad.problem
    assert isinstance(good, Assignment)


@pytest.mark.parametrize(
    ("files", "content"),
    [({"a.py": {"text": "print('안녕')"}}, "print('안녕')".encode()), ({"a.py": {"base64": "AAH/"}}, b"\x00\x01\xff")],
)
def test_sources_are_text_or_base64(files: dict[str, Any], content: bytes) -> None:
    assert source_files({"files": files}) == {"a.py": content}


@pytest.mark.parametrize(
    "entry", [{}, {"text": 1}, {"base64": "?"}, {"text": "a", "base64": "AA=="}, "text", None, {"base64": "A"}]
)
def test_other_sources_are_refused(entry: object) -> None:
    with pytest.raises(ProtocolError):
        source_files({"files": {"a.py": entry}})


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, {"node": "n", "queue": "q", "lease_s": 15, "heartbeat_s": 14}, {"node": "n", "lease_s": True}],
)
def test_a_welcome_whose_heartbeat_cannot_keep_the_lease_is_refused(answer: object) -> None:
    with pytest.raises(ProtocolError):
        Welcome.parse(answer)


def test_a_pulse_is_read_by_attempt() -> None:
    pulse = Pulse.parse({"attempts": [{"attempt_id": 7, "verdict": "stop"}], "work": True})
    assert (dict(pulse.verdicts), pulse.has_work) == ({7: "stop"}, True)
