"""A real HTTP server on loopback as a provider of Alimtalk or SMS: it keeps what it got, and answers as told."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Provider:
    """`got` holds (headers, body) of each request; `answers` are given one after the other, the last for ever."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers) or [200]
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.url = ""

    def answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _headers, body in self.got]


@contextlib.contextmanager
def provider(*answers: int) -> Iterator[Provider]:
    """A provider that listens."""
    kept = Provider(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.got.append((dict(self.headers), body))
            self.send_response(kept.answer())
            self.end_headers()
            self.wfile.write(b'{"said": "by the provider"}')

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/send"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
