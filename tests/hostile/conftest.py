"""A small whole campus, and a learner who speaks to it over REST, by the pages' forms, and as a node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db.models import Sum
from django.test import Client
from knox.models import get_token_model

from campus.people.models import User
from courses.assignments.models import LabRun
from courses.catalog.models import Enrolment
from labs.jobs.models import Artifact, Attempt, Job, JobEvent, LogChunk, MetricPoint, SourceBundle
from labs.quota.models import Account, LedgerEntry
from tests.access import world as worlds
from tests.access.world import World

KEPT = (
    Job, Attempt, JobEvent, LogChunk, MetricPoint, Artifact, SourceBundle, LabRun, LedgerEntry, Enrolment, User,
)  # fmt: skip


class Api:
    """The REST API as one person uses it, in English."""

    def __init__(self, user: User) -> None:
        self.token = get_token_model().objects.create(user=user)[1]
        self._http = Client()

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """`body` is JSON unless it is bytes already."""
        content = body if isinstance(body, bytes) else json.dumps(body)
        headers = {"Authorization": f"Token {self.token}", "Accept-Language": "en"}
        options = {"content_type": "application/json", **options}
        return self._http.generic(method, f"/api/v1/{path}", content, headers=headers, **options)

    def form(self, path: str, fields: dict[str, Any]) -> Any:
        """As multipart/form-data, with files."""
        headers = {"Authorization": f"Token {self.token}", "Accept-Language": "en"}
        return self._http.post(f"/api/v1/{path}", fields, headers=headers)


@pytest.fixture
def world(db: Any, settings: Any, tmp_path: Any) -> World:
    settings.MEDIA_ROOT = tmp_path
    return worlds.build()


@pytest.fixture
def api(world: World) -> Api:
    return Api(world.learner)


@pytest.fixture
def page(world: World) -> Client:
    """The learner's browser, reading English."""
    client = Client()
    client.force_login(world.learner)
    client.cookies["campus_language"] = "en"
    return client


def _state(folder: str = "") -> list[Any]:
    balances = Account.objects.aggregate(Sum("held_s"), Sum("used_s"), Sum("granted_s"), Sum("allocated_s"))
    return [[kind.objects.count() for kind in KEPT], balances, Job.objects.in_bulk().keys(), _files(folder)]


def _files(folder: str) -> list[str]:
    folders, files = default_storage.listdir(folder) if default_storage.exists(folder or ".") else ([], [])
    below = [name for inner in folders for name in _files(f"{folder}/{inner}".lstrip("/"))]
    return sorted([f"{folder}/{name}" for name in files] + below)


@pytest.fixture
def nothing_changes(world: World) -> Callable[[], AbstractContextManager[None]]:
    """A context after which nothing was created, held, charged, stored or lost."""

    @contextmanager
    def watch() -> Iterator[None]:
        before = _state()
        yield
        assert _state() == before

    return watch


def complaints(response: Any) -> dict[str, str]:
    """What a problem says of each field."""
    body = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert body["status"] == response.status_code
    return {error["field"]: error["detail"] for error in body.get("errors", [])}
