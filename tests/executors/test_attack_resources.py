"""Programs that want more memory, processes, disk, output or time than they were given."""

from __future__ import annotations

import pytest

from infra.executors.contract import MIB, EndReason, OutputCaps

pytestmark = pytest.mark.sandbox

MEMORY = {
    "heap": "b = bytearray(%d * MIB)\nfor at in range(0, len(b), 4096): b[at] = 1",
    "memfd": "f = os.memfd_create('x')\nfor _ in range(%d): os.write(f, b'x' * MIB)",
    "tmp": "f = open('/tmp/x', 'wb')\nfor _ in range(%d): f.write(b'x' * MIB)",
    "shm": "f = open('/dev/shm/x', 'wb')\nfor _ in range(%d): f.write(b'x' * MIB)",
    "anonymous map in a child": "if os.fork() == 0:\n    m = mmap.mmap(-1, %d * MIB)\n"
    "    m.write(b'x' * len(m))\n    os._exit(0)\nassert os.wait()[1] == 0",
    "SysV segment": (
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.shmat.restype = ctypes.c_void_p\n"
        "i = libc.shmget(0, ctypes.c_size_t(%d * MIB), 0o1600)\n"
        "assert i >= 0, ctypes.get_errno()\n"
        "a = libc.shmat(i, None, 0)\n"
        "ctypes.memset(a, 1, %d * MIB)"
    ),
}
HEADER = "import ctypes, mmap, os\nMIB = 1 << 20\n"


@pytest.mark.parametrize("kind", MEMORY)
def test_memory_of_every_kind_counts_toward_the_limit(program, kind):
    def attack(mib: int) -> str:
        body = MEMORY[kind]
        return HEADER + body % ((mib,) * body.count("%d")) + "\nprint('held')"

    limits = {"memory_bytes": 96 * MIB, "work_bytes": 16 * MIB}
    small = program(attack(20), **limits)
    assert (small.ended.reason, small.ended.exit_code, small.log) == (EndReason.EXITED, 0, "held\n")
    assert small.ended.peak_memory_bytes >= 20 * MIB
    large = program(attack(300), **limits)
    assert "held" not in large.log
    assert large.ended.peak_memory_bytes <= 96 * MIB
    if kind in ("tmp", "shm"):  # these are full before the memory is
        assert "No space left" in large.log
    else:
        assert large.ended.reason is EndReason.OUT_OF_MEMORY


def test_both_memory_folders_filled_at_once_end_the_run(program):
    source = "for name in ('/tmp/x', '/dev/shm/x', 'x'):\n    open(name, 'wb').write(b'x' * (%d << 20))\nprint('held')"
    limits = {"memory_bytes": 96 * MIB, "work_bytes": 48 * MIB}
    assert program(source % 10, **limits).log == "held\n"
    large = program(source % 45, **limits)
    assert large.ended.reason is EndReason.OUT_OF_MEMORY
    assert "held" not in large.log


def test_a_run_that_lost_a_child_to_memory_does_not_hang(program):
    source = """
        import os, time
        if os.fork() == 0:
            hog = bytearray(300 << 20)
        time.sleep(20)
    """
    ended = program(source, memory_bytes=96 * MIB, work_bytes=16 * MIB).ended
    assert ended.reason is EndReason.OUT_OF_MEMORY
    assert ended.run_seconds < 5


def test_a_fork_bomb_stays_small_and_is_gone_with_its_run(program, leftovers):
    source = """
        import os, time
        made = 0
        try:
            for _ in range({wanted}):
                if os.fork() == 0:
                    time.sleep(30)
                    os._exit(0)
                made += 1
        except BlockingIOError:
            pass
        print(made)
    """
    assert int(program(source.format(wanted=10)).log) == 10
    bomb = program(source.format(wanted=1000))
    assert 10 < int(bomb.log) <= 32
    assert bomb.ended.exit_code == 0
    recursive = program("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", wall_s=1.0)
    assert recursive.ended.reason is EndReason.TIMED_OUT
    assert recursive.ended.run_seconds < 6
    assert leftovers() == []


def test_a_thread_bomb_stays_small(program):
    source = """
        import threading, time
        made = 0
        try:
            for _ in range({wanted}):
                threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
                made += 1
        except RuntimeError:
            pass
        print(made)
    """
    assert int(program(source.format(wanted=10)).log) == 10
    assert 10 < int(program(source.format(wanted=1000)).log) <= 32


def test_the_disk_fills_only_as_far_as_it_was_given(program):
    source = "import os\nopen('fill', 'wb').write(b'x' * (%d << 20))\nprint('wrote')"
    caps = OutputCaps(total=1 * MIB)
    assert program(source % 8, work_bytes=16 * MIB).log == "wrote\n"
    full = program(source % 17, work_bytes=16 * MIB, caps=caps)
    assert "No space left" in full.log
    assert full.ended.exit_code == 1
    assert full.contents == {}
    assert "1 MiB in all" in full.skipped["fill"]


def test_files_run_out_before_the_machine_does(program):
    source = """
        import os
        os.mkdir("d")
        made = 0
        try:
            for number in range({wanted}):
                os.mknod(f"d/{{number}}")
                made += 1
        except OSError as error:
            print(error.strerror)
        print(made)
    """
    few = program(source.format(wanted=100))
    assert few.log == "100\n"
    many = program(source.format(wanted=200_000))
    assert many.log.startswith("No space left")
    assert int(many.log.split()[-1]) <= 100_000
    assert len(many.ended.outputs) == 200
    assert many.ended.skipped[-1][1].startswith("and ")


def test_a_flood_of_output_is_cut_off(program):
    caps = OutputCaps(log_head=64_000, log_tail=10_000, log_flood=2 * MIB)
    flood = program("while True: print('x' * 1000)", caps=caps)
    assert flood.ended.reason is EndReason.OUTPUT_FLOOD
    assert 2 * MIB < flood.ended.log_bytes_seen < 6 * MIB
    assert len(flood.heard.log) < 80_000
    assert flood.ended.run_seconds < 10
    assert program("print('x' * 1000)", caps=caps).ended.reason is EndReason.EXITED


def test_a_flood_of_metrics_ends_at_its_cap(program):
    source = "import sys\nfor n in range(%d): sys.stdout.write('{\"n\": 1}\\n')"
    assert len(program(source % 100).heard.points) == 100
    assert len(program(source % 30_000).heard.points) == 20_000


def test_daemons_and_grandchildren_die_with_their_run(program, leftovers):
    source = """
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                {close}
                print("daemon up", flush=True)
                time.sleep(60)
            os._exit(0)
        time.sleep(0.3)
    """
    for close in ("", "os.close(2)"):
        played = program(source.format(close=close))
        assert played.ended.exit_code == 0
        assert "daemon up" in played.log
        assert played.ended.run_seconds < 5
        assert leftovers() == []


def test_zombies_and_stopped_children_hold_nothing_up(program, leftovers):
    source = """
        import os, signal, time
        for _ in range(5):
            if os.fork() == 0: os._exit(0)
        stopped = os.fork()
        if stopped == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.2)
    """
    ended = program(source).ended
    assert (ended.reason, ended.exit_code) == (EndReason.EXITED, 0)
    assert ended.run_seconds < 5
    assert leftovers() == []


def test_cpu_time_is_held_to_the_granted_cores(program):
    source = """
        import os, time
        for _ in range(3): os.fork()
        end = time.monotonic() + 1.0
        while time.monotonic() < end: pass
        os._exit(0)
    """
    half = program(source, cpu_cores=0.5).ended
    assert half.cpu_seconds <= 0.5 * half.run_seconds + 0.2
    assert half.exit_code == 0
