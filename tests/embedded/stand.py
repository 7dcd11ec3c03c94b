"""A supervisor as a process of its own, for tests that kill it: `python -m tests.embedded.stand STATE`.

Prints one JSON line once PostgreSQL, Redis and a sleeper with a grandchild run. The tests read pids
and the socket folder from it. `--ignore-term` makes the sleeper deaf to SIGTERM.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from infra.embedded.postgres import Postgres
from infra.embedded.program import Program
from infra.embedded.redis import Redis
from infra.embedded.state import State, StateInUseError
from infra.embedded.supervisor import StopRequested, Supervisor

# A parent that waits for its child, as a worker with a pool does.
SLEEPER = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
DEAF = (
    "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
)


def sleeper(*, deaf: bool = False) -> Program:
    """A program with a child of its own."""
    return Program(
        name="sleeper",
        argv=(sys.executable, "-c", DEAF if deaf else SLEEPER),
        env={"PATH": os.environ["PATH"]},
        cwd=Path("/"),
        stop_within_s=1.0,
    )


def main() -> int:
    try:
        state = State(Path(sys.argv[1]))
    except StateInUseError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    with Supervisor(state) as supervisor, supervisor.signals():
        postgres, redis = Postgres(state), Redis(state)
        try:
            supervisor.start(postgres.program(), redis.program(), sleeper(deaf="--ignore-term" in sys.argv))
            names = ("postgres", "redis", "sleeper")
            line = {"pids": {name: supervisor.pid(name) for name in names}, "run": str(postgres.run)}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            supervisor.run()
        except StopRequested:
            pass
    state.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
