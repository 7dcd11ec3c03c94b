"""Downloads are sent as they are read: what the server still has to send it has not read yet."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.core.files.base import ContentFile

from campus.config.asgi import application
from labs.environments.models import DataSet
from labs.jobs import api as jobs
from labs.jobs.models import Artifact, LogChunk
from tests.jobs.build import World, running, settle
from tests.web.browser import session_cookie

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = 4 * 1024 * 1024
LAST = 100
PART_MOST = 256 * 1024


def signed_in(user: Any) -> tuple[bytes, bytes]:
    return b"cookie", f"{settings.SESSION_COOKIE_NAME}={session_cookie(user, '')['value']}".encode()


def download(path: str, proof: tuple[bytes, bytes], at_first_part: Callable[[], Any]) -> list[bytes]:
    """Ask the ASGI application as a server does, which takes the next part when the last one has left."""
    parts: list[bytes] = []
    asked = [{"type": "http.request", "body": b"", "more_body": False}]
    headers = [(b"host", b"testserver"), proof]
    path, _mark, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers,
        "http_version": "1.1",
    }  # fmt: skip

    async def receive() -> Any:
        return asked.pop() if asked else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        elif message.get("body"):
            parts.append(message["body"])
            if len(parts) == 1:
                await sync_to_async(at_first_part)()

    async_to_sync(application)(scope, receive, send)
    return parts


@pytest.fixture
def finished(world: World, tmp_path: Any, settings: Any) -> Any:
    """A job that left a large file and a long log, both of zeros."""
    settings.MEDIA_ROOT = tmp_path
    attempt = running(world.submit(), world.node())
    chunk = bytes(PART_MOST)
    for start in range(0, SIZE, len(chunk)):
        jobs.append_log(attempt=attempt, fence=attempt.fence, start=start, content=chunk)
    digest = hashlib.sha256(bytes(SIZE)).hexdigest()
    jobs.store_artifact(
        attempt=attempt, fence=attempt.fence, path="model.bin", digest=digest, body=ContentFile(bytes(SIZE))
    )
    settle(attempt, artifacts=[{"path": "model.bin", "digest": digest}])
    return attempt.job


def change_the_file(of: Any = None) -> None:
    """Let the end of the file differ from what it was."""
    with (of or Artifact.objects.get().file).open("rb+") as opened:
        opened.seek(SIZE - LAST)
        opened.write(b"\1" * LAST)


def change_the_log() -> None:
    """Let the end of the log differ from what it was."""
    last = LogChunk.objects.order_by("-start")[0]
    LogChunk.objects.filter(pk=last.pk).update(content=bytes(PART_MOST - LAST) + b"\1" * LAST)


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("what", ["artifact", "log"])
def test_the_end_of_a_download_is_read_when_its_beginning_has_left(
    world: World, finished: Any, prefix: str, what: str
) -> None:
    here = f"{prefix}/jobs/{finished.pk}/"
    path = f"{here}log/" if what == "log" else f"{here}artifacts/{Artifact.objects.get().pk}/"
    change = change_the_log if what == "log" else change_the_file
    parts = download(path, signed_in(world.learner), change)
    assert b"".join(parts) == bytes(SIZE - LAST) + b"\1" * LAST
    assert max(map(len, parts)) <= PART_MOST


def test_a_node_gets_a_data_set_as_it_is_read(world: World, tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    data_set = DataSet(slug="zeros", name_ko="영", digest="c" * 64, size_bytes=SIZE, file_count=1)
    data_set.archive.save("zeros.zip", ContentFile(bytes(SIZE)), save=True)
    running(world.submit(data_set_ids=[data_set.pk]), node := world.node())
    proof = (b"authorization", f"Node {world.tokens[node.name]}".encode())
    parts = download(f"/node/v1/data-sets/{data_set.digest}", proof, lambda: change_the_file(data_set.archive))
    assert b"".join(parts) == bytes(SIZE - LAST) + b"\1" * LAST
    assert max(map(len, parts)) <= PART_MOST
