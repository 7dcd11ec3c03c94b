"""The launcher behind `make demo`: from an empty folder to a served campus, and an orderly end.

Prints progress, the demo accounts (`account ROLE EMAIL PASSWORD`), then `ready URL`. It imports
neither Django nor the apps: it must stay small beside what it watches.
"""

from __future__ import annotations

import os
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from infra.embedded.postgres import Postgres
from infra.embedded.program import Program
from infra.embedded.redis import Redis
from infra.embedded.spawn import SpawnError, die_with_parent
from infra.embedded.state import State, StateInUseError, StateUnusableError
from infra.embedded.supervisor import StopRequested, Supervisor

from .demo_machine import MachineError, Sandbox, check_machine, group_of_its_own, has_bubblewrap, listen

ROOT = Path(__file__).resolve().parents[2]
NODES = ("yongin-01", "jeonbuk-01")
#: Of the machine's real GPUs: one card must not be given out by two agents.
_PARTS = {name: f"{number}/{len(NODES)}" for number, name in enumerate(NODES, 1)}
HOST = "127.0.0.1"

_PREPARE_S = 300.0
_AGENTS_S = 120.0
# What an agent may see of our surroundings: what it takes to build environments, and its own bounds.
_AGENT_NAMES = ("PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
                "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")  # fmt: skip
_AGENT_PREFIXES = ("LABS_", "CAMPUS_NODE_", "CAMPUS_KEY_", "UV_", "PIP_", "CUDA_", "NVIDIA_")
_REFUSING = "SELECT DISTINCT confinement_detail FROM pool_node WHERE confinement = 'REFUSED' AND state <> 'DOWN'"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


class Demo:
    """One run of the demo campus on one state folder."""

    def __init__(self, state: State, supervisor: Supervisor, *, port: int, listener: int) -> None:
        self._state = state
        self._supervisor = supervisor
        self._listener = listener
        self._began = time.monotonic()
        self._port = port
        self.url = f"http://{HOST}:{port}"
        self._postgres = Postgres(state)
        self._redis = Redis(state)

    def run(self) -> None:
        """Start everything, announce it, and watch until StopRequested comes."""
        supervisor = self._supervisor
        sandbox = Sandbox(say)
        supervisor.start(self._postgres.program(), self._redis.program())
        self._tell("PostgreSQL and Redis are up")
        application = [self._web(), self._worker(), self._beat()]
        prepare = self._prepare()
        supervisor.launch(prepare)
        supervisor.wait_ready(prepare)
        self._tell("tables are there")
        supervisor.launch(*application)
        supervisor.finish(prepare, within_s=_PREPARE_S)
        self._tell("demo campus is there")
        sandbox.settle(supervisor.pause)
        since = self._postgres.ask("SELECT now()")
        prefix = group_of_its_own(os.geteuid())
        supervisor.launch(*(self._agent(name, part=part, prefix=prefix) for name, part in _PARTS.items()))
        supervisor.wait_ready(*application)
        self._tell("web, worker and beat are up")
        self._wait_for_nodes(since)
        self._tell(f"nodes {' and '.join(NODES)} are up")
        if has_bubblewrap() and (why := self._postgres.ask(_REFUSING)):
            say(f"note: the nodes refuse learners' code: {why}")
        say((self._state.root / "accounts.txt").read_text(encoding="utf-8").rstrip())
        say(f"ready {self.url}")
        supervisor.run()

    def end(self) -> None:
        """End everything: the nodes while the campus still answers them, the services last."""
        agents = [f"agent-{name}" for name in NODES]
        application = ["web", "worker", "beat"]
        for names in (agents, application):
            self._supervisor.announce_stop(names)
            self._supervisor.stop(names)
        self._supervisor.close()

    def _tell(self, what: str) -> None:
        say(f"{time.monotonic() - self._began:5.1f} s  {what}")

    # --- programs

    def _environment(self) -> dict[str, str]:
        """The application's environment: ours, and where its services are."""
        return os.environ | {
            "CAMPUS_MODE": "demo",
            "CAMPUS_NODE_API_URL": self.url,
            "CAMPUS_STATE": str(self._state.root),
            "DATABASE_URL": self._postgres.url(),
            "DJANGO_SECRET_KEY": self._state.secret("secret_key"),
            "DJANGO_SETTINGS_MODULE": "campus.config.settings",
            "LC_ALL": "C.UTF-8",
            "PORT": str(self._port),
            "PYTHONUNBUFFERED": "1",
            "REDIS_URL": self._redis.url,
        }

    def _python(self, name: str, *words: str, **options: object) -> Program:
        environment = self._environment()
        argv = (sys.executable, "-m", *words)
        return Program(name=name, argv=argv, env=environment, cwd=ROOT, **options)  # type: ignore[arg-type]

    def _prepare(self) -> Program:
        mark = self._state.root / "prepared"
        return self._python(
            "prepare",
            "campus.config.prepare",
            str(mark),
            before=lambda: mark.unlink(missing_ok=True),
            ready=lambda pid: mark.exists(),
            ready_within_s=_PREPARE_S,
        )

    def _web(self) -> Program:
        workers = os.environ.get("WEB_WORKERS", "1")
        serve = ("uvicorn", "campus.config.asgi:application", "--fd", str(self._listener))
        quiet = ("--lifespan", "off", "--no-access-log", "--no-proxy-headers", "--timeout-graceful-shutdown", "3")
        return self._python(
            "web",
            *serve,
            *quiet,
            *(("--workers", workers) if workers != "1" else ()),
            # The socket is ours: while a crashed web process is away, requests wait instead of failing.
            pass_fds=(self._listener,),
            ready=self._answers,
            ready_within_s=90.0,
        )

    def _worker(self) -> Program:
        # Threads, not processes: one import of the apps, and tasks wait on the database most of the time.
        lean = ("--pool", "threads", "--concurrency", "4", "--without-mingle", "--without-gossip")
        words = ("celery", "-A", "campus.config.celery:app", "worker", "-n", "campus@demo", "-Q", "campus,scheduler")
        return self._python("worker", *words, *lean, "--loglevel", "INFO")

    def _beat(self) -> Program:
        words = ("celery", "-A", "campus.config.celery:app", "beat", "--pidfile=", "--loglevel", "INFO")
        return self._python("beat", *words)

    def _agent(self, name: str, *, part: str = "1/1", prefix: tuple[str, ...] = ()) -> Program:
        """A node's agent, `prefix` before its command. It gets no database address and no secret but its own token.

        It has a `part` of the machine's real GPUs: 2/3 is the second of three; who gets none declares CPU slots.
        """
        passed = {
            key: value
            for key, value in os.environ.items()
            if key in _AGENT_NAMES or key.startswith(_AGENT_PREFIXES) or key.upper() in _PROXIES
        }
        token = self._state.root / "nodes" / f"{name}.token"
        if not token.exists():
            raise SpawnError(f"{token} is missing: the demo data names no such node")
        return Program(
            name=f"agent-{name}",
            argv=(*prefix, sys.executable, "-m", "infra.agent", "--name", name),
            env=self._node_shares()
            | passed
            | {
                "CAMPUS_NODE_GPU_PART": part,
                "CAMPUS_NODE_API_URL": self.url,
                "CAMPUS_NODE_NAME": name,
                "CAMPUS_NODE_STATE": str(self._state.folder(f"nodes/{name}")),
                "CAMPUS_NODE_TOKEN_FILE": str(token),
                "LC_ALL": "C.UTF-8",
                "PYTHONUNBUFFERED": "1",
                "REDIS_URL": self._redis.url,
            },
            cwd=ROOT,
            stop_within_s=10.0,
        )

    def _node_shares(self) -> dict[str, str]:
        """What each node takes of this one machine, unless the operator says otherwise; both share environments."""
        memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1024 * 1024)
        return {
            "CAMPUS_NODE_CPUS": str((os.cpu_count() or 1) / len(NODES)),
            # A third each: the rest is for the campus itself.
            "CAMPUS_NODE_MEMORY_MIB": str(memory_mib // (len(NODES) + 1)),
            "CAMPUS_NODE_SHARED": str(self._state.folder("nodes/shared")),
            "CAMPUS_NODE_SLOTS": "2",
            "CAMPUS_NODE_STOP_GRACE_S": "2",
        }

    # --- readiness

    def _answers(self, _pid: int) -> bool:
        connection = HTTPConnection(HOST, self._port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _wait_for_nodes(self, since: str) -> None:
        """Wait until every node has reported to us, this start and not an earlier one."""
        names = ", ".join(f"'{name}'" for name in NODES)
        question = (
            f"SELECT count(*)::text FROM pool_node WHERE name IN ({names})"  # noqa: S608  constants
            f" AND state <> 'DOWN' AND heartbeat_at >= '{since}'"
        )
        deadline = time.monotonic() + _AGENTS_S
        while int(self._postgres.ask(question)) < len(NODES):
            self._supervisor.turn()
            if time.monotonic() > deadline:
                raise SpawnError(f"the nodes did not report; see {self._state.root / 'logs'}/agent-*.log")
            self._supervisor.pause(0.2)


def main() -> int:
    """Run the demo. Returns 0 after an orderly end, 1 when it could not start."""
    if os.environ.pop("CAMPUS_DIE_WITH_PARENT", ""):
        die_with_parent()
    folder = Path(os.environ.get("CAMPUS_STATE") or ROOT / ".state")
    try:
        check_machine(folder, say)
        state = State(folder)
        try:
            with listen(HOST, os.environ.get("PORT", "")) as listener:
                return _serve(state, listener.getsockname()[1], listener.fileno())
        finally:
            state.close()
    except (MachineError, StateInUseError, StateUnusableError, SpawnError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def _serve(state: State, port: int, listener: int) -> int:
    supervisor = Supervisor(state)
    with supervisor, supervisor.signals():
        demo = Demo(state, supervisor, port=port, listener=listener)
        try:
            demo.run()
        except StopRequested:
            say("stopping")
        finally:
            demo.end()
    return 0


def say(line: str) -> None:
    """One line for whoever started us, at once even through a pipe; a reader that left changes nothing."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  for the rest of our life


if __name__ == "__main__":
    sys.exit(main())
