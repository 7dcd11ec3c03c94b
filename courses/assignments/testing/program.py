"""The program of a grading job: standard library only, written into the job as it stands here.

It never imports the learner's code. Each source of tests is run by a child that does, visible ones first: hidden
tests lie nowhere on the disk while a program of the learner's runs whose messages the learner may read. What it
writes is signed with a key that only this process has read; its memory is closed to other processes of its user.
"""

# ruff: noqa: E402, T201  (its path is set before it imports anything; its words are the job's log)

import sys

# The learner's folder must not lend this program its modules.
sys.path[:] = [entry for entry in sys.path if entry not in ("", "/work", sys.path[0])]

import contextlib
import ctypes
import hashlib
import hmac
import json
import os
import select
import shutil
import signal
import subprocess
import time

ASKED, REPORT = "_campus_grading.json", "_campus_grading_report.json"
PR_SET_DUMPABLE = 4
MOST_LINES, MOST_BYTES = 400, 900_000

CHILD = r"""
import json, os, random, sys, traceback
out = int(sys.argv[1])
asked = json.loads(sys.stdin.buffer.read())
sys.stdin = open(os.devnull)
sys.path.insert(0, os.getcwd())
random.seed(asked["seed"])
try:
    import numpy
    numpy.random.seed(asked["seed"])
except ImportError:
    pass

def say(name, passed, message):
    line = json.dumps({"name": name, "passed": passed, "message": message[:2000]}).encode() + b"\n"
    while line:
        line = line[os.write(out, line):]

def words_of(error):
    said = str(error).strip()
    return said if isinstance(error, AssertionError) and said else f"{type(error).__name__}: {said}"

names = asked["names"]
space = {"__name__": "campus_tests", "__file__": "tests"}
try:
    exec(compile(asked["source"], "<tests>", "exec"), space)
except BaseException as error:
    traceback.print_exc()
    for name in names:
        say(name, False, words_of(error))
    os._exit(0)
for name in names:
    try:
        space[name]()
    except BaseException as error:
        traceback.print_exc()
        say(name, False, words_of(error))
    else:
        say(name, True, "")
sys.stdout.flush()
os._exit(0)
"""


def main() -> None:
    """Run the tests that the job brings along, and leave one signed report."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise SystemExit("this process cannot be closed to others: nothing is graded")
    with open(ASKED, "rb") as stream:
        asked = json.load(stream)
    os.unlink(ASKED)
    limit_s = max(asked["wall_s"] - 5, 5) / max(len(asked["sources"]), 1)
    lines: list[object] = []
    for part in asked["sources"]:
        print(f"--- {part['what']} tests", flush=True)
        lines += run(part["source"], part["names"], asked["seed"], limit_s)
    write(json.dumps(lines).encode(), asked["key"])


def run(source: str, names: list[str], seed: int, limit_s: float) -> list[object]:
    """Run one source's tests in a child; returns the lines it said until it ended or its time was over."""
    mine, its = os.pipe()
    child = subprocess.Popen(  # noqa: S603  (this very Python)
        [sys.executable, "-I", "-c", CHILD, str(its)], stdin=subprocess.PIPE, pass_fds=[its], start_new_session=True
    )
    os.close(its)
    with contextlib.suppress(BrokenPipeError), child.stdin or open(os.devnull, "wb") as stdin:
        stdin.write(json.dumps({"source": source, "names": names, "seed": seed}).encode())
    said = read(mine, time.monotonic() + limit_s)
    os.close(mine)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return lines_of(said, set(names))


def read(pipe: int, until: float) -> bytes:
    """Read what the child says until it closes the pipe, says too much, or the time is over."""
    said = b""
    while len(said) < MOST_BYTES and (left := until - time.monotonic()) > 0:
        if not select.select([pipe], [], [], left)[0]:
            print("these tests took too long and were ended", flush=True)
            break
        part = os.read(pipe, 65_536)
        if not part:
            break
        said += part
    return said


def lines_of(said: bytes, names: set[str]) -> list[object]:
    """The lines about tests of this source alone: one about another's says nothing."""
    found: list[object] = []
    for line in said.split(b"\n")[:MOST_LINES]:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if isinstance(one, dict) and one.get("name") in names:
            found.append(one)
    return found


def write(body: bytes, key: str) -> None:
    """Leave the report, in place of whatever was put where it goes."""
    if os.path.isdir(REPORT) and not os.path.islink(REPORT):
        shutil.rmtree(REPORT)
    elif os.path.lexists(REPORT):
        os.unlink(REPORT)
    signed = hmac.new(key.encode(), body, hashlib.sha256).hexdigest().encode()
    with open(os.open(REPORT, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as stream:
        stream.write(signed + b"\n" + body)


if __name__ == "__main__":
    main()
