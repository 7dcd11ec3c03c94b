"""Jobs through a real agent process and a real sandbox: what is ordered runs once, and all of it comes back."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from infra.executors.contract import EnvironmentSpec

from .conftest import AgentProcess
from .peer import Peer
from .processes import are_running, until

MakePeer = Callable[..., Peer]
StartAgent = Callable[..., AgentProcess]

pytestmark = pytest.mark.sandbox

NO_TERM = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
)


@pytest.fixture
def peer(make_peer: MakePeer) -> Peer:
    return make_peer()


def test_a_job_runs_and_everything_arrives(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    tried = peer.assign(
        {
            "main.py": (
                "import json, os, pathlib\n"
                "print('작업', os.environ['CAMPUS_JOB_ID'], pathlib.Path('자료/a.bin').read_bytes())\n"
                "for epoch in range(3): print(json.dumps({'epoch': epoch, 'loss': 1 / (epoch + 1)}))\n"
                "pathlib.Path('out').mkdir(); pathlib.Path('out/모델.txt').write_text('weights')\n"
            ),
            "자료/a.bin": b"\x00\xff",
        }
    )
    end = peer.wait_until_settled(tried)
    assert (end["reason"], end["exit_code"], end["skipped"]) == ("EXITED", 0, [])
    lines = tried.log.decode().splitlines()
    assert lines[0] == f"작업 {tried.id} b'\\x00\\xff'"
    assert [point["values"]["epoch"] for point in tried.points] == [0, 1, 2]
    assert end["log_bytes"] == len(tried.log)
    assert tried.artifacts == {"out/모델.txt": b"weights"}
    assert [artifact["path"] for artifact in end["artifacts"]] == ["out/모델.txt"]
    assert 0 < end["run_s"] < 10
    assert tried.starts == 1


@pytest.mark.parametrize(
    ("script", "reason", "exit_code"),
    [
        ("import sys; sys.exit(3)", "EXITED", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "EXITED", 139),
        ("raise SystemExit('no')", "EXITED", 1),
        ("print(len('x' * 3 * 1024**3))", "OUT_OF_MEMORY", None),
    ],
)
def test_every_end_has_its_reason(
    peer: Peer, start_agent: StartAgent, script: str, reason: str, exit_code: int | None
) -> None:
    start_agent(peer)
    end = peer.wait_until_settled(peer.assign(script))
    assert end["reason"] == reason
    if exit_code is not None:
        assert end["exit_code"] == exit_code


def test_a_job_beyond_its_wall_limit_ends(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    end = peer.wait_until_settled(peer.assign("import time; time.sleep(60)", wall_s=1))
    assert end["reason"] == "TIMED_OUT"
    assert 1.0 <= end["run_s"] < 3.0


def test_what_is_claimed_again_and_again_runs_once(peer: Peer, start_agent: StartAgent) -> None:
    archive = zipped({"a.txt": "x"})
    peer.is_claim_repeated = True
    peer.may_fetch = lambda: peer.claims >= 4
    start_agent(peer)
    tried = peer.assign(
        "print(open('/data/letters/a.txt').read())", data_sets=[peer.offer_data_set("letters", archive)]
    )
    peer.wait_until_settled(tried)
    assert peer.claims >= 4
    assert (tried.starts, bytes(tried.log)) == (1, b"x\n")


def test_the_campus_hears_once_which_data_sets_lie_here(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    offer = peer.offer_data_set("letters", zipped({"a.txt": "x"}))
    peer.wait_until_settled(peer.assign("print('ran')", data_sets=[offer]))

    def told() -> list[list[str]]:
        return [body["data_sets"] for _at, body in peer.heartbeats if "data_sets" in body]

    peer.wait_for(told)
    later = len(peer.heartbeats) + 2
    peer.wait_for(lambda: len(peer.heartbeats) >= later)
    assert told() == [[offer["digest"]]]


def test_cancelling_stops_the_run_with_grace(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    polite = peer.assign(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saved'), sys.exit(0)))\n"
        "print('ready')\n"
        "time.sleep(60)",
        slots=(0,),
    )
    deaf = peer.assign({"deaf-one.py": NO_TERM}, entrypoint="deaf-one.py", term_grace_s=0.5, slots=(1,))
    peer.wait_for(lambda: polite.log == b"ready\n" and deaf.log == b"deaf\n")
    polite.verdict = deaf.verdict = "stop"
    assert peer.wait_until_settled(polite)["reason"] == "STOPPED"
    assert polite.log == b"ready\nsaved\n"
    assert peer.wait_until_settled(deaf)["reason"] == "STOPPED"
    assert not are_running("deaf-one.py")


def test_cancelling_before_the_start_never_starts_it(peer: Peer, start_agent: StartAgent) -> None:
    peer.may_fetch = lambda: False
    start_agent(peer)
    tried = peer.assign("print('ran')", data_sets=[peer.offer_data_set("letters", zipped({"a.txt": "x"}))])
    peer.wait_for(lambda: tried.state == "CLAIMED")
    tried.verdict = "stop"
    beats = len(peer.heartbeats)
    peer.wait_for(lambda: len(peer.heartbeats) >= beats + 2)
    peer.may_fetch = lambda: True
    with peer.changed:
        peer.changed.notify_all()
    end = peer.wait_until_settled(tried)
    assert (end["reason"], end["run_s"], tried.starts) == ("STOPPED", 0, 0)


@pytest.mark.parametrize("by", ["verdict", "stale fence"])
def test_a_run_that_is_no_longer_ours_is_killed_and_forgotten(peer: Peer, start_agent: StartAgent, by: str) -> None:
    start_agent(peer)
    name = f"talker-{by.replace(' ', '-')}.py"
    # Silent when the heartbeat must find it out; talking, and the heartbeat slow, when the log does.
    script = "import time\nprint('a')\nwhile True:\n time.sleep(0.1)\n" + (
        " print('b')\n" if by == "stale fence" else ""
    )
    tried = peer.assign({name: script}, entrypoint=name)
    peer.wait_for(lambda: len(tried.log) > 0)
    assert are_running(name)
    with peer.changed:
        tried.state = "ENDED"
    until(lambda: not are_running(name), 5)
    another = peer.assign("print('next')")
    peer.wait_until_settled(another)
    assert tried.settlements == []


def test_an_environment_is_built_once_and_jobs_run_in_it(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    requirements = "# nothing beyond Python\n"
    digest = EnvironmentSpec(requirements, "3.11").digest
    environment = {"digest": digest, "requirements": requirements}
    for _ in range(2):
        tried = peer.assign("import sys; print(sys.prefix)", environment=environment)
        assert peer.wait_until_settled(tried, 60)["reason"] == "EXITED"
        assert tried.log == b"/env\n"
    assert [(item["digest"], item["state"]) for item in peer.environments] == [(digest, "BUILDING"), (digest, "READY")]
    assert peer.environments[-1]["size_bytes"] > 0


def test_an_environment_that_cannot_be_built_settles_with_what_uv_said(peer: Peer, start_agent: StartAgent) -> None:
    agent = start_agent(peer)
    requirements = "this is no requirement\n"
    environment = {"digest": EnvironmentSpec(requirements, "3.11").digest, "requirements": requirements}
    tried = peer.assign("print('ran')", environment=environment)
    end = peer.wait_until_settled(tried, 60)
    assert end["reason"] == "ENVIRONMENT_FAILED"
    assert "this is no requirement" in end["detail"]
    assert tried.starts == 0
    peer.wait_for(lambda: peer.environments[-1]["state"] == "FAILED")
    agent.stop()
    start_agent(peer)
    assert [item["state"] for item in peer.hellos[-1]["environments"]] == ["FAILED"]


def test_requirements_that_do_not_match_their_digest_are_not_built(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    tried = peer.assign("print('ran')", environment={"digest": "ab" * 32, "requirements": "# other\n"})
    end = peer.wait_until_settled(tried)
    assert (end["reason"], "digest" in end["detail"]) == ("ENVIRONMENT_FAILED", True)


def test_a_data_set_with_another_digest_is_the_platforms_fault(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    offer = peer.offer_data_set("letters", zipped({"a.txt": "x"}))
    peer.data_sets[offer["digest"]] = zipped({"a.txt": "y"})
    end = peer.wait_until_settled(peer.assign("print('ran')", data_sets=[offer]))
    assert (end["reason"], "digest" in end["detail"]) == ("EXECUTOR_ERROR", True)


@pytest.mark.parametrize(
    ("order", "files", "said"),
    [
        ({}, {"main.py": "", "../escaped.txt": "x"}, "escaped.txt"),
        ({}, {"main.py": "", "/etc/cron.d/campus": "x"}, "cron.d"),
        ({"data_sets": "hostile"}, {"main.py": ""}, "data set"),
        ({"env": {"LD PRELOAD": "x"}}, {"main.py": ""}, "LD PRELOAD"),
        ({"wall_s": "1; rm"}, {"main.py": ""}, "wall_s"),
        ({"gpus": [{"index": 0, "uuid": "someone-elses"}]}, {"main.py": ""}, "not on this node"),
    ],
)
def test_a_hostile_or_broken_order_is_refused_before_anything_runs(
    peer: Peer, start_agent: StartAgent, order: dict[str, Any], files: dict[str, str], said: str
) -> None:
    start_agent(peer)
    if order.get("data_sets") == "hostile":
        order = {"data_sets": [peer.offer_data_set("../../run", zipped({"a.txt": "x"}))]}
    tried = peer.assign(files, **order)
    end = peer.wait_until_settled(tried)
    assert end["reason"] == "EXECUTOR_ERROR"
    assert said in end["detail"]
    assert tried.starts == 0


def test_an_output_that_the_campus_refuses_does_not_cost_the_others(peer: Peer, start_agent: StartAgent) -> None:
    peer.refused_artifacts.add("big.bin")
    start_agent(peer)
    tried = peer.assign("open('big.bin', 'w').write('x'); open('small.txt', 'w').write('y')")
    end = peer.wait_until_settled(tried)
    assert tried.artifacts == {"small.txt": b"y"}
    assert [name for name, _why in end["skipped"]] == ["big.bin"]
    assert [artifact["path"] for artifact in end["artifacts"]] == ["small.txt"]


def test_the_first_line_comes_at_once_and_a_flood_in_few_posts(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    tried = peer.assign(
        "import time\nprint('first')\ntime.sleep(1)\nfor number in range(200_000): print(f'line {number:08}')\n"
    )
    peer.wait_for(lambda: len(tried.log) > 0)
    assert tried.log_posts[0][0] - tried.started_at < 0.5
    end = peer.wait_until_settled(tried, 40)
    text = "first\n" + "".join(f"line {number:08}\n" for number in range(200_000))
    assert tried.log.decode() == text
    assert end["log_bytes"] == len(text)
    assert max(size for _at, _start, size in tried.log_posts) <= 256 * 1024
    assert len(tried.log_posts) < len(text) / 16 / 1024


def test_a_job_gets_the_share_of_its_slots(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    script = "import os, json; print(json.dumps({'work': os.statvfs('/work').f_blocks * os.statvfs('/work').f_frsize}))"
    one, two = peer.assign(script, slots=(0,)), peer.assign(script, slots=(0, 1))
    works = []
    for tried in (one, two):
        peer.wait_until_settled(tried)
        works.append(json.loads(tried.log)["work"])
    assert works == [448 * 1024**2, 896 * 1024**2]


def test_a_node_that_cannot_confine_claims_nothing(peer: Peer, start_agent: StartAgent, tmp_path: Any) -> None:
    agent = start_agent(peer, PATH=str(tmp_path))
    assert (peer.hellos[0]["confinement"], "bubblewrap" in peer.hellos[0]["confinement_detail"]) == ("REFUSED", True)
    peer.assign("print('ran')")
    peer.wait_for(lambda: len(peer.heartbeats) >= 3)
    assert peer.claims == 0
    assert "cannot contain" in agent.said


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return buffer.getvalue()
