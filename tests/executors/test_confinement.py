"""What is said, and refused, on a node that cannot contain code; and the groups of version 2."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from infra.executors.contract import ConfinementRefused
from infra.executors.local import cgroups
from infra.executors.local.executor import LocalExecutor
from tests.executors.support import Recorder, spec_of

pytestmark = pytest.mark.sandbox

PROJECT = Path(__file__).resolve().parents[2]


def as_nobody(root: Path, source: str, **environment: str) -> list[str]:
    """Lines that an agent run by an ordinary user without a delegated group prints."""
    nobody = pwd.getpwnam("nobody")
    home = root / "nobody"
    home.mkdir(mode=0o755)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    for parent in (root, *root.parents):
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o001)
    done = subprocess.run(
        [sys.executable, "-m", "tests.executors.agent_process", str(home), "61000", source],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", **environment},
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).splitlines()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user to try this")


def test_this_machine_contains_code_fully(executor):
    found = executor.confinement()
    assert (found.level, found.missing) == ("full", ())
    assert found.cgroup in ("v1", "v2")


def test_without_bubblewrap_nothing_runs_and_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    refusing = LocalExecutor(tmp_path, allow_unconfined=True)
    found = refusing.confinement()
    assert found.level == "refused"
    assert "apt-get install bubblewrap" in "; ".join(found.missing)
    with pytest.raises(ConfinementRefused, match="apt-get install bubblewrap"):
        refusing.start(spec_of("print(1)"), Recorder())
    refusing.close()


@needs_root
def test_an_ordinary_user_without_a_group_is_refused(tmp_path):
    first, *_ = as_nobody(tmp_path, "")
    assert first.startswith("refused")
    assert "LABS_ALLOW_UNCONFINED=1" in first


@needs_root
def test_an_ordinary_user_may_choose_to_run_unconfined_and_still_has_a_sandbox(tmp_path):
    source = """
import os, socket
def attempt(action):
    try:
        return action()
    except OSError as error:
        return error.strerror
print(attempt(lambda: socket.create_connection(("192.0.2.1", 80), 1)))
print(attempt(lambda: os.listdir("/home")))
print(attempt(lambda: open("fill", "wb").write(b"x" * (40 << 20))))
made = 0
try:
    for _ in range(200):
        if os.fork() == 0:
            import time; time.sleep(30)
        made += 1
except BlockingIOError:
    pass
print(made <= 32)
try:
    hog = bytearray(4 << 30)
except MemoryError:
    print("MemoryError")
open("ok", "w").write("x")
"""
    first, *rest = as_nobody(tmp_path, source, LABS_ALLOW_UNCONFINED="1")
    assert first.startswith("unconfined None learners' code cannot be held to a memory limit")
    assert rest[:6] == [
        "Network is unreachable",
        "No such file or directory",
        "No space left on device",
        "True",
        "MemoryError",
        "ended exited 0 None ",
    ]
    assert rest[6] == "outputs fill ok"


# ---- version 2 ----------------------------------------------------------------------------------------------------


def a_group_as_the_kernel_shows_it(folder: Path) -> cgroups.GroupV2:
    """A plain folder with the files of a version 2 group, as `mkdir` would make them appear."""
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max"):
        (folder / name).write_text("max")
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n")
    (folder / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n")
    (folder / "memory.peak").write_text("123456\n")
    return cgroups.GroupV2(folder)


def test_a_version_2_group_is_read_by_its_own_files(tmp_path):
    group = a_group_as_the_kernel_shows_it(tmp_path)
    assert group.out_of_memory_kills() == 2
    assert group.cpu_seconds() == 1.5
    assert group.peak_memory_bytes() == 123_456
    (tmp_path / "memory.peak").unlink()
    (tmp_path / "memory.current").write_text("99\n")
    assert group.peak_memory_bytes() == 99


def test_a_version_2_group_gets_its_limits(tmp_path):
    group = a_group_as_the_kernel_shows_it(tmp_path)
    group.limit(cgroups.Limits(memory_bytes=64 << 20, processes=32, cpu_cores=1.5))
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written["memory.max"] == str(64 << 20)
    assert written["memory.swap.max"] == "0"
    assert written["memory.oom.group"] == "1"
    assert written["pids.max"] == str(32 + cgroups.OVERHEAD_PROCESSES)
    assert written["cpu.max"] == "150000 100000"


@needs_root
def test_a_real_version_2_group_kills_all_that_is_in_it_at_once():
    mount = cgroups._mounts().get("unified")
    if mount is None:
        pytest.skip("this kernel has no version 2 tree mounted")
    folder = mount / f"{cgroups.PREFIX}{os.getpid()}.0.kill"
    folder.mkdir()
    group = cgroups.GroupV2(folder)
    try:
        with subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"]) as tree:
            group.join(tree.pid)
            with subprocess.Popen(["sleep", "60"]) as bystander:
                assert group.kill()
                assert tree.wait() == -9
                assert bystander.poll() is None
                bystander.kill()
        assert group.cpu_seconds() >= 0
        assert group.pids() == []
    finally:
        group.remove()
    assert not folder.exists()
