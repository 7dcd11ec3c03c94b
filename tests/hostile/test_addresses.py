"""Forged ids and nonsense in the query, for every address that there is: an answer below 500, and nothing changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client

from labs.jobs.models import Artifact, Job
from tests.access import facts
from tests.access.table import rows
from tests.access.world import World

from .conftest import Api

Watch = Callable[[], AbstractContextManager[None]]

FORGED = ("0", "99999999", str(2**63 - 1), str(2**63), "9" * 40)
PARAMETERS = (
    "a", "account", "at", "attempt", "b", "by", "campus", "cursor", "days", "depth", "digest", "from", "gpu_type",
    "gpus", "job", "kind", "next", "page", "page_size", "parent", "part", "path", "preferred_campus", "preview", "q",
    "scope", "show", "since", "sort", "state", "tab", "until", "wall_s", "whose", "work_key",
)  # fmt: skip
NONSENSE = ("\0", "-1", "9" * 30, "²", "1e999", "NaN", "'\"<b>", "../..", "%", "\u202e", "x" * 2000)


def addresses(method: str) -> Iterator[str]:
    """Each address of the access table for this method, with its braces."""
    return (row.path.split("?")[0] for row in rows() if row.method == method)


def statuses(client: Client, method: str, path: str, **options: Any) -> int:
    with transaction.atomic():
        response = client.generic(method, path, **options)
        if response.streaming:
            b"".join(response.streaming_content)
        transaction.set_rollback(True)
    return response.status_code


@pytest.mark.parametrize("who", ["learner", "platform_admin"])
def test_a_forged_id_is_not_found_wherever_it_stands(world: World, who: str) -> None:
    known = facts.places(world)
    client = Client(raise_request_exception=False)
    client.force_login(world.people[who])
    wrong = []
    for method in ("GET", "POST"):
        for path in sorted(
            {path for path in addresses(method) if re.search(r"{(?!campus|run}|node|digest|token)", path)}
        ):
            for forged in FORGED:
                url = re.sub(r"{(campus|run|node|digest|token)}", lambda found: str(known[found[1]]), path)
                status = statuses(client, method, re.sub(r"{\w+}", forged, url))
                # 403 and 401: the whole address is not theirs, whatever the id.
                if status not in (401, 403, 404):
                    wrong.append(f"{method} {path} with {forged}: {status}")
    assert wrong == []


@pytest.mark.parametrize("who", ["learner", "platform_admin"])
def test_no_query_makes_a_page_fail(world: World, nothing_changes: Watch, who: str) -> None:
    known = facts.places(world)
    client = Client(raise_request_exception=False)
    client.force_login(world.people[who])
    wrong = []
    with nothing_changes():
        for path in sorted(set(addresses("GET"))):
            url = path.format(**known)
            for value in NONSENSE:
                query = "&".join(f"{name}={quote(value)}" for name in PARAMETERS)
                status = statuses(client, "GET", f"{url}?{query}")
                if status >= 500:
                    wrong.append(f"{path} with {value[:12]!r}: {status}")
    assert wrong == []


def test_another_persons_job_log_and_artifacts_are_not_found(world: World) -> None:
    known = facts.places(world)
    stranger, classmate = Api(world.people["stranger"]), Api(world.people["classmate"])
    own = Client()
    own.force_login(world.people["classmate"])
    for below in ("", "log/", "metrics/", "artifacts/", f"artifacts/{known['artifact']}/"):
        for someone in (stranger, classmate):
            assert someone.send("GET", f"jobs/{known['ended']}/{below}").status_code == 404
    for below in ("", "log/", f"artifacts/{known['artifact']}/"):
        assert own.get(f"/jobs/{known['ended']}/{below}").status_code == 404
    for act in ("cancel", "rerun"):
        assert stranger.send("POST", f"jobs/{known['job']}/{act}/").status_code == 404
        assert own.post(f"/jobs/{known['job']}/{act}/").status_code == 404
    assert Job.objects.get(pk=known["job"]).cancel_requested_at is None


def test_an_artifact_of_another_job_is_not_found_under_ones_own(world: World, api: Api, page: Client) -> None:
    known = facts.places(world)
    artifact = Artifact.objects.get(pk=known["artifact"])
    assert api.send("GET", f"jobs/{artifact.attempt.job_id}/artifacts/{artifact.pk}/").status_code == 200
    for forged in (artifact.pk, 2**63, 0):
        assert api.send("GET", f"jobs/{known['job']}/artifacts/{forged}/").status_code == 404
        assert page.get(f"/jobs/{known['job']}/artifacts/{forged}/").status_code == 404


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "Token", "\xed\x95\x9c", "a b c"])
def test_no_made_up_token_opens_anything(world: World, token: str) -> None:
    answer = Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Token {token}")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
