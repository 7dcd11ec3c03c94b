"""What a well-meaning run may count on, and how a run is ended."""

from __future__ import annotations

import hashlib
import json
import threading
import time

import pytest

from infra.executors.contract import KIB, MIB, EndReason, EnvironmentMissing, GpuGrant, InvalidRunSpec, OutputCaps
from tests.executors.support import Recorder, play, spec_of

pytestmark = pytest.mark.sandbox


def test_a_run_tells_its_log_its_outputs_and_its_end(program):
    played = program("print('안녕'); open('model.bin', 'wb').write(b'\\x00\\x01')")
    ended = played.ended
    assert (ended.reason, ended.exit_code, ended.signal) == (EndReason.EXITED, 0, None)
    assert played.heard.log == "안녕\n".encode()
    assert ended.log_bytes_seen == len(played.heard.log)
    assert played.heard.calls[0] == "started"
    assert played.contents == {"model.bin": b"\x00\x01"}
    assert ended.outputs[0].sha256 == hashlib.sha256(b"\x00\x01").hexdigest()
    assert ended.outputs[0].size == 2
    assert ended.skipped == ()
    assert 0 < ended.run_seconds < 10
    assert ended.peak_memory_bytes > 1 * MIB


@pytest.mark.parametrize(
    ("source", "code", "signal"),
    [("raise SystemExit(7)", 7, None), ("import os; os.abort()", None, 6), ("1/0", 1, None)],
)
def test_a_failed_run_says_how_it_failed(program, source, code, signal):
    ended = program(source).ended
    assert (ended.reason, ended.exit_code, ended.signal) == (EndReason.EXITED, code, signal)


def test_a_program_that_is_not_there_is_the_runs_own_failure(program):
    played = program("", argv=("no-such-program",))
    assert (played.ended.reason, played.ended.exit_code) == (EndReason.EXITED, 127)
    assert "no-such-program" in played.log


def test_cpu_time_counts_children_and_run_time_excludes_set_up(program):
    burn = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    ended = program(f"import subprocess, sys; subprocess.run([sys.executable, '-c', '''{burn}'''])").ended
    assert ended.cpu_seconds >= 0.3
    assert ended.run_seconds >= 0.3


def test_the_surroundings_are_those_promised(executor, tmp_path):
    (tmp_path / "digits.csv").write_text("1,2,3")
    tmp_path.chmod(0o755)
    played = play(
        executor,
        """
        import json, os, sys
        json.dump({
            "cwd": os.getcwd(), "env": dict(os.environ), "data": open("/data/digits/digits.csv").read(),
            "uid": os.getuid(), "user": __import__("pwd").getpwuid(os.getuid()).pw_name,
            "argv": sys.argv, "stdin": sys.stdin.read(), "helper": __import__("pkg.helper").helper.NAME,
            "root": sorted(os.listdir("/")), "descriptors": len(os.listdir("/proc/self/fd")),
            "cores": os.environ["OMP_NUM_THREADS"],
        }, open("seen.json", "w"))
        """,
        argv=("python3", "main.py", "--lr", "0.1"),
        env={"SEED": "42", "OUTPUT_DIR": "/etc", "PYTHONHASHSEED": "0"},
        datasets=(("digits", str(tmp_path)),),
        files={"pkg/helper.py": b"NAME = 'helper'", "pkg/__init__.py": b""},
        cpu_cores=1.5,
        gpus=(GpuGrant(0, "cpu-0", "cpu-slot"),),
    )
    seen = json.loads(played.contents["seen.json"])
    assert list(played.contents) == ["seen.json"]  # neither the sources nor Python's cache of them
    assert seen["cwd"] == "/work"
    assert seen["data"] == "1,2,3"
    assert (seen["user"], seen["uid"]) == ("learner", 1000)
    assert seen["argv"] == ["main.py", "--lr", "0.1"]
    assert seen["stdin"] == ""
    assert seen["helper"] == "helper"
    assert seen["cores"] == "1"
    assert seen["env"]["SEED"] == "42"
    assert seen["env"]["OUTPUT_DIR"] == "/work"
    assert seen["env"]["CUDA_VISIBLE_DEVICES"] == ""
    usual = {
        "bin",
        "data",
        "dev",
        "env",
        "etc",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "proc",
        "sbin",
        "tmp",
        "usr",
        "work",
    }
    assert set(seen["root"]) <= usual
    assert seen["descriptors"] == 4  # the standard three, and the one that lists them


def test_a_changed_source_is_an_output_and_an_unchanged_one_is_not(program):
    played = program("open('notes.txt', 'a').write('!')", files={"notes.txt": b"a", "same.txt": b"b"})
    assert played.contents == {"notes.txt": b"a!"}


def test_log_bytes_pass_through_as_they_are(program):
    raw = b"\x1b[31mred\x1b[0m <script>alert(1)</script> \xff\xfe\x00 \r\n"
    played = program(f"import os; os.write(1, {raw!r}); os.write(2, b'error')")
    assert played.heard.log == raw + b"error"


def test_metrics_come_from_the_log_and_from_the_file_while_it_runs(executor):
    source = """
        import time
        print('{"epoch": 1, "loss": 0.5}')
        print('{"loss": NaN}')
        with open("metrics.jsonl", "a") as file:
            file.write('{"accuracy": 0.9}\\n')
            file.flush()
            time.sleep(20)
    """
    recorder = Recorder()
    run = executor.start(spec_of(source), recorder)
    watch = threading.Thread(target=_stop_when, args=(run, lambda: {"accuracy": 0.9} in recorder.points))
    watch.start()
    ended = run.wait()
    watch.join()
    assert recorder.points == [{"epoch": 1, "loss": 0.5}, {"accuracy": 0.9}]
    assert [output.path for output in ended.outputs] == ["metrics.jsonl"]
    assert ended.run_seconds < 10
    run.close()


def _stop_when(run, is_met):
    deadline = time.monotonic() + 60
    while not is_met() and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    run.stop("seen")


def test_metrics_written_just_before_the_end_are_not_lost(program):
    lines = 5000
    played = program(f"open('metrics.jsonl', 'w').writelines('{{\"step\": %d}}\\n' % step for step in range({lines}))")
    assert [point["step"] for point in played.heard.points] == list(range(lines))


def test_a_metrics_file_that_is_a_link_or_a_pipe_is_not_read(program):
    for trick in ("os.symlink('/etc/passwd', 'metrics.jsonl')", "os.mkfifo('metrics.jsonl')"):
        played = program(f"import os, time; {trick}; time.sleep(0.5)")
        assert played.ended.exit_code == 0
        assert played.heard.points == []
        assert "metrics.jsonl" in played.skipped


def test_a_giant_metrics_file_of_holes_holds_nobody_up(program):
    played = program("import os; os.truncate(os.open('metrics.jsonl', os.O_CREAT | os.O_RDWR), 1 << 20)")
    assert played.ended.exit_code == 0
    assert played.heard.points == []
    assert played.ended.outputs[0].size == 1 << 20


def test_a_run_asked_to_stop_may_finish_in_its_grace_time(program):
    source = """
        import signal, sys, time
        def leave(*_):
            open("checkpoint", "w").write("saved")
            sys.exit(3)
        signal.signal(signal.SIGTERM, leave)
        print("ready")
        time.sleep(20)
    """
    played = program(source, during=lambda run, _: run.stop("cancelled by the learner"), term_grace_s=10.0)
    ended = played.ended
    assert (ended.reason, ended.exit_code) == (EndReason.STOPPED, 3)
    assert ended.detail == "cancelled by the learner"
    assert played.contents["checkpoint"] == b"saved"
    assert ended.run_seconds < 5


def test_a_run_that_ignores_the_stop_is_killed_after_the_grace_time(program):
    source = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready")
        while True: time.sleep(1)
    """
    ended = program(source, during=lambda run, _: run.stop("x"), term_grace_s=0.5).ended
    assert (ended.reason, ended.signal) == (EndReason.STOPPED, 9)
    assert 0.5 <= ended.run_seconds < 3


def test_kill_waits_for_no_grace_time(program):
    source = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready")
        time.sleep(20)
    """

    def end(run, _):
        run.stop("first")
        run.kill("lease lost")

    ended = program(source, during=end, term_grace_s=15.0).ended
    assert (ended.reason, ended.detail) == (EndReason.STOPPED, "first")
    assert ended.run_seconds < 3


def test_the_wall_limit_ends_a_run_and_a_shorter_run_never_meets_it(program):
    late = program("import time; print('on'); time.sleep(20)", wall_s=0.4).ended
    assert (late.reason, late.signal) == (EndReason.TIMED_OUT, 15)
    assert 0.4 <= late.run_seconds < 3
    stubborn = program(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(20)", wall_s=0.4
    ).ended
    assert (stubborn.reason, stubborn.signal) == (EndReason.TIMED_OUT, 9)
    assert program("print(1)", wall_s=5.0).ended.reason is EndReason.EXITED


def test_a_stop_before_the_job_began_leaves_nothing_running(executor):
    run = executor.start(spec_of("print('never')"), recorder := Recorder())
    run.kill("changed my mind")
    ended = run.wait()
    run.close()
    assert ended.reason is EndReason.STOPPED
    assert "never" not in recorder.text


def test_kill_reaches_a_run_whose_listener_is_stuck(executor):
    released = threading.Event()
    recorder = Recorder()
    recorder.on = lambda _: released.wait(20)
    run = executor.start(spec_of("import time; print('on'); time.sleep(15); print('survived')"), recorder)
    results = []
    thread = threading.Thread(target=lambda: results.append(run.wait()))
    thread.start()
    assert recorder.said.wait(10)
    run.kill("lease lost")
    threading.Event().wait(0.5)  # long enough to be dead, were it not for the listener
    released.set()
    thread.join()
    run.close()
    assert results[0].run_seconds < 0.5
    assert "survived" not in recorder.text


def test_a_listener_that_raises_ends_the_run_with_its_own_error(executor):
    class Broken(Recorder):
        def on_log(self, chunk: bytes) -> None:
            raise ConnectionError("no server")

    run = executor.start(spec_of("import time; print(1); time.sleep(20)"), Broken())
    began = time.monotonic()
    with pytest.raises(ConnectionError, match="no server"):
        run.wait()
    assert time.monotonic() - began < 5
    run.close()


def test_outputs_are_gone_once_the_run_is_closed(executor):
    run = executor.start(spec_of("open('a', 'w').write('b')"), Recorder())
    (output,) = run.wait().outputs
    assert output.file.read_bytes() == b"b"
    run.close()
    run.close()
    assert not output.file.exists()


def test_closing_a_run_that_still_runs_ends_it(executor):
    run = executor.start(spec_of("import time; time.sleep(20)"), Recorder())
    began = time.monotonic()
    run.close()
    assert time.monotonic() - began < 5


def test_a_long_log_keeps_its_head_and_its_tail(program):
    caps = OutputCaps(log_head=100 * KIB, log_tail=50 * KIB, log_flood=8 * MIB)
    lines = b"".join(b"line %06d\n" % number for number in range(40_000))
    played = program("import sys; sys.stdout.writelines('line %06d\\n' % n for n in range(40000))", caps=caps)
    left_out = len(lines) - caps.log_head - caps.log_tail
    marker = f"\n[campus: {left_out} bytes of output left out here]\n".encode()
    assert played.heard.log == lines[: caps.log_head] + marker + lines[-caps.log_tail :]
    assert played.ended.log_truncated
    assert played.ended.log_bytes_seen == len(lines)
    assert max(map(len, played.heard.chunks)) <= 64 * KIB
    assert not program("print(1)", caps=caps).ended.log_truncated


def test_runs_at_the_same_time_do_not_mix(executor):
    played = {}

    def one(number: int) -> None:
        source = f"open('mine', 'w').write('{number}'); print('{number}'); import time; time.sleep(0.3)"
        played[number] = play(executor, source, run_id=f"run-{number}")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: (p.log, p.contents) for number, p in played.items()} == {
        number: (f"{number}\n", {"mine": str(number).encode()}) for number in range(8)
    }


def test_a_run_that_cannot_be_is_refused_before_it_begins(executor):
    with pytest.raises(InvalidRunSpec, match="argv"):
        executor.start(spec_of("", argv=()), Recorder())
    with pytest.raises(EnvironmentMissing):
        executor.start(spec_of("", environment_digest="0" * 64), Recorder())
    with pytest.raises(InvalidRunSpec, match="digits"):
        executor.start(spec_of("", datasets=(("digits", "/nowhere"),)), Recorder())
