"""The REST API of jobs: who sees what, in which shape, and at which cost."""

import hashlib
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campus.people.models import RoleGrant, User
from labs.environments.models import DataSet, Environment
from labs.jobs import api as jobs
from labs.jobs.models import Artifact
from tests import factories
from tests.jobs.build import World, running, settle


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def finished(world: World) -> Any:
    """A job that ran: a log in two chunks, two points, an artifact."""
    attempt = running(world.submit(), world.node())
    said = {"attempt": attempt, "fence": attempt.fence}
    jobs.append_log(**said, start=0, content="하나\n".encode())
    jobs.append_log(**said, start=7, content=b"two\n")
    jobs.append_metrics(**said, first_seq=0, points=[{"run_s": n, "values": {"loss": n}} for n in (1, 2)])
    body = ContentFile(b"<script>alert(1)</script>")
    digest = hashlib.sha256(body.read()).hexdigest()
    body.seek(0)
    jobs.store_artifact(**said, path="out/page.html", digest=digest, body=body)
    settle(attempt, artifacts=[{"path": "out/page.html", "digest": digest}])
    return attempt.job


def routes(job: Any) -> list[str]:
    artifact = Artifact.objects.get(attempt__job=job)
    here = f"/api/v1/jobs/{job.pk}/"
    return [here, f"{here}log/", f"{here}metrics/", f"{here}artifacts/", f"{here}artifacts/{artifact.pk}/"]


def test_the_owner_and_the_staff_above_see_a_job_and_nobody_else_knows_of_it(world: World, finished: Any) -> None:
    scope = world.cohort_account.scope
    elsewhere = factories.campus("jeonbuk", "전북", "Jeonbuk")
    readers = [
        world.learner,
        factories.staff(RoleGrant.Role.ASSISTANT, scope),
        factories.staff(RoleGrant.Role.CAMPUS_ADMIN, world.campus.scope),
        factories.staff(RoleGrant.Role.PLATFORM_ADMIN, factories.platform_scope()),
    ]
    strangers = [
        factories.UserFactory(),
        world.another_learner()[0],
        factories.staff(RoleGrant.Role.CAMPUS_ADMIN, elsewhere.scope),
    ]
    for route in routes(finished):
        assert [signed_in(user).get(route).status_code for user in readers] == [200] * 4, route
        assert [signed_in(user).get(route).status_code for user in strangers] == [404] * 3, route
        assert Client().get(route).status_code == 401, route


def test_who_may_look_may_not_always_act(world: World) -> None:
    job = world.submit()
    assistant = factories.staff(RoleGrant.Role.ASSISTANT, world.cohort_account.scope)
    instructor = factories.staff(RoleGrant.Role.INSTRUCTOR, world.cohort_account.scope)
    stranger = factories.UserFactory()
    cancel, rerun = f"/api/v1/jobs/{job.pk}/cancel/", f"/api/v1/jobs/{job.pk}/rerun/"
    assert [signed_in(user).post(cancel).status_code for user in (stranger, assistant)] == [404, 403]
    assert [signed_in(user).post(rerun).status_code for user in (stranger, assistant, instructor)] == [404, 403, 403]
    again = signed_in(world.learner).post(rerun)
    assert (again.status_code, again.json()["rerun_of"]) == (201, job.pk)
    assert signed_in(instructor).post(cancel).json()["state"] == "CANCELLED"
    twice = signed_in(world.learner).post(cancel)
    assert (twice.status_code, twice.json()["code"]) == (409, "already_over")


@pytest.mark.parametrize("job_id", ["0", "999999999", "9223372036854775808", "99999999999999999999999999"])
def test_a_forged_id_is_not_found(world: World, job_id: str) -> None:
    client = signed_in(world.learner)
    for part in ("", "log/", "metrics/", "artifacts/", "artifacts/1/"):
        assert client.get(f"/api/v1/jobs/{job_id}/{part}").status_code == 404
    assert client.post(f"/api/v1/jobs/{job_id}/cancel/").status_code == 404


def test_the_log_comes_as_bytes_from_where_one_asks(world: World, finished: Any) -> None:
    client = signed_in(world.learner)
    whole = "하나\ntwo\n".encode()
    for start in (0, 1, 6, 7, 8, len(whole), 99):
        answer = client.get(f"/api/v1/jobs/{finished.pk}/log/", {"from": start})
        assert b"".join(answer.streaming_content) == whole[start:]  # type: ignore[attr-defined]
        assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"/api/v1/jobs/{finished.pk}/log/", {"from": "-1"}).status_code == 400
    assert client.get(f"/api/v1/jobs/{finished.pk}/log/", {"attempt": "2"}).status_code == 404


def test_metrics_come_from_where_one_asks(world: World, finished: Any) -> None:
    answer = signed_in(world.learner).get(f"/api/v1/jobs/{finished.pk}/metrics/", {"from": 1}).json()
    assert answer == {"points": [{"seq": 1, "run_s": 2.0, "values": {"loss": 2.0}}], "next": 2}


def test_what_a_program_wrote_is_only_ever_downloaded(world: World, finished: Any) -> None:
    client = signed_in(world.learner)
    (listed,) = client.get(f"/api/v1/jobs/{finished.pk}/artifacts/").json()
    answer = client.get(listed["url"])
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"  # type: ignore[attr-defined]


def test_artifacts_of_another_job_or_not_yet_published_are_not_found(world: World, finished: Any) -> None:
    other = world.submit()
    client = signed_in(world.learner)
    artifact = Artifact.objects.get()
    assert client.get(f"/api/v1/jobs/{other.pk}/artifacts/{artifact.pk}/").status_code == 404
    Artifact.objects.update(is_published=False)
    assert client.get(f"/api/v1/jobs/{finished.pk}/artifacts/{artifact.pk}/").status_code == 404


def test_a_job_says_what_became_of_it_and_why_it_waits(world: World, finished: Any) -> None:
    client = signed_in(world.learner)
    shown = client.get(f"/api/v1/jobs/{finished.pk}/").json()
    assert (shown["state"], shown["charged_s"], shown["wait"]) == ("SUCCEEDED", 13, None)
    assert [attempt["state"] for attempt in shown["attempts"]] == ["ENDED"]
    assert shown["events"][0]["kind"] == "SUBMITTED"
    queued = world.submit()
    assert client.get(f"/api/v1/jobs/{queued.pk}/").json()["wait"]["reason"] == "just_submitted"


def test_the_list_costs_the_same_for_one_job_and_for_twenty(world: World) -> None:
    client = signed_in(world.learner)
    counts = []
    for more in (1, 19):
        for _ in range(more):
            world.submit()
        with CaptureQueriesContext(connection) as seen:
            listed = client.get("/api/v1/jobs/").json()["results"]
        counts.append(len(seen))
    assert len(listed) == 20
    assert counts[0] == counts[1] <= 8


def test_the_list_is_ones_own_unless_one_teaches_and_asks(world: World) -> None:
    job = world.submit()
    teacher = signed_in(factories.staff(RoleGrant.Role.INSTRUCTOR, world.cohort_account.scope))
    assert teacher.get("/api/v1/jobs/").json()["results"] == []
    assert [one["id"] for one in teacher.get("/api/v1/jobs/", {"whose": "all"}).json()["results"]] == [job.pk]
    mine = signed_in(world.learner)
    assert mine.get("/api/v1/jobs/", {"state": "RUNNING"}).json()["results"] == []
    assert mine.get("/api/v1/jobs/", {"state": "WON"}).json()["errors"][0]["field"] == "state"


def test_what_is_on_offer_is_listed_and_the_withdrawn_is_not(world: World) -> None:
    Environment.objects.create(slug="new", name_ko="새것", digest="a" * 64)
    Environment.objects.create(slug="old", name_ko="옛것", digest="b" * 64, is_active=False)
    DataSet.objects.create(slug="mnist", name_ko="손글씨", digest="c" * 64, size_bytes=1, file_count=1)
    client = signed_in(world.learner)
    assert [one["slug"] for one in client.get("/api/v1/environments/").json()["results"]] == ["new"]
    assert [one["slug"] for one in client.get("/api/v1/data-sets/").json()["results"]] == ["mnist"]
