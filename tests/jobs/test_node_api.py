"""The node API: the whole way of a run, and what it refuses."""

import hashlib
import json

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from labs.jobs.models import Artifact, Attempt, Job
from labs.jobs.services.attempts import SMALL_SOURCE_BYTES
from labs.jobs.services.lost import lose_attempt
from tests.jobs.agent import Agent
from tests.jobs.build import World, assign, running


def agent_of(world: World, **node: object) -> Agent:
    made = world.node(**node)  # type: ignore[arg-type]
    return Agent(made, world.tokens[made.name])


def begun(world: World, agent: Agent, **wishes: object) -> tuple[Job, int, int]:
    job = world.submit(**wishes)
    assign(job, agent.node)
    (order,) = agent.claim()
    agent.post(f"attempts/{order['attempt_id']}/started", {"fence": order["fence"]})
    return job, order["attempt_id"], order["fence"]


def test_a_run_from_hello_to_settle(world: World) -> None:
    agent = agent_of(world)
    job = world.submit(title="Digits", files={"main.py": b"print(1)\n", "bad.bin": b"\xff\x00"})
    assign(job, agent.node)
    assert agent.post("heartbeat", {"boot_id": "boot-1", "attempts": []}).json() == {"attempts": [], "work": True}
    (order,) = agent.claim()
    assert order["title"] == "Digits"
    assert order["gpu_count"] == len(order["gpus"]) == 1
    attempt, fence = order["attempt_id"], order["fence"]
    assert order["files"] == {"main.py": {"text": "print(1)\n"}, "bad.bin": {"base64": "/wA="}}
    assert agent.get(f"attempts/{attempt}/source", fence=fence).json() == {"files": order["files"]}
    assert agent.post(f"attempts/{attempt}/started", {"fence": fence}).json() == {}
    assert agent.post(f"attempts/{attempt}/log", raw=b"one\n", fence=fence, start=0).json() == {"next": 4}
    points = {"fence": fence, "first_seq": 0, "points": [{"run_s": 1.0, "values": {"loss": 0.5}}]}
    assert agent.post(f"attempts/{attempt}/metrics", points).json() == {"next_seq": 1}
    result = json.dumps({"accuracy": 0.97, "nan": float("nan"), "deep": {"a": 1}}).encode()
    assert agent.put(f"attempts/{attempt}/artifacts", result, fence=fence, path="metrics.json").status_code == 200
    listed = {"path": "metrics.json", "size_bytes": len(result), "digest": hashlib.sha256(result).hexdigest()}
    assert agent.end(attempt, fence, artifacts=[listed]).json() == {"state": "SUCCEEDED"}
    assert agent.end(attempt, fence, reason="TIMED_OUT").json() == {"state": "SUCCEEDED"}
    job.refresh_from_db()
    assert job.result == {"accuracy": 0.97, "deep.a": 1}
    assert job.charged_s == 3
    assert Artifact.objects.get().is_published


@pytest.mark.parametrize(("size", "comes_along"), [(SMALL_SOURCE_BYTES, True), (SMALL_SOURCE_BYTES + 1, False)])
def test_a_small_source_comes_with_the_claim_and_a_large_one_when_asked_for(
    world: World, size: int, comes_along: bool
) -> None:
    agent = agent_of(world)
    text = "#" * size
    assign(world.submit(files={"main.py": text.encode()}), agent.node)
    (order,) = agent.claim()
    assert order["files"] == ({"main.py": {"text": text}} if comes_along else None)
    source = agent.get(f"attempts/{order['attempt_id']}/source", fence=order["fence"])
    assert source.json() == {"files": {"main.py": {"text": text}}}


def test_what_the_node_does_not_name_at_the_end_is_dropped_and_what_did_not_arrive_is_told(world: World) -> None:
    agent = agent_of(world)
    _job, attempt, fence = begun(world, agent)
    agent.put(f"attempts/{attempt}/artifacts", b"scratch", fence=fence, path="a.txt")
    stored = Artifact.objects.get().file.name
    agent.end(attempt, fence, artifacts=[{"path": "b.txt", "size_bytes": 1, "digest": "0" * 64}])
    assert not Artifact.objects.exists()
    assert Attempt.objects.get().report["skipped"] == [["b.txt", "it did not arrive in full"]]
    assert stored


def test_outputs_whose_digest_does_not_match_are_refused_and_leave_no_file(world: World) -> None:
    agent = agent_of(world)
    _job, attempt, fence = begun(world, agent)
    answer = agent.put(f"attempts/{attempt}/artifacts", b"abc", fence=fence, path="a.txt", digest="0" * 64)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "digest")
    assert not Artifact.objects.exists()
    assert default_storage.listdir(f"attempts/{attempt}")[1] == []


def test_caps_on_outputs_hold_for_bytes_and_files(world: World, settings: object) -> None:
    settings.LABS_ARTIFACT_MAX_BYTES, settings.LABS_ARTIFACT_MAX_FILES = 10, 2  # type: ignore[attr-defined]
    agent = agent_of(world)
    _job, attempt, fence = begun(world, agent)
    where = f"attempts/{attempt}/artifacts"
    assert agent.put(where, b"123456", fence=fence, path="a").status_code == 200
    assert agent.put(where, b"12345", fence=fence, path="b").json()["code"] == "artifacts_too_large"
    assert agent.put(where, b"1234", fence=fence, path="b").status_code == 200
    assert agent.put(where, b"", fence=fence, path="c").json()["code"] == "too_many_artifacts"
    assert agent.put(where, b"123456", fence=fence, path="a").status_code == 200


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", "a\\b", "", "a\x00b", "x" * 500])
def test_outputs_with_hostile_names_are_refused(world: World, path: str) -> None:
    agent = agent_of(world)
    _job, attempt, fence = begun(world, agent)
    answer = agent.put(f"attempts/{attempt}/artifacts", b"x", fence=fence, path=path)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "path")


@pytest.mark.parametrize("header", ["", "Node ", "Node wrong", "Token x", "Node " + "x" * 5000])
def test_without_the_token_nothing_is_answered(world: World, header: str) -> None:
    world.node()
    answer = Client().post(
        "/node/v1/claim", {"boot_id": "boot-1"}, "application/json", headers={"Authorization": header}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_token_speaks_for_its_own_nodes_attempts_only(world: World) -> None:
    mine, other = agent_of(world), agent_of(world)
    job, attempt, fence = begun(world, mine)
    calls = [
        other.get(f"attempts/{attempt}/source", fence=fence),
        other.post(f"attempts/{attempt}/started", {"fence": fence}),
        other.post(f"attempts/{attempt}/log", raw=b"x", fence=fence, start=0),
        other.post(f"attempts/{attempt}/metrics", {"fence": fence, "first_seq": 0, "points": []}),
        other.put(f"attempts/{attempt}/artifacts", b"x", fence=fence, path="a"),
        other.end(attempt, fence),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in calls] == [(403, "not_your_attempt")] * 6
    pulse = other.post("heartbeat", {"boot_id": "boot-1", "attempts": [{"attempt_id": attempt, "fence": fence}]})
    assert pulse.json()["attempts"] == [{"attempt_id": attempt, "verdict": "kill"}]
    job.refresh_from_db()
    assert job.state == "RUNNING"


def test_attempts_that_do_not_exist_are_not_found(world: World) -> None:
    agent = agent_of(world)
    for attempt_id in (999_999, 2**63 + 5):
        assert agent.get(f"attempts/{attempt_id}/source", fence=1).status_code == 404


def test_a_stale_fence_is_told_to_kill_and_forget(world: World) -> None:
    agent = agent_of(world)
    _job, attempt, fence = begun(world, agent)
    lose_attempt(attempt_id=attempt, cause="lease_expired")
    calls = [
        agent.get(f"attempts/{attempt}/source", fence=fence),
        agent.post(f"attempts/{attempt}/started", {"fence": fence}),
        agent.post(f"attempts/{attempt}/log", raw=b"x", fence=fence, start=0),
        agent.post(f"attempts/{attempt}/metrics", {"fence": fence, "first_seq": 0, "points": []}),
        agent.put(f"attempts/{attempt}/artifacts", b"x", fence=fence, path="a"),
        agent.end(attempt, fence),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in calls] == [(409, "stale_fence")] * 6


def test_an_old_boot_is_told_so(world: World) -> None:
    agent = agent_of(world)
    for path in ("claim", "heartbeat"):
        answer = agent.post(path, {"boot_id": "older", "attempts": []})
        assert (answer.status_code, answer.json()["code"]) == (409, "unknown_boot")


def test_a_gap_in_the_log_is_told_with_where_to_go_on(world: World) -> None:
    agent = agent_of(world)
    _job, attempt, fence = begun(world, agent)
    agent.post(f"attempts/{attempt}/log", raw=b"abc", fence=fence, start=0)
    answer = agent.post(f"attempts/{attempt}/log", raw=b"xyz", fence=fence, start=5)
    assert (answer.status_code, answer.json()["code"], answer.json()["next"]) == (409, "log_gap", 3)


def test_a_log_chunk_that_is_too_large_is_refused(world: World) -> None:
    agent = agent_of(world)
    _job, attempt, fence = begun(world, agent)
    answer = agent.post(f"attempts/{attempt}/log", raw=b"x" * (256 * 1024 + 1), fence=fence, start=0)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"nonsense", b'{"fence": "1"}', b'{"fence": 1}', b'{"fence": true, "reason": "EXITED"}',
        b'{"fence": 1, "reason": "WON"}', b"[" * 100_000, b'{"fence": 1, "reason": "EXITED", "run_s": -1}',
        b'{"fence": 1, "reason": "EXITED", "run_s": NaN}', b'{"fence": 1, "reason": "EXITED", "skipped": [1]}',
        b'{"fence": 1, "reason": "EXITED", "detail": "\\u0000"}',
    ],
)  # fmt: skip
def test_nonsense_is_answered_with_the_field_and_changes_nothing(world: World, body: bytes) -> None:
    agent = agent_of(world)
    job, attempt, _fence = begun(world, agent)
    answer = agent.http.post(
        f"/node/v1/attempts/{attempt}/settle",
        body,
        content_type="application/json",
        headers={"Authorization": f"Node {agent.token}"},
    )
    assert answer.status_code == 400
    assert answer.json()["errors"]
    job.refresh_from_db()
    assert job.state == "RUNNING"


def test_a_body_beyond_the_cap_is_refused(world: World) -> None:
    agent = agent_of(world)
    assert agent.post("heartbeat", {"boot_id": "x" * (13 * 1024 * 1024)}).status_code == 413


def test_hello_is_checked_and_learns_the_pool(world: World) -> None:
    agent = agent_of(world, gpus=3)
    said = {
        "boot_id": "boot-9", "agent_version": "2", "cpu_count": 8, "memory_mib": 1000, "confinement": "FULL",
        "gpus": [{"index": 0, "uuid": "u", "kind": "CPU_SLOT", "gpu_type": "cpu", "memory_mib": 0, "watts": 0}],
        "environments": [{"digest": "a" * 64, "state": "READY"}],
    }  # fmt: skip
    answer = agent.post("hello", said).json()
    assert answer["queue"] == f"node.{agent.node.name}"
    assert list(agent.node.gpus.values_list("index", "kind")) == [(0, "CPU_SLOT")]
    assert agent.post("hello", said | {"confinement": "TRUST ME"}).json()["errors"][0]["field"] == "confinement"
    assert agent.post("environments", {"digest": "b" * 64, "state": "FAILED", "detail": "no"}).status_code == 200
    assert sorted(agent.node.environments.values_list("state", flat=True)) == ["FAILED", "READY"]


def test_a_node_says_which_data_sets_lie_there_and_only_when_that_changes(world: World) -> None:
    agent = agent_of(world)
    beat = {"boot_id": "boot-1", "attempts": []}

    def lying() -> list[str]:
        agent.node.refresh_from_db()
        return agent.node.data_sets

    assert lying() == []
    assert agent.post("heartbeat", beat | {"data_sets": ["a" * 64, "b" * 64]}).status_code == 200
    assert agent.post("heartbeat", beat).status_code == 200
    assert lying() == ["a" * 64, "b" * 64]
    for nonsense in (["A" * 64], ["a" * 63], [1], "a" * 64, [["a" * 64]]):
        answer = agent.post("heartbeat", beat | {"data_sets": nonsense})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "data_sets")
    assert agent.post("heartbeat", beat | {"data_sets": ["a" * 64] * 1001}).status_code == 413
    assert agent.post("heartbeat", beat | {"data_sets": []}).status_code == 200
    assert lying() == []


def test_a_heartbeat_costs_the_same_queries_for_one_attempt_and_for_ten(
    world: World, django_assert_num_queries: object
) -> None:
    agent = agent_of(world, gpus=10)
    attempts = [running(world.submit(), agent.node) for _ in range(10)]
    for held in (attempts[:1], attempts):
        body = {
            "boot_id": "boot-1",
            "attempts": [{"attempt_id": attempt.pk, "fence": attempt.fence} for attempt in held],
            "gpus": [{"index": n, "utilisation_pct": 50, "power_w": 300, "is_healthy": True} for n in range(10)],
        }
        # Token, node, GPUs, leases, work.
        with django_assert_num_queries(5):  # type: ignore[operator]
            assert {v["verdict"] for v in agent.post("heartbeat", body).json()["attempts"]} == {"go"}
