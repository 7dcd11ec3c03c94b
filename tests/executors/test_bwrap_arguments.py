"""bubblewrap's command line, piece by piece."""

# ruff: noqa: S108  # these are the sandbox's own folders
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infra.executors.contract import GpuGrant, RunSpec
from infra.executors.local import bwrap
from infra.executors.local.node import Interpreter, Node

GPU = GpuGrant(1, "GPU-aaaa", "nvidia", "/dev/nvidia1", 81_559)
SLOT = GpuGrant(0, "cpu-yongin-0", "cpu-slot")
SPEC = RunSpec(run_id="r", files={}, argv=("python", "train.py", "--name", "a b"), cpu_cores=2.5, max_processes=64)
NODE = Node(
    root=Path("/srv/campus"),
    stage=Path("/run/stage"),
    bwrap="/usr/bin/bwrap",
    interpreter=Interpreter("/usr/bin/python3.11", "3.11.2", None),
    seccomp=b"",
    hierarchy=None,
    slots=None,
    top_links=(("/bin", "usr/bin"),),
    top_folders=("/lib64",),
    driver_folders=("/opt/nvidia/lib64",),
)


def words(spec: RunSpec = SPEC, node: Node = NODE) -> list[str]:
    return bwrap.arguments(spec, node, node.stage, bwrap.Descriptors(info=4, seccomp=5, began=3))


def has(found: list[str], *wanted: str) -> bool:
    return any(tuple(found[at : at + len(wanted)]) == wanted for at in range(len(found)))


@pytest.mark.parametrize(
    "wanted",
    [
        ("--unshare-user",), ("--unshare-ipc",), ("--unshare-pid",), ("--unshare-net",), ("--unshare-uts",),
        ("--unshare-cgroup-try",), ("--disable-userns",), ("--new-session",), ("--die-with-parent",), ("--clearenv",),
        ("--uid", "1000"), ("--seccomp", "5"), ("--info-fd", "4"),
        ("--ro-bind", "/usr", "/usr"), ("--symlink", "usr/bin", "/bin"), ("--ro-bind", "/lib64", "/lib64"),
        ("--bind", "/run/stage/work", "/work"), ("--bind", "/run/stage/tmp", "/tmp"),
        ("--bind", "/run/stage/shm", "/dev/shm"), ("--remount-ro", "/dev"), ("--remount-ro", "/"),
        ("--symlink", "/usr/bin/python3.11", "/env/bin/python"),
        ("--setenv", "OMP_NUM_THREADS", "2"), ("--setenv", "CUDA_VISIBLE_DEVICES", ""),
        ("--setenv", "PYTHONUNBUFFERED", "1"), ("--setenv", "HOME", "/tmp"),
    ],
)  # fmt: skip
def test_every_run_is_given(wanted):
    assert has(words(), *wanted)


def test_the_job_follows_the_step_that_limits_its_processes():
    found = words()
    shell, flag, begin, *job = found[found.index("--") + 1 :]
    assert (shell, flag) == ("/bin/sh", "-c")
    assert job == ["sh", "python", "train.py", "--name", "a b"]
    assert begin.startswith("ulimit -p 66 ")
    assert begin.endswith('echo >&3; exec 3>&-; exec "$@"')


def test_nothing_writable_of_the_host_is_bound_but_the_stage():
    found = words(replace(SPEC, gpus=(GPU,), environment_digest="d", datasets=(("digits", "/srv/digits"),)))
    bound = [found[at + 1] for at, word in enumerate(found) if word == "--bind"]
    assert bound == ["/run/stage/shm", "/run/stage/tmp", "/run/stage/work"]


def test_an_environment_takes_the_place_of_the_plain_python():
    found = words(replace(SPEC, environment_digest="d" * 64))
    assert has(found, "--ro-bind", "/run/stage/env", "/env")
    assert has(found, "--setenv", "VIRTUAL_ENV", "/env")
    assert "/env/bin/python" not in found


def test_a_python_outside_usr_is_shown_where_it_lies():
    node = replace(NODE, interpreter=Interpreter("/opt/py/bin/python3.12", "3.12.1", "/opt/py"))
    assert has(words(node=node), "--ro-bind", "/run/stage/python", "/opt/py")


def test_data_sets_are_read_only_under_their_names():
    found = words(replace(SPEC, datasets=(("digits", "/srv/a"), ("mnist", "/srv/b"))))
    assert has(found, "--ro-bind", "/run/stage/data/0", "/data/digits")
    assert has(found, "--ro-bind", "/run/stage/data/1", "/data/mnist")


HALF = replace(GPU, milli=500, memory_mib=40_779)


def test_a_share_of_a_gpu_is_told_to_mps_where_it_runs_and_the_job_cannot_say_otherwise():
    mine = {"CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "100", "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT": "0=80G"}
    found = words(replace(SPEC, gpus=(HALF,), env=mine, mps_pipe="/srv/mps"))
    assert has(found, "--bind", "/srv/mps", "/run/nvidia-mps")
    assert has(found, "--setenv", "CUDA_MPS_PIPE_DIRECTORY", "/run/nvidia-mps")
    assert has(found, "--setenv", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "50")
    assert has(found, "--setenv", "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", "0=40779M")


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, gpus=(HALF,)),
        replace(SPEC, gpus=(GPU,), mps_pipe="/srv/mps"),
        replace(SPEC, gpus=(GpuGrant(0, "slot-0", "cpu-slot", None, 512, milli=500),), mps_pipe="/srv/mps"),
    ],
    ids=["no daemon", "a whole GPU", "a CPU slot"],
)
def test_who_needs_no_mps_sees_none_of_it(spec):
    assert not any("mps" in word.lower() for word in words(spec))


def test_a_granted_gpu_is_the_only_one_seen():
    found = words(replace(SPEC, gpus=(GPU,), env={"CUDA_VISIBLE_DEVICES": "0,1,2"}))
    assert has(found, "--dev-bind", "/dev/nvidia1", "/dev/nvidia1")
    assert has(found, "--dev-bind-try", "/dev/nvidiactl", "/dev/nvidiactl")
    assert has(found, "--dev-bind-try", "/dev/nvidia-uvm", "/dev/nvidia-uvm")
    assert has(found, "--setenv", "CUDA_VISIBLE_DEVICES", "GPU-aaaa")
    assert has(found, "--setenv", "LD_LIBRARY_PATH", "/opt/nvidia/lib64")
    assert has(found, "--ro-bind-try", "/opt/nvidia/lib64", "/opt/nvidia/lib64")
    assert has(found, "--ro-bind-try", "/sys/bus/pci", "/sys/bus/pci")
    assert "/dev/nvidia0" not in found


@pytest.mark.parametrize("gpus", [(), (SLOT,)])
def test_without_a_real_gpu_no_device_and_no_sys_is_seen(gpus):
    found = words(replace(SPEC, gpus=gpus))
    assert not [word for word in found if word.startswith(("/dev/nvidia", "/sys"))]
    assert "--dev-bind" not in found
    assert "LD_LIBRARY_PATH" not in found
