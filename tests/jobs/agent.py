"""A node's agent as the tests need it: the calls of the node API through Django's client."""

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from infra.pool.models import Node


class Agent:
    """Speaks for one node."""

    def __init__(self, node: Node, token: str) -> None:
        self.node, self.token = node, token
        self.http = Client()

    def post(self, to: str, body: Any = None, *, raw: bytes | None = None, **query: Any) -> Any:
        content = raw if raw is not None else json.dumps(body or {}).encode()
        kind = "application/octet-stream" if raw is not None else "application/json"
        address = self._address(to, query)
        return self.http.post(address, content, content_type=kind, headers=self._headers())

    def get(self, to: str, **query: Any) -> Any:
        return self.http.get(self._address(to, query), headers=self._headers())

    def put(self, to: str, content: bytes, **query: Any) -> Any:
        query.setdefault("digest", hashlib.sha256(content).hexdigest())
        return self.http.put(
            self._address(to, query), content, content_type="application/octet-stream", headers=self._headers()
        )

    def claim(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.post("claim", {"boot_id": self.node.boot_id}).json()["attempts"]
        return orders

    def end(self, attempt_id: int, fence: int, **said: Any) -> Any:
        report = {"fence": fence, "reason": "EXITED", "exit_code": 0, "run_s": 2.5, "cpu_s": 1.0, **said}
        return self.post(f"attempts/{attempt_id}/settle", report)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Node {self.token}"}

    def _address(self, to: str, query: dict[str, Any]) -> str:
        return f"/node/v1/{to}" + (f"?{urlencode(query)}" if query else "")
