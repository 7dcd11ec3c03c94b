"""A stand-in for a node agent as a process of its own: starts one run and passes on what it prints.

Arguments: the executor's root, its first user id, the script. Prints the executor's confinement first.
"""

# ruff: noqa: T201  # the test reads what it prints
from __future__ import annotations

import os
import sys
from pathlib import Path

from infra.executors.local.executor import LocalExecutor
from tests.executors.support import Recorder, spec_of


def main() -> None:
    """Start the run and wait for it."""
    root, first_uid, source = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    allow = os.environ.get("LABS_ALLOW_UNCONFINED") == "1"
    executor = LocalExecutor(root, first_uid=first_uid, slot_count=4, allow_unconfined=allow)
    found = executor.confinement()
    print(found.level, found.cgroup, "; ".join(found.missing), flush=True)
    if not source:
        return
    recorder = Recorder()
    recorder.on = lambda heard: print(heard.chunks[-1].decode(), end="", flush=True)
    run = executor.start(spec_of(source), recorder)
    ended = run.wait()
    print(f"ended {ended.reason} {ended.exit_code} {ended.signal} {ended.detail}", flush=True)
    print("outputs", *sorted(output.path for output in ended.outputs), flush=True)
    run.close()
    executor.close()


if __name__ == "__main__":
    main()
