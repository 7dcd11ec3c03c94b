"""A signed-in browser over one kept connection, small enough not to be what is measured."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from campus.people.models import User

TIMEOUT_S = 60.0
#: uvicorn closes what has been idle for 5 s; we open anew before that rather than run into it.
_KEPT_S = 3.0
_CSRF_LETTERS = 32


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took in ms from the first byte sent to the last one read."""

    status: int
    body: bytes
    took_ms: float
    location: str = ""
    #: What it set, as a `Cookie` header sends it back.
    cookies: str = ""

    @property
    def said(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Browser:
    """One connection, kept open while it is used, with cookies that are set once. Not for several threads at once."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._headers = {"Accept": "text/html", **(headers or {})}
        self._used_at = time.monotonic()

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """GET a page, with further headers (another person's session)."""
        return self._send("GET", path, headers=headers)

    def post(self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Answer:
        """POST a form, with further headers (another person's session)."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", path, urlencode(fields).encode(), kind | (headers or {}))

    def post_json(self, path: str, said: Any) -> Answer:
        """POST JSON."""
        return self._send("POST", path, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def _send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        if time.monotonic() - self._used_at > _KEPT_S:
            self._connection.close()
        begun = time.perf_counter()
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        content = response.read()
        took_ms = (time.perf_counter() - begun) * 1e3
        self._used_at = time.monotonic()
        cookies = "; ".join(line.partition(";")[0] for line in response.headers.get_all("Set-Cookie") or ())
        return Answer(response.status, content, took_ms, response.headers.get("Location", ""), cookies)

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


def signed_in(user: User) -> dict[str, str]:
    """Headers of a browser in which `user` has signed in: a real session, and a CSRF token for forms."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    token = secrets.token_hex(_CSRF_LETTERS // 2)
    cookies = {settings.SESSION_COOKIE_NAME: session.session_key, settings.CSRF_COOKIE_NAME: token}
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "X-CSRFToken": token}
