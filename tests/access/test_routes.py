"""One table over every route: what each person gets. A route that is not in it fails, so does a row without a route."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, resolve

from campus.config.asgi import application
from campus.config.routing import websocket_urlpatterns
from tests.web.browser import session_cookie

from . import facts, world
from .attendance_table import SECRETS
from .table import PEOPLE, SOCKETS, rows

FILES = {"main.py": "print('hello')"}
ASGI_TIMEOUT_S = 60


def routes(patterns: Any, before: str = "") -> Iterator[str]:
    """Every address of the resolver, as `resolve().route` writes it."""
    for pattern in patterns:
        address = before + str(pattern.pattern).removeprefix("^")
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, address)
        else:
            yield address


def any_value(name: re.Match[str]) -> str:
    """Any number will do for an id, and is a name as well; any UUID for a secret."""
    return "11111111-1111-4111-8111-111111111111" if name[1] in SECRETS else "1"


def test_the_table_names_every_route_and_no_other() -> None:
    listed = {resolve(re.sub(r"{(\w+)}", any_value, row.path).split("?")[0]).route for row in rows()}
    assert listed == set(routes(get_resolver().url_patterns))


@pytest.mark.django_db
def test_everyone_gets_what_the_table_says() -> None:
    made = world.build()
    known = facts.places(made)
    clients = {name: Client(raise_request_exception=False) for name in PEOPLE}
    for name in PEOPLE[1:]:
        clients[name].force_login(made.people[name])
    wrong = []
    for row in rows():
        url = row.path.format(**known)
        for name, expected in zip(PEOPLE, row.statuses, strict=True):
            # Rolled back each time: who may act changes nothing for the next.
            with transaction.atomic():
                status = _send(clients[name], row.method, url)
                transaction.set_rollback(True)
            if status != expected:
                wrong.append(f"{row.method} {row.path} as {name}: {status}, not {expected}")
    assert wrong == []


def _send(client: Client, method: str, url: str) -> int:
    said: dict[str, Any] = {}
    if method == "POST" and url.startswith("/api/"):
        said = {"data": {"files": FILES}, "content_type": "application/json"}
    elif method == "POST":
        said = {"data": {"sent": "1", "files": json.dumps(FILES)}}
    response = getattr(client, method.lower())(url, **said)
    if response.streaming:
        assert b"".join(response.streaming_content) is not None
    return int(response.status_code)


@pytest.mark.django_db(transaction=True)
def test_websockets_open_to_whom_the_table_says() -> None:
    made = world.build()
    known = facts.places(made)
    wrong = []
    for address, expected in SOCKETS.items():
        for name, wanted in zip(PEOPLE, expected.split(), strict=True):
            user = None if name == "anonymous" else made.people[name]
            got = async_to_sync(_open)(address.format(**known), user and session_cookie(user, ""))
            if got != wanted:
                wrong.append(f"{address} as {name}: {got}, not {wanted}")
    assert wrong == []


def test_the_table_names_every_websocket_route() -> None:
    listed = {re.sub(r"{\w+}", "1", address).strip("/") for address in SOCKETS}
    routed = {re.sub(r"<int:\w+>", "1", str(route.pattern)).strip("/") for route in websocket_urlpatterns}
    assert listed == routed


async def _open(path: str, cookie: dict[str, str] | None) -> str:
    """Return `open`, or the code with which the server closed."""
    headers = [(b"origin", b"http://testserver"), (b"host", b"testserver")]
    if cookie:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie['value']}".encode()))
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
    socket = ApplicationCommunicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    said = await socket.receive_output(ASGI_TIMEOUT_S)
    # A code reaches browsers only after the handshake, so a refusal may come as the first thing that is said.
    if said["type"] == "websocket.accept" and not await socket.receive_nothing(timeout=0.3):
        said = await socket.receive_output(ASGI_TIMEOUT_S)
    if said["type"] == "websocket.close":
        return str(said.get("code", 1000))
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(ASGI_TIMEOUT_S)
    return "open"
