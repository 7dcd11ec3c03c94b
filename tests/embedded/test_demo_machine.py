"""What the launcher asks of the machine, and how catalogues are compiled."""

from __future__ import annotations

import gettext
import os
import socket

import pytest

from campus.config.demo_machine import DEFAULT_PORT, MachineError, check_machine, group_of_its_own, listen
from campus.core.catalogues import compile_catalogues

HOST = "127.0.0.1"


def test_a_named_port_that_is_busy_is_an_error_that_names_it():
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MachineError, match=f"port {port} is in use"):
            listen(HOST, str(port))


def test_without_a_named_port_the_first_free_one_is_taken():
    with listen(HOST, "") as first, listen(HOST, "") as second:
        ports = first.getsockname()[1], second.getsockname()[1]
    assert DEFAULT_PORT <= ports[0] < ports[1]


def test_port_0_takes_any_free_port_and_it_accepts_at_once():
    with listen(HOST, "0") as listener, socket.create_connection(listener.getsockname(), timeout=2) as client:
        assert client.getpeername() == listener.getsockname()


@pytest.mark.parametrize(("status", "prefix"), [(0, "systemd-run"), (1, None)])
def test_an_ordinary_users_node_gets_a_control_group_from_systemd_where_it_gives_one(
    tmp_path, monkeypatch, status, prefix
):
    systemd_run = tmp_path / "systemd-run"
    systemd_run.write_text(f"#!/bin/sh\nexit {status}\n")
    systemd_run.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert next(iter(group_of_its_own(1000)), None) == prefix
    assert group_of_its_own(0) == ()


def test_without_systemd_a_node_starts_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert group_of_its_own(1000) == ()


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "80.5"])
def test_a_port_that_is_no_port_is_an_error(port):
    with pytest.raises(MachineError, match="set it to a number from 0"):
        listen(HOST, port)


def test_a_disk_with_room_passes_even_where_the_folder_does_not_exist_yet(tmp_path):
    said: list[str] = []
    check_machine(tmp_path / "not" / "there" / "yet", said.append)
    assert not (tmp_path / "not").exists()


def catalogue(root, app, text):
    folder = root / app / "locale" / "ko" / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "django.po"
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    source.write_text(f'{header}msgid "Today"\nmsgstr "{text}"\n', encoding="utf-8")
    return source


def test_only_catalogues_that_changed_are_compiled_and_they_translate(tmp_path):
    source = catalogue(tmp_path, "courses/catalog", "오늘")
    catalogue(tmp_path, "node_modules/x", "아님")
    catalogue(tmp_path, ".venv/x", "아님")

    assert compile_catalogues(tmp_path) == [source.with_suffix(".mo")]
    assert compile_catalogues(tmp_path) == []
    catalogue(tmp_path, "courses/catalog", "오늘의 일")
    later = source.with_suffix(".mo").stat().st_mtime_ns + 1_000_000_000
    os.utime(source, ns=(later, later))
    assert compile_catalogues(tmp_path) == [source.with_suffix(".mo")]

    with source.with_suffix(".mo").open("rb") as compiled:
        assert gettext.GNUTranslations(compiled).gettext("Today") == "오늘의 일"


def test_a_broken_catalogue_is_named(tmp_path):
    source = catalogue(tmp_path, "labs/jobs", "작업")
    source.write_text('msgid "open\nmsgstr', encoding="utf-8")
    with pytest.raises(OSError, match=r"django\.po"):
        compile_catalogues(tmp_path)
