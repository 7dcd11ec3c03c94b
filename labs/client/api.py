"""The REST API as this client uses it. What fails for a moment is tried again where that is safe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from labs.client.credentials import LOOPBACK
from labs.client.problems import UNREACHABLE, ClientError, refusal

TRIES = 5
FIRST_PAUSE_S = 0.5
AGAIN = (429, 502, 503, 504)


class Api:
    """One campus, one person. Raises ClientError for everything that fails."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        headers = {"Accept": "application/json", "Accept-Language": "en", "User-Agent": "campus-client"}
        if token:
            headers["Authorization"] = f"Token {token}"
        timeout = httpx.Timeout(60.0, connect=10.0)
        # A proxy of the shell's is for the outer world, not for a campus on this very machine.
        is_near = httpx.URL(url).host in LOOPBACK
        self._http = httpx.Client(base_url=f"{url}/api/v1/", headers=headers, timeout=timeout, trust_env=not is_near)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at `path`."""
        return self._ask("GET", path, params=_given(query)).json()

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Every entry of a paged list."""
        page = self.get(path, **query)
        while True:
            yield from page["results"]
            if not page.get("next"):
                return
            page = self._ask("GET", page["next"]).json()

    def post(self, path: str, *, is_repeatable: bool = False, **parts: Any) -> Any:
        """The answer to a POST; `is_repeatable` when sending it twice does no harm."""
        return self._ask("POST", path, is_repeatable=is_repeatable, **parts).json()

    def delete(self, path: str) -> None:
        """DELETE."""
        self._ask("DELETE", path)

    def log(self, job_id: int, *, start: int = 0, attempt: int | None = None) -> bytes:
        """The log's bytes from `start` on."""
        query = _given({"from": start, "attempt": attempt})
        headers = {"Accept": "text/plain, application/json"}
        return self._ask("GET", f"jobs/{job_id}/log/", params=query, headers=headers).content

    def download(self, path: str) -> Iterator[bytes]:
        """The bytes at `path`, as they come."""
        try:
            with self._http.stream("GET", self._inside(path), headers={"Accept": "*/*"}) as response:
                if not response.is_success:
                    response.read()
                    raise refusal(response.status_code, _problem_of(response))
                yield from response.iter_bytes(1024 * 1024)
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error

    def _ask(self, method: str, path: str, *, is_repeatable: bool = False, **parts: Any) -> httpx.Response:
        is_safe = is_repeatable or method in ("GET", "DELETE")
        pause_s = FIRST_PAUSE_S
        for left in reversed(range(TRIES if is_safe else 1)):
            try:
                response = self._http.request(method, self._inside(path), **parts)
            except httpx.TransportError as error:
                if not left:
                    raise _unreachable(self.url, error) from error
            else:
                if response.is_success:
                    return response
                if not left or response.status_code not in AGAIN:
                    raise refusal(response.status_code, _problem_of(response))
            time.sleep(pause_s)
            pause_s *= 2
        raise AssertionError("unreachable")

    def _inside(self, path: str) -> str:
        """A path below the API. An address that the campus gave is kept only when it is the campus's own."""
        own = str(self._http.base_url)
        if path.startswith(("http://", "https://")):
            if not path.startswith(own):
                # Behind a proxy the campus may call itself otherwise; the token goes to nobody else all the same.
                path = httpx.URL(path).raw_path.decode()
            else:
                return path
        if path.startswith("/"):
            path = path.removeprefix(httpx.URL(own).path)
        return path


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _problem_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _unreachable(url: str, error: Exception) -> ClientError:
    return ClientError(UNREACHABLE, f"the campus at {url} does not answer: {error or type(error).__name__}")
