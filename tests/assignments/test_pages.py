"""Pages of assignments: what each reader sees, how many queries they take, and what they never say."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campus.people.models import User
from courses.assignments import authoring
from courses.assignments.models import Assignment, GradingRun, Score, Submission
from courses.assignments.scores import Grading, save_score
from courses.assignments.testing import runs

from . import build

MOST = 20
HTML = b"<script>alert(1)</script><img src=x onerror=alert(2)> **fat**"


@pytest.fixture
def scene(db: Any) -> build.Scene:
    return build.scene()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def queries(client: Client, address: str) -> int:
    client.get(address)  # what a process keeps (content types, sites) is kept from here on
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def addresses(scene: build.Scene) -> dict[str, str]:
    pk, run = scene.assignment.pk, scene.world.run
    return {
        "list": reverse("assignments:list", args=[run.slug]),
        "submissions": reverse("assignments:submissions", args=[pk]),
        "desk": reverse("assignments:desk", args=[pk, scene.enrolment.pk]),
        "deadlines": reverse("assignments:deadlines", args=[pk]),
        "course": reverse("catalog:run", args=[run.slug]),
    }


def work_for(scene: build.Scene, learners: int) -> None:
    for _n in range(learners):
        learner = scene.another()
        scene.hand_in(user=learner.user)
        save_score(
            assignment=scene.assignment, enrolment=learner, version=0, actor=scene.instructor,
            grading=Grading({build.METHOD: build.Decimal(10), build.REPORT: build.Decimal(10)}),
        )  # fmt: skip


def test_pages_of_graders_take_the_same_queries_at_two_and_at_twenty_learners(scene: build.Scene) -> None:
    client = signed_in(scene.instructor)
    scene.hand_in()
    work_for(scene, 1)
    few = {name: queries(client, address) for name, address in addresses(scene).items()}
    work_for(scene, 17)
    assert {name: queries(client, address) for name, address in addresses(scene).items()} == few
    assert max(few.values()) <= MOST, few


def test_a_learners_pages_take_the_same_queries_at_one_and_at_twenty_assignments(scene: build.Scene) -> None:
    client = signed_in(scene.learner)
    pages = [*(addresses(scene)[name] for name in ("list", "course")), "/", "/api/v1/assignments/"]
    few = [queries(client, page) for page in pages]
    for n in range(19):
        authoring.open_assignment(module_id=scene.world.module.pk, actor=None, title=f"과제 {n}")
    assert [queries(client, page) for page in pages] == few
    assert max(few) <= MOST, few


def test_a_learner_reads_points_feedback_and_why_only_once_they_are_published(scene: build.Scene) -> None:
    scene.hand_in()
    client, address = signed_in(scene.learner), reverse("assignments:assignment", args=[scene.assignment.pk])
    grading = Grading({build.METHOD: build.Decimal(10), build.REPORT: build.Decimal(0)}, comment="근거가 좋습니다")
    save_score(
        assignment=scene.assignment, enrolment=scene.enrolment, version=0, grading=grading, actor=scene.instructor
    )
    assert "근거가 좋습니다" not in client.get(address).content.decode()
    publisher = signed_in(scene.instructor)
    assert publisher.post(reverse("assignments:publish", args=[scene.assignment.pk])).status_code == 302
    page = client.get(address).content.decode()
    assert "근거가 좋습니다" in page
    assert "Method" in page
    assert Score.objects.get().state == "PUBLISHED"


def test_results_come_to_the_page_that_waits_for_them(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    client = signed_in(scene.learner)
    pages = [reverse("assignments:assignment", args=[scene.assignment.pk])]
    assert client.get(pages[0], {"part": "results"}).status_code == 404
    build.suite_for(scene)
    with django_capture_on_commit_callbacks(execute=True):
        pages.append(reverse("assignments:submission", args=[scene.hand_in().pk]))
    for page in pages:
        assert "data-waits" in client.get(page).content.decode()
        part = client.get(page, {"part": "results"}).content.decode()
        assert "data-waits" in part
        assert "<html" not in part
    runs.finish_run(run_id=build.end_job(GradingRun.objects.get(), [], scene.world.node).pk)
    for page in pages:
        assert "data-waits" not in client.get(page, {"part": "results"}).content.decode()


def test_work_without_names_shows_no_name_to_its_graders(scene: build.Scene) -> None:
    scene.change(is_anonymous=True)
    scene.hand_in()
    client = signed_in(scene.instructor)
    for name in ("submissions", "desk"):
        page = client.get(addresses(scene)[name]).content.decode()
        assert scene.learner.name not in page
        assert scene.learner.email not in page


def test_the_slower_grader_sees_both_and_keeps_what_was_typed(scene: build.Scene) -> None:
    scene.hand_in()
    save_score(
        assignment=scene.assignment, enrolment=scene.enrolment, version=0, actor=scene.world.people["assistant"],
        grading=Grading({}, build.Decimal(31), "첫째의 말"),
    )  # fmt: skip
    said = {"version": "0", "given": "12", "comment": "둘째의 말", f"pick-{build.METHOD}": "5"}
    answer = signed_in(scene.instructor).post(addresses(scene)["desk"], said)
    page = answer.content.decode()
    assert answer.status_code == 409
    for text in ("31", "첫째의 말", "둘째의 말", 'value="12"', 'name="version" value="1"'):
        assert text in page
    assert Score.objects.get().raw == 31


@pytest.mark.parametrize(
    "said",
    [
        {"version": "x"},
        {f"pick-{build.METHOD}": "999"},
        {f"pick-{build.METHOD}": "NaN"},
        {"pick-1": "5"},
        {"given": "-1"},
        {"given": "1e9"},
    ],
)
def test_what_no_desk_sends_is_refused_and_changes_nothing(scene: build.Scene, said: dict[str, str]) -> None:
    scene.hand_in()
    answer = signed_in(scene.instructor).post(addresses(scene)["desk"], {"version": "0"} | said)
    assert answer.status_code == 400
    assert not Score.objects.exists()


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        (Assignment.Kind.TEXT, {"answer.md": HTML}),
        (Assignment.Kind.NOTEBOOK, {"a.ipynb": build.notebook(HTML.decode())}),
        (Assignment.Kind.FILE, {"page.html": HTML}),
    ],
)
def test_work_never_becomes_part_of_the_page_it_is_shown_in(scene: build.Scene, kind: str, files: Any) -> None:
    scene.change(kind=kind)
    made = scene.hand_in(files)
    page = signed_in(scene.learner).get(reverse("assignments:submission", args=[made.pk])).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    path = next(iter(files))
    sent = signed_in(scene.learner).get(reverse("assignments:file", args=[made.pk, path]))
    assert sent["Content-Type"] == "application/octet-stream"
    assert sent["Content-Disposition"].startswith("attachment")


def test_hidden_tests_are_in_no_answer_that_a_learner_gets(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    build.suite_for(scene)
    with django_capture_on_commit_callbacks(execute=True):
        made = scene.hand_in(build.BAD)
    run = GradingRun.objects.get()
    said = [{"name": name, "passed": False, "message": "SECRET-WORD"} for name in ("test_secret_of_zero",)]
    runs.finish_run(run_id=build.end_job(run, said, scene.world.node).pk)
    client = signed_in(scene.learner)
    pages = [
        f"/assignments/{scene.assignment.pk}/", f"/submissions/{made.pk}/", f"/submissions/{made.pk}/?part=results",
        f"/api/v1/submissions/{made.pk}/", "/api/v1/assignments/", "/api/v1/jobs/?whose=all", "/jobs/?whose=all",
    ]  # fmt: skip
    for page in pages:
        text = client.get(page).content.decode().lower()
        assert "secret" not in text, page
    answer = client.get(f"/api/v1/submissions/{made.pk}/").json()["tests"]
    assert (answer["hidden"], answer["hidden_passed"], [one["state"] for one in answer["visible"]]) == (
        1,
        0,
        ["silent"],
    )


def test_work_is_handed_in_over_rest_once(scene: build.Scene) -> None:
    client = signed_in(scene.learner)
    address = f"/api/v1/assignments/{scene.assignment.pk}/submissions/"
    body = {"files": {"main.py": "x = 1\n"}}
    first = client.post(address, body, content_type="application/json")
    assert first.status_code == 201
    assert client.get(f"/receipts/{first.json()['id']}/{first.json()['receipt']}/").status_code == 200
    again = client.post(address, body, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "same_files")
    assert Submission.objects.count() == 1
