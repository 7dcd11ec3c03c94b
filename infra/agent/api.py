"""The node API over HTTP: one method a call, typed answers, and errors that say what a caller may do next."""

from __future__ import annotations

import ssl
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import httpx

from infra.agent.wire import (
    ArtifactReport,
    Assignment,
    EnvironmentReport,
    Fields,
    GpuSample,
    Hello,
    ProtocolError,
    Pulse,
    Settlement,
    Unreadable,
    Welcome,
    body_of,
    claimed,
    source_files,
)

CHUNK = 1024 * 1024


class ApiError(Exception):
    """A call failed."""


class Unreachable(ApiError):
    """No answer, or one that says "later". The same call may be repeated: every one of them is idempotent."""


class Unauthorised(ApiError):
    """The campus does not know our token: for an operator to mend."""


class NotOurs(ApiError):
    """The attempt is not, or no longer, this node's: kill its run and forget it. Also a hello that is too old."""


class LogGap(ApiError):
    """The campus has less of the log than we thought: go on at byte `next_start`."""

    def __init__(self, next_start: int) -> None:
        super().__init__(f"the campus has {next_start} bytes of the log")
        self.next_start = next_start


class Rejected(ApiError):
    """The campus refuses what was sent; sending it again would change nothing."""


class NodeApi:
    """Safe to use from several threads. Two pools, so that uploads never keep a heartbeat waiting."""

    def __init__(self, *, base_url: str, token: str, ca_file: Path | None = None) -> None:
        verify: ssl.SSLContext | bool = True
        if ca_file is not None:
            verify = ssl.create_default_context(cafile=str(ca_file))
        elif base_url.startswith("http://"):
            verify = False  # no TLS at all: spares a start on one machine the reading of every root certificate
        self._urgent = _client(base_url, token, verify, connections=4, read_s=5.0)
        self._bulk = _client(base_url, token, verify, connections=64, read_s=30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Drop all connections."""
        self._urgent.close()
        self._bulk.close()

    # ---- the node -------------------------------------------------------------------------------------------------

    def hello(self, message: Hello) -> Welcome:
        """Say that this agent has started. Raises ApiError, ProtocolError."""
        return Welcome.parse(self._post(self._urgent, "hello", body_of(message), within_s=10.0))

    def heartbeat(
        self,
        *,
        boot_id: str,
        attempts: list[tuple[int, int]],
        gpus: list[GpuSample],
        data_sets: tuple[str, ...] | None = None,
        within_s: float,
    ) -> Pulse:
        """Renew the leases of (attempt_id, fence). Waits at most `within_s` for each step of the exchange.

        `data_sets` are the digests of those that lie here, None where that is known already.
        """
        body: dict[str, Any] = {
            "boot_id": boot_id,
            "attempts": [{"attempt_id": attempt_id, "fence": fence} for attempt_id, fence in attempts],
            "gpus": [body_of(sample) for sample in gpus],
        }
        if data_sets is not None:
            body["data_sets"] = list(data_sets)
        return Pulse.parse(self._post(self._urgent, "heartbeat", body, within_s=within_s))

    def claim(self, *, boot_id: str) -> list[Assignment | Unreadable]:
        """Take up what was assigned to this node, again and again the same until it has started."""
        return claimed(self._post(self._urgent, "claim", {"boot_id": boot_id}))

    def report_environment(self, report: EnvironmentReport) -> None:
        """Say how an environment stands on this node."""
        self._post(self._bulk, "environments", body_of(report))

    def fetch_data_set(self, digest: str, target: IO[bytes], *, most: int) -> int:
        """Write the archive of a data set to `target`; its size in bytes. Raises Rejected beyond `most` bytes."""
        return self._fetch(f"data-sets/{digest}", target, most=most)

    def fetch_checkpoint(self, attempt_id: int, fence: int, path: str, target: IO[bytes], *, most: int) -> int:
        """Write a file that an earlier attempt saved to `target`; its size. Raises Rejected beyond `most` bytes."""
        query = {"fence": str(fence), "path": path}
        return self._fetch(f"attempts/{attempt_id}/checkpoint", target, most=most, query=query)

    def _fetch(self, path: str, target: IO[bytes], *, most: int, query: dict[str, str] | None = None) -> int:
        size = 0
        headers = {"Accept-Encoding": "identity"}
        try:
            with self._bulk.stream("GET", path, params=query, headers=headers) as response:
                if response.status_code != httpx.codes.OK:
                    response.read()
                    raise _error_of(response)
                for chunk in response.iter_bytes(CHUNK):
                    size += len(chunk)
                    if size > most:
                        raise Rejected(f"the file is larger than the {most} bytes that were announced")
                    target.write(chunk)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unreachable(_words(error)) from error
        return size

    # ---- one attempt ----------------------------------------------------------------------------------------------

    def source(self, attempt_id: int, fence: int) -> dict[str, bytes]:
        """The files of the job."""
        return source_files(self._ask(self._bulk, "GET", f"attempts/{attempt_id}/source", params={"fence": fence}))

    def started(self, attempt_id: int, fence: int) -> None:
        """The program runs: charging begins."""
        self._post(self._bulk, f"attempts/{attempt_id}/started", {"fence": fence})

    def append_log(self, attempt_id: int, fence: int, start: int, content: bytes) -> int:
        """Add bytes from offset `start`; the offset up to which the campus has the log. Raises LogGap."""
        answer = self._ask(
            self._bulk,
            "POST",
            f"attempts/{attempt_id}/log",
            params={"fence": fence, "start": start},
            content=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        return Fields.of(answer, "log").whole("next")

    def append_metrics(
        self, attempt_id: int, fence: int, first_seq: int, points: list[tuple[float, dict[str, float]]]
    ) -> int:
        """Add points (run_s, values) numbered from `first_seq`; the number that the campus wants next."""
        body = {
            "fence": fence,
            "first_seq": first_seq,
            "points": [{"run_s": run_s, "values": values} for run_s, values in points],
        }
        return Fields.of(self._post(self._bulk, f"attempts/{attempt_id}/metrics", body), "metrics").whole("next_seq")

    def store_artifact(self, attempt_id: int, fence: int, report: ArtifactReport, file: Path) -> None:
        """Upload one output. It is published only when the attempt is settled."""
        with open(file, "rb") as content:
            self._ask(
                self._bulk,
                "PUT",
                f"attempts/{attempt_id}/artifacts",
                params={"fence": fence, "path": report.path, "digest": report.digest},
                content=content,
                headers={"Content-Type": "application/octet-stream", "Content-Length": str(report.size_bytes)},
                within_s=120.0,
            )

    def settle(self, attempt_id: int, settlement: Settlement) -> str:
        """Report the end; the state of the attempt after it."""
        answer = self._post(self._bulk, f"attempts/{attempt_id}/settle", body_of(settlement))
        return Fields.of(answer, "settle").text("state")

    # ---- the exchange ---------------------------------------------------------------------------------------------

    def _post(self, client: httpx.Client, path: str, body: dict[str, Any], within_s: float | None = None) -> object:
        return self._ask(client, "POST", path, json=body, within_s=within_s)

    def _ask(
        self, client: httpx.Client, method: str, path: str, *, within_s: float | None = None, **parts: Any
    ) -> object:
        timeout = client.timeout if within_s is None else httpx.Timeout(within_s, connect=min(within_s, 3.0))
        try:
            response = client.request(method, path, timeout=timeout, **parts)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unreachable(_words(error)) from error
        if not response.is_success:
            raise _error_of(response)
        try:
            return response.json()
        except ValueError as error:
            raise ProtocolError(f"{method} {path}: the answer is no JSON") from error


def _client(
    base_url: str, token: str, verify: ssl.SSLContext | bool, *, connections: int, read_s: float
) -> httpx.Client:
    return httpx.Client(
        base_url=f"{base_url}/node/v1/",
        headers={"Authorization": f"Node {token}", "Accept": "application/json"},
        verify=verify,
        # A proxy of the operator's shell is not meant for the campus's own network.
        trust_env=False,
        timeout=httpx.Timeout(read_s, connect=3.0),
        # Shorter than the usual server's five seconds, so that we do not write into a connection it is closing.
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=4.0),
    )


def _error_of(response: httpx.Response) -> ApiError:
    problem = _problem_of(response)
    code = problem.get("code")
    said = f"{response.status_code} {code or ''}: {problem.get('detail') or problem.get('title') or ''}".strip(" :")
    match response.status_code:
        case 401:
            return Unauthorised(said)
        case 409 if code == "log_gap":
            return LogGap(Fields(problem, "log_gap").whole("next"))
        case 403 | 404 | 409:
            return NotOurs(said)
        case 408 | 425 | 429:
            return Unreachable(said)
        case status if status >= 500:
            return Unreachable(said)
    return Rejected(said)


def _problem_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
