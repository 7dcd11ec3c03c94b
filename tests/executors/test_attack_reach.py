"""Programs that reach for what is not theirs: the network, the kernel, other files, other processes."""

# ruff: noqa: S108  # these are the sandbox's own folders
from __future__ import annotations

import json
import os
import platform
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from infra.executors.contract import GpuGrant
from tests.executors.conftest import FIRST_UID, SLOT_COUNT
from tests.executors.support import Recorder, play, spec_of

pytestmark = pytest.mark.sandbox

# Every attempt is a function of no arguments; what it returned or raised comes back as text.
TRY = """
import ctypes, errno, fcntl, json, mmap, os, platform, pty, signal, socket, struct, sys, termios
libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    return "ok" if result >= 0 else errno.errorcode[ctypes.get_errno()]

def attempt(action):
    try:
        return str(action())
    except BaseException as error:
        return errno.errorcode.get(getattr(error, "errno", None), type(error).__name__)
"""


def attempts(executor, body: str, **changes) -> dict[str, str]:
    """What became of each attempt: `body` fills the dictionary `tried`."""
    played = play(executor, f"{TRY}\ntried = {{}}\n{body}\nprint(json.dumps(tried))", **changes)
    assert played.ended.exit_code == 0, played.log
    return json.loads(played.log)


# ---- the network --------------------------------------------------------------------------------------------------


def test_no_other_machine_and_no_server_of_this_one_can_be_reached(executor):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=2).close()  # from outside it can
        tried = attempts(
            executor,
            f"""
tried["host"] = attempt(lambda: socket.create_connection(("127.0.0.1", {port}), timeout=2))
tried["out"] = attempt(lambda: socket.create_connection(("192.0.2.1", 80), timeout=2))
tried["udp"] = attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
own = socket.create_server(("127.0.0.1", 0))
tried["own loopback"] = attempt(lambda: socket.create_connection(own.getsockname(), timeout=2) and "ok")
left, right = socket.socketpair()
left.send(b"hi")
tried["socket pair"] = attempt(lambda: right.recv(2).decode())
""",
        )
    assert tried["host"] == "ECONNREFUSED"
    assert tried["out"] == "ENETUNREACH"
    assert tried["udp"] == "ENETUNREACH"
    assert tried["own loopback"] == "ok"  # data loaders and torch.distributed need it
    assert tried["socket pair"] == "hi"


def test_the_hosts_abstract_sockets_are_out_of_reach(executor):
    name = f"\0campus-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(name)
        tried = attempts(executor, f"tried['it'] = attempt(lambda: socket.socket(socket.AF_UNIX).connect({name!r}))")
    assert tried == {"it": "ECONNREFUSED"}


@pytest.mark.parametrize("family", [16, 17, 38, 40, 44])  # netlink, packet, alg, vsock, xdp
def test_no_socket_of_another_family_can_be_made(executor, family):
    tried = attempts(
        executor,
        f"tried['it'] = attempt(lambda: socket.socket({family}, socket.SOCK_RAW))\n"
        "tried['control'] = attempt(lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM) and 'ok')",
    )
    assert tried == {"it": "EPERM", "control": "ok"}


# ---- the kernel ---------------------------------------------------------------------------------------------------

X86_64_CALLS = {
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "move_mount": 429, "open_tree": 428, "fsopen": 430,
    "unshare": 272, "setns": 308, "ptrace": 101, "process_vm_readv": 310, "pidfd_getfd": 438, "bpf": 321,
    "perf_event_open": 298, "userfaultfd": 323, "init_module": 175, "finit_module": 313, "delete_module": 176,
    "kexec_load": 246, "reboot": 169, "syslog": 103, "io_uring_setup": 425, "io_uring_enter": 426, "keyctl": 250,
    "add_key": 248, "request_key": 249, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "sethostname": 170,
    "swapon": 167, "acct": 163, "open_by_handle_at": 304, "name_to_handle_at": 303, "fanotify_init": 300,
    "quotactl": 179, "iopl": 172, "personality": 135,
}  # fmt: skip


@pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls are numbered otherwise on this processor")
def test_calls_that_no_training_needs_are_refused_before_the_kernel_acts(executor):
    tried = attempts(executor, f"for name, n in {X86_64_CALLS!r}.items(): tried[name] = call(n, 0, 0, 0, 0, 0)")
    assert tried.pop("personality") == "ok"  # the control: asking is harmless, and goes through the same filter
    assert set(tried.values()) == {"EPERM"}, tried


@pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls are numbered otherwise on this processor")
def test_no_new_namespace_and_no_call_that_hides_its_flags(executor):
    flags = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000, "ipc": 0x8000000}
    tried = attempts(
        executor,
        f"for name, flag in {flags!r}.items(): tried[name] = call(56, flag | 17, 0, 0, 0, 0)\n"
        "tried['clone3'] = call(435, 0, 0)\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(0)\n"
        "tried['fork'] = attempt(lambda: os.waitpid(pid, 0)[1])",
    )
    assert tried.pop("clone3") == "ENOSYS"
    assert tried.pop("fork") == "0"
    assert set(tried.values()) == {"EPERM"}, tried


def test_nothing_is_typed_into_a_terminal(executor):
    tried = attempts(
        executor,
        """
leader, follower = pty.openpty()
tried["TIOCSTI"] = attempt(lambda: fcntl.ioctl(follower, termios.TIOCSTI, b"x"))
high = ctypes.c_ulong(0x100000000 | 0x5412)
tried["with high bits"] = "refused" if libc.ioctl(follower, high, b"x") < 0 else "typed"
tried["TIOCGWINSZ"] = attempt(lambda: len(fcntl.ioctl(follower, termios.TIOCGWINSZ, b"x" * 8)))
tried["terminal"] = attempt(lambda: os.open("/dev/tty", os.O_RDWR))
""",
    )
    assert tried == {"TIOCSTI": "EPERM", "with high bits": "refused", "TIOCGWINSZ": "8", "terminal": "ENXIO"}


def test_it_has_no_privileges_and_no_way_to_more(executor):
    tried = attempts(
        executor,
        """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
tried.update({name: status[name].strip() for name in ("CapEff", "CapBnd", "CapPrm", "NoNewPrivs", "Seccomp")})
tried["setuid"] = attempt(lambda: os.setuid(0))
tried["su"] = attempt(lambda: __import__("subprocess").run(["su", "-c", "id"], capture_output=True).returncode != 0)
tried["chown"] = attempt(lambda: os.chown("main.py", 0, 0))
tried["block device"] = attempt(lambda: os.mknod("disk", 0o60666, os.makedev(254, 0)))
tried["pipe"] = attempt(lambda: os.mkfifo("pipe"))
""",
    )
    assert tried["CapEff"] == tried["CapPrm"] == tried["CapBnd"] == "0" * 16
    assert (tried["NoNewPrivs"], tried["Seccomp"]) == ("1", "2")
    assert tried["setuid"] in ("EINVAL", "EPERM")
    assert tried["su"] == "True"
    assert tried["chown"] in ("EINVAL", "EPERM")
    assert tried["block device"] == "EPERM"
    assert tried["pipe"] == "None"


def test_it_runs_under_a_user_id_of_its_own_slot(executor):
    recorder = Recorder()
    uids = []

    def look(_: Recorder) -> None:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            status = Path(f"/proc/{pid}/status").read_text() if os.path.exists(f"/proc/{pid}/status") else ""
            command = Path(f"/proc/{pid}/cmdline").read_text() if status else ""
            if command.startswith("python\0marker.py"):
                uids.append(int(status.split("Uid:")[1].split()[0]))

    recorder.on = look
    run = executor.start(spec_of("", files={"marker.py": b"print(1); import time; time.sleep(1)"},
                                 argv=("python", "marker.py")), recorder)  # fmt: skip
    run.wait()
    run.close()
    assert len(set(uids)) == 1
    assert uids[0] in range(FIRST_UID, FIRST_UID + SLOT_COUNT)


# ---- files --------------------------------------------------------------------------------------------------------


def test_files_of_the_host_are_not_there(executor, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    own = str(Path(__file__).resolve())
    paths = ["/etc/shadow", "/root", "/home", "/var", "/run", "/sys", "/opt", str(secret), own, str(executor._root)]
    assert all(os.path.exists(path) for path in (str(secret), own))
    tried = attempts(
        executor,
        f"""
for path in {paths!r}: tried[path] = attempt(lambda: os.stat(path))
tried["cwd above"] = attempt(lambda: sorted(os.listdir("..")) == sorted(os.listdir("/")))
tried["by proc"] = attempt(lambda: os.listdir("/proc/1/root/etc"))
tried["raw memory"] = attempt(lambda: open("/dev/mem", "rb"))
tried["kernel memory"] = attempt(lambda: open("/proc/kcore", "rb"))
tried["own file"] = attempt(lambda: os.stat("/work/main.py").st_size > 0)
""",
    )
    assert tried.pop("cwd above") == "True"
    assert tried.pop("own file") == "True"
    assert "shadow" not in tried.pop("by proc")
    assert tried.pop("kernel memory") in ("EACCES", "EPERM", "ENOENT")
    assert set(tried.values()) == {"ENOENT"}, tried


def test_the_agents_environment_is_nowhere_to_be_read(executor, monkeypatch):
    monkeypatch.setenv("NODE_TOKEN", "very-secret-token")
    tried = attempts(
        executor,
        """
import glob
found = []
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"):
    try:
        found.append(open(path, "rb").read().decode(errors="replace"))
    except OSError:
        pass
tried["found"] = "\\n".join(found)
tried["seed"] = os.environ["SEED"]
tried["init"] = attempt(lambda: repr(open("/proc/1/environ").read()))
""",
        env={"SEED": "1"},
    )
    assert "very-secret-token" not in tried["found"]
    assert "NODE_TOKEN" not in tried["found"]
    assert "SEED=1" in tried["found"]
    assert tried["init"] in ("''", "EACCES", "EPERM")


def test_what_is_shared_cannot_be_written(executor, tmp_path):
    (tmp_path / "digits.csv").write_text("1,2,3")
    (tmp_path / "digits.csv").chmod(0o666)
    tmp_path.chmod(0o777)  # the host's own permissions must not be what protects it
    places = ["/data/digits/digits.csv", "/data/digits/new", "/data/new", "/env/new", "/env/bin/python", "/usr/new",
              "/usr/bin/python3", "/etc/passwd", "/new", "/dev/new", "/proc/sys/kernel/core_pattern"]  # fmt: skip
    tried = attempts(
        executor,
        f"""
for path in {places!r}: tried[path] = attempt(lambda: open(path, "a").write("x"))
for path in ("/work/new", "/tmp/new", "/dev/shm/new"): tried[path] = attempt(lambda: open(path, "a").write("x"))
tried["read"] = attempt(lambda: open("/data/digits/digits.csv").read())
tried["unlink"] = attempt(lambda: os.unlink("/data/digits/digits.csv"))
tried["chmod"] = attempt(lambda: os.chmod("/data/digits/digits.csv", 0o600))
""",
        datasets=(("digits", str(tmp_path)),),
    )
    assert [tried.pop(path) for path in ("/work/new", "/tmp/new", "/dev/shm/new")] == ["1", "1", "1"]
    assert tried.pop("read") == "1,2,3"
    assert set(tried.values()) <= {"EROFS", "EACCES", "EPERM"}, tried
    assert (tmp_path / "digits.csv").read_text() == "1,2,3"
    assert sorted(os.listdir(tmp_path)) == ["digits.csv"]


def test_two_runs_see_neither_each_others_files_nor_processes_nor_segments(executor):
    ready, done = threading.Event(), threading.Event()
    recorder = Recorder()
    recorder.on = lambda _: ready.set()
    source = """
        import ctypes, time
        libc = ctypes.CDLL(None)
        for folder in ("/work", "/tmp", "/dev/shm"): open(folder + "/secret-of-one", "w").write("x")
        assert libc.shmget(0x5eed, 4096, 0o1666) >= 0
        print("up")
        time.sleep(15)
    """
    run = executor.start(spec_of(source, argv=("python", "main.py", "process-of-one")), recorder)
    thread = threading.Thread(target=lambda: (run.wait(), done.set()))
    thread.start()
    try:
        assert ready.wait(10)
        look = """
import glob
tried["files"] = str([p for f in ("/work", "/tmp", "/dev/shm") for p in os.listdir(f)])
tried["processes"] = str([open(p).read() for p in glob.glob("/proc/[0-9]*/cmdline")])
tried["segment"] = str(libc.shmget(0x5eed, 4096, 0))
"""
        tried = attempts(executor, look)
    finally:
        run.kill("enough")
        thread.join()
        run.close()
    assert tried["files"] == "['main.py']"
    assert "process-of-one" not in tried["processes"]
    assert "main.py" in tried["processes"]
    assert tried["segment"] == "-1"


# ---- processes ----------------------------------------------------------------------------------------------------


def test_no_signal_reaches_a_process_of_the_host(executor):
    with subprocess.Popen(["sleep", "60"]) as bystander:
        tried = attempts(
            executor,
            f"""
tried["bystander"] = attempt(lambda: os.kill({bystander.pid}, 9))
tried["agent"] = attempt(lambda: os.kill({os.getpid()}, 9))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
tried["all"] = attempt(lambda: os.kill(-1, signal.SIGTERM))
tried["self"] = attempt(lambda: os.kill(os.getpid(), 0))
""",
        )
        assert bystander.poll() is None
        bystander.send_signal(signal.SIGKILL)
    assert tried["bystander"] == "ESRCH"
    assert tried["agent"] == "ESRCH"
    assert tried["self"] == "None"


def test_a_cpu_slot_gives_no_device(executor):
    tried = attempts(
        executor,
        "tried['devices'] = str(sorted(os.listdir('/dev')))",
        gpus=(GpuGrant(0, "cpu-yongin-0", "cpu-slot"),),
    )
    assert "nvidia" not in tried["devices"]
    assert "null" in tried["devices"]
