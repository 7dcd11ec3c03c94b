"""Embedded PostgreSQL and Redis: data that survives kills, stale files, long paths."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path

import psutil
import psycopg
import pytest
import redis as redis_client

from infra.embedded.postgres import Postgres
from infra.embedded.redis import Redis
from infra.embedded.spawn import service_account, spawn
from infra.embedded.state import State
from infra.embedded.supervisor import Supervisor

from .conftest import alive, until

pytestmark = pytest.mark.chaos


def connect(run: Path) -> psycopg.Connection:
    return psycopg.connect(host=str(run), user="campus", dbname="campus", autocommit=True)


def test_a_row_written_before_postgres_is_killed_is_there_after_the_restart(stand):
    running = stand()
    with connect(running.run) as connection:
        connection.execute("CREATE TABLE word (text text)")
        connection.execute("INSERT INTO word VALUES ('용인')")

    os.kill(running.pids["postgres"], signal.SIGKILL)

    def is_back() -> bool:
        try:
            with connect(running.run) as connection:
                return connection.execute("SELECT text FROM word").fetchall() == [("용인",)]
        except psycopg.OperationalError:
            return False

    until(is_back, within_s=20, what="PostgreSQL back with its row")


def test_a_second_start_finds_the_data_even_after_everything_was_killed_with_9(stand):
    running = stand()
    with connect(running.run) as connection:
        connection.execute("CREATE TABLE word (text text)")
        connection.execute("INSERT INTO word VALUES ('전북')")
    everything = [*running.everything(), running.process.pid]
    for pid in everything:
        with contextlib.suppress(ProcessLookupError):  # a child may end with its parent before its turn
            os.kill(pid, signal.SIGKILL)
    running.process.wait(5)

    again = stand()

    with connect(again.run) as connection:
        assert connection.execute("SELECT text FROM word").fetchall() == [("전북",)]


def test_a_pid_file_that_names_a_stranger_does_not_keep_postgres_from_starting(folder):
    """After a reboot or in a new container the old pid belongs to someone else."""
    state = State(folder / "state")
    postgres = Postgres(state, durable=False)
    postgres.prepare()
    stale = f"{os.getppid()}\n{postgres.data}\n1700000000\n5432\n{postgres.run}\n\n1 1\nready\n"
    (postgres.data / "postmaster.pid").write_text(stale)
    if state.account:
        os.chown(postgres.data / "postmaster.pid", state.account.uid, state.account.gid)

    with Supervisor(state) as supervisor:
        supervisor.start(postgres.program())
        with connect(postgres.run) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    state.close()


def test_a_server_left_on_the_folder_is_ended_before_a_new_one_starts(folder):
    state = State(folder / "state")
    postgres = Postgres(state, durable=False)
    with Supervisor(state) as supervisor:
        supervisor.start(postgres.program())
        old = supervisor.pid("postgres")
        assert old is not None

        postgres.prepare()

        assert alive({old}) == set()
    state.close()


@pytest.mark.parametrize("length", [60, 200])
def test_state_folders_with_long_names_work(folder, length):
    deep = folder
    while len(str(deep)) < length:
        deep = deep / ("long-" * 6)
    deep.mkdir(parents=True)
    if os.geteuid() == 0:
        for parent in (deep, *deep.parents):
            if parent != folder.parent and parent.is_relative_to(folder):
                parent.chmod(0o711)
    state = State(deep / "state")
    postgres = Postgres(state, durable=False)
    with Supervisor(state) as supervisor:
        supervisor.start(postgres.program())
        with connect(postgres.run) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    state.close()
    assert postgres.run.exists() == (length < 80)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its services an account")
def test_a_program_below_a_closed_folder_runs_as_the_account_and_finds_its_own_file(folder):
    """PostgreSQL looks for its neighbours by access(2), which forgets capabilities by default."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "test"
    shutil.copy(shutil.which("test"), program)
    account = service_account(folder / "no-data-yet")
    options = {"env": {}, "cwd": Path("/"), "account": account}

    with_reach = spawn([str(program), "-x", str(program)], reaches=(program,), **options)
    without = spawn([shutil.which("test"), "-x", str(program)], **options)

    assert with_reach.wait(10) == 0
    assert without.wait(10) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that its own services cannot pass")
def test_root_may_keep_its_state_below_a_closed_folder_whose_mode_stays(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    state = State(closed / "state")
    postgres, redis = Postgres(state, durable=False), Redis(state)
    with Supervisor(state) as supervisor:
        supervisor.start(postgres.program(), redis.program())
        with connect(postgres.run) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        uids = {psutil.Process(supervisor.pid(name)).uids().effective for name in ("postgres", "redis")}
    state.close()
    assert uids == {state.account.uid}
    assert 0 not in uids
    assert closed.stat().st_mode & 0o777 == 0o700


def test_the_application_is_no_superuser_and_sorts_korean_by_the_dictionary(folder):
    state = State(folder / "state")
    postgres = Postgres(state, durable=False)
    with Supervisor(state) as supervisor:
        supervisor.start(postgres.program())
        with connect(postgres.run) as connection:
            assert connection.execute("SHOW is_superuser").fetchone() == ("off",)
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            words = connection.execute("SELECT w FROM unnest(ARRAY['하', '가', '나']) w ORDER BY w").fetchall()
            assert words == [("가",), ("나",), ("하",)]
    state.close()


def test_redis_wants_its_password_and_keeps_nothing_on_disk(folder):
    state = State(folder / "state")
    redis = Redis(state)
    with Supervisor(state) as supervisor:
        supervisor.start(redis.program())
        client = redis_client.Redis.from_url(redis.url)
        client.set("a", "b")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        stranger = redis_client.Redis.from_url(redis.url.replace(redis.url.split("@")[0], "redis://:wrong"))
        with pytest.raises(redis_client.AuthenticationError):
            stranger.ping()
        command_line = " ".join(psutil.Process(supervisor.pid("redis")).cmdline())
        assert redis.url.split(":")[2].split("@")[0] not in command_line
    state.close()
    assert not list((folder / "state").rglob("*.rdb"))
