"""Two halves of one CPU slot run side by side, each within its half: by the kernel's own limits and accounts."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.agent.domain.shares import Capacity, Share, share_of
from infra.executors.contract import MIB, EndReason, GpuGrant
from infra.executors.local.executor import LocalExecutor
from tests.executors.support import Played, play

pytestmark = pytest.mark.sandbox

SLOT = Capacity(cpus=1.0, memory_mib=1024, gpus=1)
WHOLE, HALF = share_of(SLOT, 1), share_of(SLOT, 1, milli=500)
SPIN = """
import os, time
end = time.monotonic() + 2
print("up", flush=True)
while time.monotonic() < end:
    pass
"""
HOG = "hog = bytearray({mib} << 20); print('had it')"


def both(executor: LocalExecutor, first: str, second: str) -> list[Played]:
    """Run two programs at once, each with half of the slot."""
    gate = threading.Barrier(2)

    def run(name: str, source: str) -> Played:
        return play(executor, source, run_id=name, during=lambda _run, _heard: gate.wait(20), **limits(HALF))

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, ("half-1", "half-2"), (first, second)))


def limits(share: Share) -> dict[str, object]:
    return {
        "gpus": (GpuGrant(0, "slot-0", "cpu-slot", None, share.memory_bytes // MIB, milli=500),),
        "cpu_cores": share.cpu_cores,
        "memory_bytes": share.memory_bytes,
        "work_bytes": share.work_bytes,
    }


def test_neither_half_gets_more_of_the_processor_than_its_half(executor: LocalExecutor) -> None:
    for played in both(executor, SPIN, SPIN):
        assert played.ended.reason is EndReason.EXITED
        # A tenth of a second is a period of the kernel's quota: one may be begun on either side.
        assert played.ended.cpu_seconds <= HALF.cpu_cores * played.ended.run_seconds + 0.2
    assert 2 * HALF.cpu_cores == pytest.approx(WHOLE.cpu_cores, abs=0.002)


def test_a_half_that_wants_more_memory_than_its_half_ends_and_the_other_goes_on(executor: LocalExecutor) -> None:
    too_much = "print('up', flush=True)\n" + HOG.format(mib=HALF.memory_bytes // MIB + 64)
    greedy, modest = both(executor, too_much, "print('up', flush=True)\n" + HOG.format(mib=128))
    assert greedy.ended.reason is EndReason.OUT_OF_MEMORY
    assert (modest.ended.reason, modest.ended.exit_code) == (EndReason.EXITED, 0)
    assert "had it" in modest.log
    assert greedy.ended.peak_memory_bytes <= HALF.memory_bytes


def test_the_kernel_is_told_half_of_the_slot(executor: LocalExecutor) -> None:
    told: list[tuple[float, int]] = []

    def look(*_said: object) -> None:
        told.append(limits_of(program_of("half-look.py")))

    play(
        executor, SPIN, files={"half-look.py": SPIN.encode()}, argv=("python", "half-look.py"), during=look,
        **limits(HALF),
    )  # fmt: skip
    cores, memory_bytes = told[0]
    assert cores == pytest.approx(HALF.cpu_cores, abs=0.001)
    assert memory_bytes == HALF.memory_bytes


def program_of(name: str) -> int:
    """The process that runs this script, by its command line."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[-2:] == [name.encode(), b""]:
            return int(pid)
    raise AssertionError(f"nobody runs {name}")


def limits_of(pid: int) -> tuple[float, int]:
    """Cores and bytes that its control group allows, of either version."""
    groups = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller or "unified"] = path.lstrip("/")
    mounts = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, rest = line.partition(" - ")
        kind, _source, options = rest.split(maxsplit=2)
        names = ["unified"] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
        mounts.update(dict.fromkeys(names, Path(place.split()[4])))
    if "memory" in groups:
        cpu, memory = mounts["cpu"] / groups["cpu"], mounts["memory"] / groups["memory"]
        quota, period = (int((cpu / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        return quota / period, int((memory / "memory.limit_in_bytes").read_text())
    group = mounts["unified"] / groups["unified"]
    quota, period = map(int, (group / "cpu.max").read_text().split())
    return quota / period, int((group / "memory.max").read_text())
