"""What a node may not do with its token, and what a run's report may not claim."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from infra.pool import api as pool
from labs.jobs import api as jobs
from labs.jobs.models import Artifact, Attempt, Job
from labs.jobs.services.lost import lose_attempt
from labs.quota.models import LedgerEntry
from tests.access.world import World
from tests.jobs import invariants
from tests.jobs.agent import Agent
from tests.jobs.build import assign, hello_of

Watch = Callable[[], AbstractContextManager[None]]


class Run:
    """A job that a node is running, and that node."""

    def __init__(self, world: World) -> None:
        self.agent = Agent(jobs.hello(node=world.node, said=hello_of()), world.node_token)
        self.job = world.job()
        assign(self.job, self.agent.node)
        (order,) = self.agent.claim()
        self.id, self.fence = order["attempt_id"], order["fence"]
        self.agent.post(f"attempts/{self.id}/started", {"fence": self.fence})

    def say(self, to: str, body: Any) -> Any:
        return self.agent.post(f"attempts/{self.id}/{to}", body)

    def log(self, start: Any, content: bytes, fence: Any = None) -> Any:
        fence = self.fence if fence is None else fence
        return self.agent.post(f"attempts/{self.id}/log", raw=content, fence=fence, start=start)

    def put(self, path: str, content: bytes = b"x", **query: Any) -> Any:
        return self.agent.put(f"attempts/{self.id}/artifacts", content, fence=self.fence, path=path, **query)

    def end(self, **said: Any) -> Any:
        return self.agent.end(self.id, self.fence, **said)

    @property
    def charges(self) -> list[int]:
        lines = LedgerEntry.objects.filter(job_id=self.job.pk, kind="CHARGE", account_id=self.job.account_id)
        return list(lines.values_list("gpu_seconds", flat=True))


@pytest.fixture
def run(world: World) -> Run:
    return Run(world)


@pytest.fixture
def thief(world: World) -> Agent:
    """Another node of the pool, with a token of its own."""
    node, token = pool.register_node(site_id=world.jeonbuk.sites.get().pk, name="jeonbuk-01", actor=None)
    return Agent(jobs.hello(node=node, said=hello_of(boot_id="other")), token)


def test_a_token_speaks_for_no_other_nodes_run(run: Run, thief: Agent, nothing_changes: Watch) -> None:
    calls = [
        thief.get(f"attempts/{run.id}/source", fence=run.fence),
        thief.post(f"attempts/{run.id}/started", {"fence": run.fence}),
        thief.post(f"attempts/{run.id}/log", raw=b"forged\n", fence=run.fence, start=0),
        thief.post(f"attempts/{run.id}/metrics", {"fence": run.fence, "first_seq": 0, "points": []}),
        thief.put(f"attempts/{run.id}/artifacts", b"forged", fence=run.fence, path="metrics.json"),
        thief.end(run.id, run.fence),
    ]
    with nothing_changes():
        answers = [call.status_code for call in calls]
    assert answers == [403] * len(calls)
    assert Job.objects.get(pk=run.job.pk).state == "RUNNING"
    assert thief.post(
        "heartbeat", {"boot_id": "other", "attempts": [{"attempt_id": run.id, "fence": run.fence}]}
    ).json()["attempts"] == [{"attempt_id": run.id, "verdict": "kill"}]


@pytest.mark.parametrize("forged", [0, 2**62, 2**63, 10**40])
def test_a_run_that_does_not_exist_is_not_found(run: Run, forged: int) -> None:
    assert run.agent.end(forged, run.fence).status_code == 404


def test_a_stale_fence_is_refused_in_every_call(run: Run, nothing_changes: Watch) -> None:
    lose_attempt(attempt_id=run.id, cause="lease_expired")
    with nothing_changes():
        answers = [
            run.agent.get(f"attempts/{run.id}/source", fence=run.fence),
            run.say("started", {"fence": run.fence}),
            run.log(0, b"late\n"),
            run.say("metrics", {"fence": run.fence, "first_seq": 0, "points": [{"run_s": 1, "values": {"a": 1}}]}),
            run.put("late.txt"),
            run.end(),
        ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "stale_fence")] * 6
    assert run.charges == [0] or sum(run.charges) == Attempt.objects.get(pk=run.id).lost_s


@pytest.mark.parametrize("fence", [-1, 0, 1, 10**17])
def test_a_guessed_fence_is_stale(run: Run, nothing_changes: Watch, fence: int) -> None:
    with nothing_changes():
        answer = run.agent.end(run.id, fence if fence != run.fence else fence + 1)
    assert answer.status_code == (400 if fence < 0 else 409)


def test_a_settle_that_is_replayed_charges_once(run: Run, nothing_changes: Watch) -> None:
    assert run.end(run_s=7.2).json() == {"state": "SUCCEEDED"}
    with nothing_changes():
        for reason in ("EXITED", "TIMED_OUT", "EXECUTOR_ERROR"):
            assert run.end(run_s=500.0, reason=reason).json() == {"state": "SUCCEEDED"}
        assert run.log(0, b"after the end").status_code == 409
    assert run.charges == [8]


ABSURD = {
    "negative seconds": ("run_s", -1),
    "1e308 seconds": ("run_s", 1e308),
    "seconds in words": ("run_s", "12"),
    "seconds as a boolean": ("run_s", True),
    "a list of seconds": ("run_s", [1]),
    "negative CPU time": ("cpu_s", -0.5),
    "negative memory": ("peak_memory_bytes", -1),
    "memory beyond any number": ("peak_memory_bytes", 10**30),
    "half a byte of log": ("log_bytes", 0.5),
    "an end that there is none of": ("reason", "PAID"),
    "an exit code in words": ("exit_code", "0"),
    "a flag in words": ("log_truncated", "no"),
    "a detail that is no text": ("detail", {"a": 1}),
    "skipped without a reason": ("skipped", [["a"]]),
    "artifacts that are no list": ("artifacts", {"path": "x"}),
    "an artifact of negative size": ("artifacts", [{"path": "x", "digest": "a" * 64, "size_bytes": -1}]),
    "no fence": ("fence", None),
    "a fence with a fraction": ("fence", 1.5),
}


@pytest.mark.parametrize("case", ABSURD)
def test_an_absurd_report_is_refused_with_its_field_and_can_be_sent_again(
    run: Run, nothing_changes: Watch, case: str
) -> None:
    field, value = ABSURD[case]
    with nothing_changes():
        answer = run.say("settle", {"fence": run.fence, "reason": "EXITED", "exit_code": 0, "run_s": 2.5, field: value})
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["field"].split(".")[0] == field
    assert run.end(run_s=2.5).json() == {"state": "SUCCEEDED"}
    assert run.charges == [3]
    assert invariants.broken() == []


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_never_charged(run: Run, word: str) -> None:
    body = f'{{"fence": {run.fence}, "reason": "EXITED", "exit_code": 0, "run_s": {word}}}'.encode()
    answer = run.agent.http.post(
        f"/node/v1/attempts/{run.id}/settle", body, content_type="application/json",
        headers={"Authorization": f"Node {run.agent.token}"},
    )  # fmt: skip
    assert answer.status_code == 400
    assert Job.objects.get(pk=run.job.pk).state == "RUNNING"


def test_a_report_never_charges_beyond_the_hold(run: Run) -> None:
    assert run.end(run_s=1e12).status_code == 200
    assert run.charges == [run.job.hold_s]
    assert invariants.broken() == []


def test_a_log_comes_whole_whatever_overlaps_repeats_or_jumps(run: Run) -> None:
    assert run.log(0, b"one\n").json() == {"next": 4}
    gap = run.log(9, b"three\n")
    assert (gap.status_code, gap.json()["code"], gap.json()["next"]) == (409, "log_gap", 4)
    assert run.log(0, b"one\ntwo\n").json() == {"next": 8}
    assert run.log(2, b"XX").json() == {"next": 8}
    for start in ("-1", "x", "1e3", "9" * 40, ""):
        assert run.log(start, b"never").status_code in (400, 409)
    assert run.log(8, b"x" * (256 * 1024 + 1)).status_code == 413
    assert b"".join(bytes(chunk.content) for chunk in Attempt.objects.get().log_chunks.all()) == b"one\ntwo\n"


@pytest.mark.parametrize(
    "path",
    ["../../x", "/etc/passwd", "a/../../b", "", ".", "..", "a//b", "a\\b", "C:x", "a\0b", "a\nb", "\u202egnp.exe",
     "x" * 400, "/".join("a" * 30), "한" * 300],
)  # fmt: skip
def test_an_artifact_is_never_stored_under_a_hostile_name(run: Run, nothing_changes: Watch, path: str) -> None:
    with nothing_changes():
        answer = run.put(path)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "path"


@pytest.mark.parametrize(
    "digest", ["", "a" * 64, "../../x", "\0", "A" * 5000, hashlib.sha256(b"x").hexdigest().upper()]
)
def test_an_artifact_that_is_not_what_its_digest_says_leaves_nothing(
    run: Run, nothing_changes: Watch, digest: str
) -> None:
    with nothing_changes():
        answer = run.put("model.bin", digest=digest)
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["field"] == "digest"


def test_a_run_that_is_lost_leaves_no_output_behind(run: Run, django_capture_on_commit_callbacks: Any) -> None:
    run.put("there.txt")
    stored = Artifact.objects.get().file
    assert stored.storage.exists(stored.name)
    with django_capture_on_commit_callbacks(execute=True):
        lose_attempt(attempt_id=run.id, cause="lease_expired")
    assert not Artifact.objects.exists()
    assert not stored.storage.exists(stored.name)


def test_an_artifact_that_never_came_is_not_published_and_said_so(run: Run) -> None:
    run.put("there.txt")
    listed = [
        {"path": "there.txt", "size_bytes": 1, "digest": hashlib.sha256(b"x").hexdigest()},
        {"path": "../../x", "size_bytes": 1, "digest": "a" * 64},
    ]
    assert run.end(artifacts=listed).status_code == 200
    assert list(Artifact.objects.values_list("path", "is_published")) == [("there.txt", True)]
    assert ["../../x", "it did not arrive in full"] in Attempt.objects.get().report["skipped"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff", b'{"fence": 1' + b"0" * 5000 + b"}"]
)
def test_nonsense_settles_nothing(run: Run, nothing_changes: Watch, body: bytes) -> None:
    with nothing_changes():
        for call in ("settle", "started", "metrics"):
            answer = run.agent.http.post(
                f"/node/v1/attempts/{run.id}/{call}", body, content_type="application/json",
                headers={"Authorization": f"Node {run.agent.token}"},
            )  # fmt: skip
            assert answer.status_code == 400, (call, answer.content)


@pytest.mark.parametrize("points", [[{"run_s": float("nan")}], [7], ["x"], [{"run_s": 1, "values": {"a": 10**400}}]])
def test_metrics_of_nonsense_break_no_page(run: Run, page: Any, points: list[Any]) -> None:
    answer = run.say("metrics", {"fence": run.fence, "first_seq": 0, "points": points})
    assert answer.status_code in (200, 400)
    assert page.get(f"/jobs/{run.job.pk}/").status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Node", "Node ", "Node x", "Bearer {}", "Token {}", "node\t{}", "Node {}x", "Node " + "x" * 9000]
)
def test_only_the_nodes_own_token_is_taken(run: Run, nothing_changes: Watch, header: str) -> None:
    with nothing_changes():
        answer = run.agent.http.post(
            f"/node/v1/attempts/{run.id}/settle", json.dumps({"fence": run.fence}), content_type="application/json",
            headers={"Authorization": header.format(run.agent.token)},
        )  # fmt: skip
    assert answer.status_code == 401


def test_a_persons_token_opens_no_node_api_and_a_nodes_no_rest_api(run: Run, api: Any) -> None:
    as_node = run.agent.http.post("/node/v1/claim", b"{}", content_type="application/json",
                                  headers={"Authorization": f"Node {api.token}"})  # fmt: skip
    as_person = run.agent.http.get("/api/v1/me/", headers={"Authorization": f"Token {run.agent.token}"})
    assert (as_node.status_code, as_person.status_code) == (401, 401)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(run: Run, method: str) -> None:
    answer = run.agent.http.generic(method, f"/node/v1/attempts/{run.id}/settle")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
