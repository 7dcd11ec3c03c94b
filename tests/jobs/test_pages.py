"""The pages of jobs: who sees them, what they show of a job at each point of its life, and what they cost."""

import hashlib
import io
import json
import re
import zlib
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campus.people.models import RoleGrant, User
from labs.jobs import api as jobs
from labs.jobs.models import Artifact, Attempt, Job
from labs.jobs.services.lost import lose_attempt
from tests import factories
from tests.jobs import build
from tests.jobs.build import World

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24
HOSTILE = "<script>alert(1)</script>"


def page_of(user: User, language: str = "en") -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["campus_language"] = language
    return client


def put(attempt: Attempt, path: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    jobs.store_artifact(attempt=attempt, fence=attempt.fence, path=path, digest=digest, body=io.BytesIO(content))


def settle(attempt: Attempt, **said: Any) -> str:
    """End the attempt with all that was stored for it."""
    stored = Artifact.objects.filter(attempt=attempt).values("path", "size_bytes", "digest")
    return build.settle(attempt, artifacts=list(stored), **said)


def shown(world: World, job: Job, user: User | None = None, **query: str) -> str:
    answer = page_of(user or world.learner).get(reverse("jobs:job", args=[job.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def instructor(world: World) -> User:
    return factories.staff(RoleGrant.Role.INSTRUCTOR, world.account.scope)


def test_a_job_is_seen_by_its_owner_and_their_staff_and_is_not_there_for_anyone_else(
    world: World, instructor: User
) -> None:
    job = world.submit()
    stranger, _account = world.another_learner()
    seen = {}
    for name in ("job", "log", "cancel", "rerun"):
        url = reverse(f"jobs:{name}", args=[job.pk])
        seen[name] = [page_of(user).get(url).status_code for user in (world.learner, instructor, stranger)]
    # The log is not there yet for anybody; a rerun would spend the owner's time, so staff may not.
    assert seen == {
        "job": [200, 200, 404], "log": [404, 404, 404], "cancel": [200, 200, 404], "rerun": [200, 403, 404]
    }  # fmt: skip


def test_staff_get_no_button_that_spends_the_owners_time(world: World, instructor: User) -> None:
    job = world.submit()
    rerun = reverse("jobs:rerun", args=[job.pk])
    assert rerun in shown(world, job)
    assert rerun not in shown(world, job, instructor)
    assert world.learner.name in shown(world, job, instructor)


def test_a_waiting_job_says_why_what_ends_it_its_place_and_its_start(world: World) -> None:
    world.node(gpus=1)
    first, second = world.submit(), world.submit()
    Job.objects.filter(pk=second.pk).update(wait_reason="behind_others", queue_place=2)
    html = shown(world, second)
    assert "1 job that can use the same GPUs goes before it." in html
    assert "It moves up each time one of them starts." in html
    assert "Place in the queue" in html
    assert first.pk != second.pk


def test_a_running_job_shows_its_time_against_its_limit_its_log_and_its_metrics(world: World) -> None:
    attempt = build.running(world.submit(), world.node())
    jobs.append_log(attempt=attempt, fence=attempt.fence, start=0, content=b"epoch 1\n")
    jobs.append_metrics(
        attempt=attempt, fence=attempt.fence, first_seq=0, points=[{"run_s": 0.5, "values": {"loss": 0.25}}]
    )
    html = shown(world, attempt.job)
    assert 'data-wall="600"' in html
    assert "epoch 1" in html
    assert '[{"loss": 0.25}]' in html
    assert 'data-points-seq="1"' in html


def test_an_ended_job_shows_results_artifacts_and_ledger(world: World) -> None:
    attempt = build.running(world.submit(), world.node())
    put(attempt, "metrics.json", json.dumps({"accuracy": 0.97222, "fine": True}).encode())
    put(attempt, "confusion.png", PNG)
    put(attempt, "notes.txt", b"the start of a text")
    put(attempt, "model.pkl", b"\x80\x04")
    settle(attempt)
    html = shown(world, attempt.job)
    picture = Artifact.objects.get(path="confusion.png")
    assert f"{reverse('jobs:artifact', args=[attempt.job_id, picture.pk])}?preview=1" in html
    assert "0.9722" in html
    assert "the start of a text" in html
    assert "model.pkl" in html
    assert "13 GPU-s" in html  # 12.3 s on one GPU, rounded up


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"reason": "EXITED", "exit_code": 3}, "The program ended with exit code 3"),
        ({"reason": "OUT_OF_MEMORY", "exit_code": None}, "Use smaller batches"),
        ({"reason": "TIMED_OUT", "exit_code": None}, "Give it a longer time limit"),
        ({"reason": "OUTPUT_FLOOD", "exit_code": None}, "Print less"),
    ],
)
def test_a_bad_end_says_what_happened_and_what_to_do(world: World, said: dict[str, Any], words: str) -> None:
    attempt = build.running(world.submit(), world.node())
    settle(attempt, **said)
    assert words in shown(world, attempt.job)


def test_a_lost_attempt_is_shown_with_its_refund(world: World) -> None:
    attempt = build.running(world.submit(), world.node())
    Attempt.objects.filter(pk=attempt.pk).update(started_at=attempt.assigned_at)
    lose_attempt(attempt_id=attempt.pk, cause="lease_expired")
    attempt.refresh_from_db()
    html = shown(world, attempt.job)
    if attempt.lost_s:
        assert "The platform lost time, and gave it back" in html
    else:
        assert "The platform lost a try before it started" in html
    assert f"?attempt={attempt.number}" in html


def test_what_a_job_says_never_becomes_markup(world: World) -> None:
    job = world.submit(title=HOSTILE, files={f"{HOSTILE}.py".replace("/", "_"): b"pass\n", "main.py": HOSTILE.encode()})
    attempt = build.running(job, world.node())
    jobs.append_log(attempt=attempt, fence=attempt.fence, start=0, content=f"\x1b[31m{HOSTILE}\x1b[0m".encode())
    values = {"loss": 1.0, HOSTILE[:60]: 1.0}
    jobs.append_metrics(attempt=attempt, fence=attempt.fence, first_seq=0, points=[{"run_s": 0.5, "values": values}])
    put(attempt, "metrics.json", json.dumps({HOSTILE: HOSTILE}).encode())
    put(attempt, "a<script>.txt", HOSTILE.encode())
    settle(attempt, detail=HOSTILE, skipped=[(HOSTILE, HOSTILE)])
    other = world.submit(title=HOSTILE)
    pages = [
        shown(world, job),
        shown(world, job, part="live"),
        page_of(world.learner).get(reverse("jobs:list")).content.decode(),
        page_of(world.learner).get(reverse("jobs:compare"), {"a": job.pk, "b": other.pk}).content.decode(),
        page_of(world.learner).get(reverse("jobs:new"), {"from": job.pk}).content.decode(),
    ]
    for html in pages:
        assert "<script>alert" not in html
        assert "a<script>" not in html
        assert "\x1b" not in html


def test_the_log_is_downloaded_to_the_byte(world: World) -> None:
    attempt = build.running(world.submit(), world.node())
    content = b"a\r\nb\x00\xff\x1b[31m" + "한글\n".encode()
    jobs.append_log(attempt=attempt, fence=attempt.fence, start=0, content=content[:7])
    jobs.append_log(attempt=attempt, fence=attempt.fence, start=7, content=content[7:])
    answer = page_of(world.learner).get(reverse("jobs:log", args=[attempt.job_id]))
    assert b"".join(answer.streaming_content) == content
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment")


def test_the_page_carries_the_beginning_of_a_long_log_and_says_that_there_is_more(world: World) -> None:
    attempt = build.running(world.submit(), world.node())
    chunk = b"x" * (200 * 1024)
    for number in range(4):
        jobs.append_log(attempt=attempt, fence=attempt.fence, start=number * len(chunk), content=chunk)
    settle(attempt)
    html = shown(world, attempt.job)
    assert re.search(r"data-log [^>]*\bdata-closed(?![-\w])", html) is None
    assert "544 KB more are in the download." in html
    assert len(html) < 800_000


def test_pictures_are_shown_and_everything_else_is_only_ever_downloaded(world: World) -> None:
    attempt = build.running(world.submit(), world.node())
    kinds = {"p.png": PNG, "fake.png": b"<html>", "page.html": b"<script>", "drawing.svg": b"<svg onload='x'/>"}
    for path, content in kinds.items():
        put(attempt, path, content)
    settle(attempt)
    client = page_of(world.learner)
    answers = {}
    for artifact in Artifact.objects.filter(attempt=attempt):
        answer = client.get(reverse("jobs:artifact", args=[attempt.job_id, artifact.pk]) + "?preview=1")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert b"".join(answer.streaming_content) == kinds[artifact.path]
        answers[artifact.path] = (answer["Content-Type"], answer["Content-Disposition"].split(";")[0])
    download = ("application/octet-stream", "attachment")
    assert answers == {
        "p.png": ("image/png", "inline"), "fake.png": download, "page.html": download, "drawing.svg": download
    }  # fmt: skip


def test_artifacts_of_another_job_or_not_yet_published_are_not_there(world: World) -> None:
    attempt = build.running(world.submit(), world.node())
    put(attempt, "a.txt", b"x")
    other = world.submit()
    artifact = Artifact.objects.get()
    client = page_of(world.learner)
    assert client.get(reverse("jobs:artifact", args=[attempt.job_id, artifact.pk])).status_code == 404
    settle(attempt)
    assert client.get(reverse("jobs:artifact", args=[attempt.job_id, artifact.pk])).status_code == 200
    assert client.get(reverse("jobs:artifact", args=[other.pk, artifact.pk])).status_code == 404
    assert client.get(f"/jobs/{attempt.job_id}/artifacts/{2**63}/").status_code == 404


def test_the_live_part_is_the_server_s_own_words_for_the_present(world: World) -> None:
    job = world.submit()
    assert 'data-state="QUEUED"' in shown(world, job, part="live")
    attempt = build.running(job, world.node())
    running = shown(world, job, part="live")
    assert "Running on" in running
    assert "<html" not in running
    settle(attempt)
    assert 'data-state="SUCCEEDED"' in shown(world, job, part="live")


def test_cancelling_asks_once_and_then_cancels(world: World) -> None:
    job = world.submit()
    client = page_of(world.learner)
    url = reverse("jobs:cancel", args=[job.pk])
    assert "Cancel this job?" in client.get(url).content.decode()
    job.refresh_from_db()
    assert job.state == "QUEUED"
    assert client.post(url).status_code == 302
    job.refresh_from_db()
    assert job.state == "CANCELLED"
    assert url not in shown(world, job)


def test_running_again_makes_a_new_job_that_says_what_it_repeats(world: World) -> None:
    job = world.submit()
    answer = page_of(world.learner).post(reverse("jobs:rerun", args=[job.pk]))
    again = Job.objects.exclude(pk=job.pk).get()
    assert answer["Location"] == reverse("jobs:job", args=[again.pk])
    html = shown(world, again)
    assert f"{reverse('jobs:compare')}?a={job.pk}&amp;b={again.pk}" in html


def test_running_again_without_enough_time_left_leads_to_the_form_with_everything_in_it(world: World) -> None:
    job = world.submit(wall_s=36_000)
    world.submit(wall_s=36_000)
    answer = page_of(world.learner).post(reverse("jobs:rerun", args=[job.pk]), follow=True)
    assert answer.redirect_chain == [(f"{reverse('jobs:new')}?from={job.pk}", 302)]
    assert f"“{world.learner.name}” has 0 GPU-h left" in answer.content.decode()


# --- the list


def test_the_list_shows_ones_own_jobs_and_staff_may_see_those_they_teach(world: World, instructor: User) -> None:
    mine = world.submit(title="Of one learner")
    url = reverse("jobs:list")
    assert "Of one learner" in page_of(world.learner).get(url).content.decode()
    stranger, _account = world.another_learner()
    assert "Of one learner" not in page_of(stranger).get(url, {"whose": "all"}).content.decode()
    assert "Of one learner" not in page_of(instructor).get(url).content.decode()
    of_all = page_of(instructor).get(url, {"whose": "all"}).content.decode()
    assert f'id="job-{mine.pk}"' in of_all
    assert world.learner.name in of_all


def test_the_list_is_filtered_by_state(world: World) -> None:
    waiting = world.submit()
    attempt = build.running(world.submit(), world.node())
    settle(attempt)
    client = page_of(world.learner)
    ids = {}
    for state in ("", "open", "succeeded", "failed", "nonsense"):
        page = client.get(reverse("jobs:list"), {"state": state}).context["page_obj"]
        ids[state] = [job.pk for job in page]
    both = [attempt.job_id, waiting.pk]
    assert ids == {
        "": both, "open": [waiting.pk], "succeeded": [attempt.job_id], "failed": [], "nonsense": both
    }  # fmt: skip


def test_the_list_costs_the_same_for_one_job_and_for_twenty(
    world: World, instructor: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for user, query in ((world.learner, ""), (instructor, "?whose=all")):
        for wanted in (1, 20):
            while Job.objects.count() < wanted:
                world.submit()
            client = page_of(user)
            # Session, user, roles, count, page.
            with django_assert_num_queries(5):
                assert client.get(reverse("jobs:list") + query).status_code == 200


def test_the_job_page_costs_the_same_with_many_tries_and_many_artifacts(
    world: World, django_assert_max_num_queries: Any
) -> None:
    node = world.node()
    job = world.submit()
    for _loss in range(2):
        lose_attempt(attempt_id=build.running(job, node).pk, cause="lease_expired")
    attempt = build.running(job, node)
    for number in range(40):
        put(attempt, f"out/{number}.txt", b"text")
    points = [{"run_s": float(n), "values": {"loss": 1.0 / (n + 1)}} for n in range(50)]
    jobs.append_metrics(attempt=attempt, fence=attempt.fence, first_seq=0, points=points)
    settle(attempt)
    client = page_of(world.learner)
    with django_assert_max_num_queries(16):
        assert client.get(reverse("jobs:job", args=[job.pk])).status_code == 200


def test_more_points_than_a_chart_can_show_are_thinned_evenly_and_the_last_one_stays(world: World) -> None:
    attempt = build.running(world.submit(), world.node())
    for first in range(0, 2500, 250):
        points = [{"run_s": float(n), "values": {"step": n}} for n in range(first, first + 250)]
        jobs.append_metrics(attempt=attempt, fence=attempt.fence, first_seq=first, points=points)
    client = page_of(world.learner)
    metrics = client.get(reverse("jobs:job", args=[attempt.job_id])).context["metrics"]
    steps = [point["step"] for point in metrics.points]
    assert steps == [*range(0, 2500, 3), *([2499] if 2499 % 3 else [])]
    assert metrics.next_seq == 2500


# --- two side by side


def ended_with(world: World, result: dict[str, Any], **wishes: Any) -> Job:
    job = world.submit(**wishes)
    attempt = build.running(job, world.node())
    put(attempt, "metrics.json", json.dumps(result).encode())
    settle(attempt)
    return job


def test_two_runs_are_compared_by_results_settings_and_code(world: World) -> None:
    first = ended_with(world, {"accuracy": 0.9, "note": "a"})
    second = ended_with(world, {"accuracy": 0.95, "extra": 1}, wall_s=900, files={"main.py": b"print('hi')\n"})
    answer = page_of(world.learner).get(reverse("jobs:compare"), {"a": first.pk, "b": second.pk})
    html = answer.content.decode()
    assert "+0.05" in html
    assert "+5.6%" in html
    assert {row["name"] for row in answer.context["settings"] if row["differs"]} == {"Time limit", "Node"}
    assert "-print(&#x27;hello&#x27;)" in html
    assert "+print(&#x27;hi&#x27;)" in html


def test_comparing_another_persons_job_is_not_possible(world: World) -> None:
    mine = world.submit()
    stranger, account = world.another_learner()
    theirs = world.submit(owner=stranger, account_id=account.pk)
    client = page_of(world.learner)
    assert client.get(reverse("jobs:compare"), {"a": mine.pk, "b": theirs.pk}).status_code == 404


def test_ticking_two_compares_them_older_first_and_any_other_number_asks_again(world: World) -> None:
    first, second = world.submit(), world.submit()
    client = page_of(world.learner)
    answer = client.get(reverse("jobs:compare"), {"job": [second.pk, first.pk]})
    assert (answer.context["first"], answer.context["second"]) == (first, second)
    for ticked in ([], [first.pk], [first.pk, first.pk]):
        answer = client.get(reverse("jobs:compare"), {"job": ticked}, follow=True)
        assert answer.redirect_chain == [(reverse("jobs:list"), 302)]
        assert "Tick exactly two runs" in answer.content.decode()


def test_binary_files_that_differ_are_named_not_dumped(world: World) -> None:
    first = world.submit(files={"main.py": b"pass\n", "w.bin": b"\xff\x00" + zlib.compress(b"1" * 99)})
    second = world.submit(files={"main.py": b"pass\n", "w.bin": b"\xff\x01"})
    html = page_of(world.learner).get(reverse("jobs:compare"), {"a": first.pk, "b": second.pk}).content.decode()
    assert "It is no text, and its content differs." in html


def test_a_job_that_was_started_says_what_its_turn_was_made_of(world: World) -> None:
    job, node = world.submit(), world.node()
    assert "Why it was its turn" not in shown(world, job)
    jobs.start_attempts(
        [
            jobs.Placement(
                job.pk,
                node.pk,
                [node.gpus.get(index=0).pk],
                {"age": 0.0, "shortness": 9.5, "trial": 3.0, "total": 12.5, "is_backfilled": True},
            )
        ]
    )
    page = shown(world, job)
    for words in ("Why it was its turn", "First of several alike", "3.00", "12.50", "It filled a gap"):
        assert words in page
    assert "Time waited" not in page
