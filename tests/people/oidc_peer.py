"""A small OpenID Connect provider on a loopback port: one person, who always says yes."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

SECRET = "a secret of thirty-two characters!"
PERSON = {"sub": "emp-1042", "email": "bora@partner.test", "email_verified": True, "name": "윤보라"}


class Provider(ThreadingHTTPServer):
    """Knows the requests it was asked, so that a test can look at them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.pending: dict[str, dict[str, str]] = {}
        self.exchanged: list[dict[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        if where.path == "/.well-known/openid-configuration":
            self._json(_configuration(self.server.url))
        elif where.path == "/authorize":
            self._agree(asked)
        elif where.path == "/userinfo":
            self._json(PERSON if self.headers["Authorization"] == "Bearer access-1" else {}, 200)
        else:
            self._json({}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.server.pending.pop(said.get("code", ""), None)
        if asked is None or _challenge(said.get("code_verifier", "")) != asked.get("code_challenge"):
            self._json({"error": "invalid_grant"}, 400)
            return
        self.server.exchanged.append(said)
        now = int(time.time())
        claims = PERSON | {"iss": self.server.url, "aud": asked["client_id"], "iat": now, "exp": now + 60}
        if "nonce" in asked:
            claims["nonce"] = asked["nonce"]
        token = jwt.encode(claims, SECRET, algorithm="HS256")
        self._json({"access_token": "access-1", "token_type": "Bearer", "expires_in": 60, "id_token": token})

    def _agree(self, asked: dict[str, str]) -> None:
        code = f"code-{len(self.server.exchanged)}"
        self.server.pending[code] = asked
        self.send_response(302)
        answer = urlencode({"code": code, "state": asked["state"]})
        self.send_header("Location", f"{asked['redirect_uri']}?{answer}")
        self.end_headers()

    def _json(self, said: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing on the tests' output."""


def _challenge(verifier: str) -> str:
    """What PKCE sends ahead of the verifier (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _configuration(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "userinfo_endpoint": f"{url}/userinfo",
        "jwks_uri": f"{url}/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256"],
        "code_challenge_methods_supported": ["S256"],
    }


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve until the block ends."""
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
