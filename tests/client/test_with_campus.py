"""Every command against the real campus: web, worker, node and sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.pool import api as pool
from infra.pool.models import Site
from labs.jobs.models import Job
from tests import factories
from tests.agent import stand as stands
from tests.agent.conftest import ROOT, AgentProcess
from tests.agent.processes import until
from tests.jobs import build

pytestmark = pytest.mark.sandbox


@dataclass
class Shell:
    """A person's terminal: a home of their own, signed in or not."""

    home: Path
    url: str

    def run(self, *words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "labs.client", *words],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8"} | environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def login(self, email: str, password: str = factories.PASSWORD) -> subprocess.CompletedProcess[str]:
        words = ("login", "--url", self.url, "--email", email, "--password-stdin")
        return self.run(*words, stdin=f"{password}\n")


@dataclass
class Scene:
    stand: stands.Stand
    world: build.World


@pytest.fixture(scope="module")
def scene(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Scene]:
    folder = stands.folder()
    with django_db_blocker.unblock(), stands.database():
        stand = stands.Stand(folder)
        agent = None
        try:
            world = build.world()
            site = Site.objects.create(slug="yongin", name_ko="용인", campus=world.campus)
            _node, token = pool.register_node(site_id=site.pk, name="test-01", actor=world.learner)
            stand.start_web()
            stand.start_worker()
            prefix = os.environ.get("CAMPUS_KEY_PREFIX", "campus")
            redis = {"REDIS_URL": os.environ["REDIS_URL"], "CAMPUS_KEY_PREFIX": prefix}
            agent = AgentProcess(folder / "node", stand.url, token=token, **redis)
            until(lambda: "nudges arrive" in agent.said, 30)
            yield Scene(stand, world)
        finally:
            if agent is not None:
                agent.stop()
                sys.stdout.write(agent.said)
            stand.close()
            sys.stdout.write(stand.logs())
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_shell(scene: Scene, tmp_path: Path) -> Shell:
    return Shell(tmp_path, scene.stand.url)


@pytest.fixture
def shell(scene: Scene, new_shell: Shell) -> Shell:
    assert new_shell.login(scene.world.learner.email).returncode == 0
    return new_shell


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "work" / "main.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


def test_signing_in_keeps_a_token_and_signing_out_ends_it(scene: Scene, new_shell: Shell) -> None:
    assert new_shell.run("jobs").returncode == 4
    assert new_shell.login(scene.world.learner.email).returncode == 0
    file = new_shell.home / ".config" / "campus" / "credentials.json"
    kept = json.loads(file.read_text())
    assert new_shell.run("jobs").returncode == 0
    assert new_shell.run("logout").returncode == 0
    assert not file.exists()
    again = new_shell.run("jobs", CAMPUS_URL=kept["url"], CAMPUS_TOKEN=kept["token"])
    assert (again.returncode, "campus login" in again.stderr) == (4, True)


def test_a_wrong_password_is_refused_in_the_campuss_words(scene: Scene, new_shell: Shell) -> None:
    refused = new_shell.login(scene.world.learner.email, "wrong-password")
    assert refused.returncode == 3
    assert "password: The e-mail or the password is wrong." in refused.stderr


def test_a_job_is_submitted_followed_listed_and_its_artifacts_brought(
    shell: Shell, script: Callable[[str], str], tmp_path: Path
) -> None:
    path = script(
        "import pathlib, time\n"
        "for n in range(5): print('줄', n); time.sleep(0.2)\n"
        "pathlib.Path('out').mkdir(); pathlib.Path('out/model.bin').write_bytes(bytes(1000))\n"
    )
    done = shell.run("submit", "--wall", "1m", "--title", "첫 실험", "--follow", path)
    assert (done.returncode, done.stdout) == (0, "".join(f"줄 {n}\n" for n in range(5)))
    assert "succeeded" in done.stderr
    job = Job.objects.order_by("-id")[0]
    assert (job.title, job.wall_s) == ("첫 실험", 60)

    assert shell.run("logs", str(job.pk)).stdout == done.stdout
    assert "첫 실험" in shell.run("jobs").stdout
    listed = json.loads(shell.run("jobs", "--json", "--state", "SUCCEEDED").stdout)
    assert job.pk in [entry["id"] for entry in listed]
    assert "out/model.bin" in shell.run("artifacts", f"#{job.pk}").stdout
    target = tmp_path / "brought"
    for count in (1, 0):  # the second time it lies there already
        brought = shell.run("artifacts", str(job.pk), "--download", str(target))
        assert (brought.returncode, f"{count} of 1 files" in brought.stderr) == (0, True)
    assert (target / "out" / "model.bin").read_bytes() == bytes(1000)
    (target / "out" / "model.bin").write_bytes(b"mine")
    assert shell.run("artifacts", str(job.pk), "--download", str(target)).returncode == 2
    assert (target / "out" / "model.bin").read_bytes() == b"mine"

    used = shell.run("usage")
    assert (used.returncode, "GPU" in used.stdout) == (0, True)
    assert json.loads(shell.run("usage", "--json").stdout)["total"]["jobs"] >= 1


def test_a_job_that_fails_ends_the_following_with_1(shell: Shell, script: Callable[[str], str]) -> None:
    done = shell.run("submit", "--follow", script("print('before')\nraise SystemExit(3)\n"))
    assert (done.returncode, done.stdout) == (1, "before\n")
    assert "exit code 3" in done.stderr


def test_files_that_are_no_text_and_zips_arrive_too(shell: Shell, script: Callable[[str], str]) -> None:
    path = Path(script("print(open('weights.bin', 'rb').read())"))
    (path.parent / "weights.bin").write_bytes(b"\x00\xff")
    done = shell.run("submit", "--follow", str(path.parent))
    assert (done.returncode, done.stdout) == (0, "b'\\x00\\xff'\n")
    archive = shutil.make_archive(str(path.parent.parent / "lab"), "zip", path.parent)
    done = shell.run("submit", "--follow", archive)
    assert (done.returncode, done.stdout) == (0, "b'\\x00\\xff'\n")


def test_the_same_key_is_the_same_job(shell: Shell, script: Callable[[str], str]) -> None:
    path = script("print('once')")
    first, second = (shell.run("submit", "--key", "my-key-1", path) for _ in range(2))
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    without = shell.run("submit", path)
    assert without.stdout != first.stdout
    other = shell.run("submit", "--key", "my-key-1", script("print('twice')"))
    assert (other.returncode, other.stdout) == (3, "")


def test_a_running_job_is_cancelled(shell: Shell, script: Callable[[str], str]) -> None:
    job_id = int(shell.run("submit", script("import time; time.sleep(60)")).stdout)
    until(lambda: Job.objects.get(pk=job_id).state == "RUNNING", 30)
    assert shell.run("cancel", str(job_id)).returncode == 0
    followed = shell.run("follow", str(job_id))
    assert (followed.returncode, "cancelled" in followed.stderr) == (1, True)


def test_a_sweep_is_submitted_compared_and_what_is_left_of_it_stopped(
    shell: Shell, script: Callable[[str], str]
) -> None:
    program = script("""\
import json
point = json.load(open("params.json"))
json.dump({"score": point["depth"] * point["rate"]}, open("metrics.json", "w"))
""")
    words = ("--param", "depth=1,2", "--param", "rate=0.5,2", "--metric", "score", "--lowest", "--wall", "60s")
    made = shell.run("sweep", *words, "--key", "sweep-1", program)
    assert (made.returncode, "4 runs that hold" in made.stderr) == (0, True)
    sweep_id = made.stdout.strip()
    assert shell.run("sweep", *words, "--key", "sweep-1", program).stdout == made.stdout
    until(lambda: Job.objects.filter(sweep_id=int(sweep_id), state="SUCCEEDED").count() == 4, 60)
    head, *rows = [line.split() for line in shell.run("runs", sweep_id).stdout.splitlines()]
    assert head == ["RUN", "JOB", "STATE", "DEPTH", "RATE", "SCORE"]
    assert [(row[-3], row[-2], row[-1]) for row in rows] == [
        ("1", "0.5", "0.5"), ("1", "2", "2"), ("2", "0.5", "1.0"), ("2", "2", "4"),
    ]  # fmt: skip
    assert [row[0] for row in rows] == ["*", "2", "3", "4"]
    assert json.loads(shell.run("runs", "--json", sweep_id).stdout)["best"] == int(rows[0][2])

    slow = script("import time; time.sleep(60)")
    sweep_id = shell.run("sweep", "--param", "seed=1,2,3", "--max-running", "1", slow).stdout.strip()
    stopped = shell.run("cancel-sweep", sweep_id)
    assert (stopped.returncode, "3 runs of sweep" in stopped.stderr) == (0, True)
    until(lambda: Job.objects.filter(sweep_id=int(sweep_id), state="CANCELLED").count() == 3, 30)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--param", "depth"), "NAME=VALUE"),
        (("--param", "depth=1", "--param", "depth=2"), "there twice"),
        (("--param", "depth=1,,2"), "is no number"),
        (("--param", "depth=1,1"), "twice"),
        (("--param", f"seed={','.join(map(str, range(300)))}"), "at most"),
    ],
)
def test_a_wrong_sweep_names_the_fix_and_submits_nothing(
    shell: Shell, script: Callable[[str], str], words: tuple[str, ...], said: str
) -> None:
    before = Job.objects.count()
    done = shell.run("sweep", *words, script("print(1)"))
    assert done.returncode in (2, 3)
    assert said in done.stderr
    assert Job.objects.count() == before


def test_a_share_of_a_gpu_is_asked_for_and_listed(shell: Shell, script: Callable[[str], str]) -> None:
    path = script("import os\nprint(os.environ['CAMPUS_GPU_MILLI'])\n")
    done = shell.run("submit", "--gpus", "1/2", "--gpu-memory", "0.1", "--title", "Half", "--follow", path)
    assert (done.returncode, "500" in done.stdout.split()) == (0, True)
    (job,) = [one for one in json.loads(shell.run("jobs", "--json").stdout) if one["title"] == "Half"]
    assert (job["gpus"], job["gpu_milli"], job["gpu_memory_mib"]) == (1, 500, 102)
    (line,) = [line for line in shell.run("jobs").stdout.splitlines() if "Half" in line]
    assert "1/2" in line.split()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--gpus", "0"), 3, "gpus:"),
        (("--gpus", "99"), 3, "gpus:"),
        (("--gpus", "0.3"), 3, "gpu_milli:"),
        (("--gpus", "1.5"), 2, "0.25 or 1/4"),
        (("--gpu-memory", "4000"), 3, "gpu_memory_mib:"),
        (("--gpu-memory", "much"), 2, "512MiB"),
        (("--wall", "1s"), 3, "wall_s:"),
        (("--environment", "no-such"), 3, "environment:"),
        (("--lab", "999999"), 3, "lab:"),
        (("--data-set", "no-such"), 3, "data_sets"),
        (("--wall", "soon"), 2, "1h30m"),
        (("--lab", "1", "--environment", "x"), 2, "not allowed with"),
    ],
)
def test_a_wrong_submission_names_field_and_fix(
    shell: Shell, script: Callable[[str], str], words: tuple[str, ...], code: int, said: str
) -> None:
    refused = shell.run("submit", *words, script("print()"))
    assert (refused.returncode, refused.stdout) == (code, "")
    assert said in refused.stderr


def test_another_learners_job_does_not_exist(scene: Scene, shell: Shell, django_db_blocker: Any) -> None:
    stranger, account = scene.world.another_learner()
    theirs = scene.world.submit(owner=stranger, account_id=account.pk)
    for command in ("follow", "logs", "cancel", "artifacts"):
        refused = shell.run(command, str(theirs.pk))
        assert (refused.returncode, refused.stdout) == (3, "")


def test_a_campus_that_is_not_there_is_said_so(new_shell: Shell) -> None:
    gone = new_shell.run("login", "--url", "http://127.0.0.1:9", "--email", "a@b.c", "--password-stdin", stdin="x\n")
    assert (gone.returncode, "does not answer" in gone.stderr) == (5, True)
