"""The pages of sweeps: submitting from the form, following, comparing, and what they cost."""

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campus.people.models import RoleGrant
from labs.jobs import api as jobs
from labs.jobs.domain import parallel
from labs.jobs.models import Job, Sweep
from tests import factories
from tests.jobs.build import World, claimed, running, settle
from tests.jobs.sweeping import runs, sweep
from tests.jobs.test_pages import page_of, put
from tests.jobs.test_pages import settle as settle_all
from tests.jobs.test_pages_new import given

NEW = "/jobs/new/"
# On the sweep's page: the session and its person (2), roles (1), the sweep (1), its runs (1), notices (1).
MOST_QUERIES = 10


@pytest.fixture
def client(world: World) -> Client:
    return page_of(world.learner)


def rows(*pairs: tuple[str, str]) -> dict[str, str]:
    return {
        f"param-{n}-{part}": text for n, (name, values) in enumerate(pairs)
        for part, text in (("name", name), ("values", values))
    }  # fmt: skip


def finished(world: World, made: Sweep, results: list[float | None]) -> None:
    """Let the first runs of the sweep end, each with that accuracy; None fails."""
    node = world.node(gpus=8)
    for job, accuracy in zip(runs(made), results, strict=False):
        attempt = running(job, node)
        if accuracy is None:
            settle(attempt, exit_code=1)
        else:
            put(attempt, "metrics.json", json.dumps({"accuracy": accuracy, "loss": 1 - accuracy}).encode())
            settle_all(attempt)


def test_rows_of_parameters_become_a_sweep(world: World, client: Client) -> None:
    more = {"metric": "accuracy", "direction": "max", "max_running": "2"}
    answer = client.post(NEW, given(world, **rows(("lr", "0.1, 0.01"), ("", ""), ("seed", "1..3"))) | more)
    made = Sweep.objects.get()
    assert answer["Location"] == reverse("jobs:sweep", args=[made.pk])
    assert (made.grid, made.metric, made.max_running) == ({"lr": [0.1, 0.01], "seed": [1, 2, 3]}, "accuracy", 2)
    assert Job.objects.filter(sweep=made, source__files__has_key="main.py").count() == 6


def test_sending_the_sweep_twice_makes_one(world: World, client: Client) -> None:
    sent = given(world, **rows(("lr", "1, 2")))
    assert client.post(NEW, sent)["Location"] == client.post(NEW, sent)["Location"]
    client.post(NEW, given(world, **rows(("lr", "1, 2, 3"))))  # changed after going back: another sweep
    assert Sweep.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("1lr", "1", "“1lr” cannot be a parameter&#x27;s name"),
        ("lr", "", "“lr” has no values"),
        ("lr", "1,,2", "lr: There is nothing between two commas"),
        ("", "1, 2", "cannot be a parameter&#x27;s name"),
        ("seed", "1..999", "at most 256 values"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_and_what_was_typed_is_kept(
    world: World, client: Client, name: str, values: str, words: str
) -> None:
    answer = client.post(NEW, given(world, gpus="99", **rows((name, values), ("kept", "a, b"))))
    html = answer.content.decode()
    assert answer.status_code == 400
    assert words in html
    assert 'value="a, b"' in html
    assert not Job.objects.exists()


def test_too_many_runs_are_refused_with_their_number(world: World, client: Client) -> None:
    answer = client.post(NEW, given(world, **rows(("a", "1..20"), ("b", "1..20"))))
    assert "That makes 400 runs; a sweep has at most 256." in answer.content.decode()


def test_a_sweep_that_does_not_fit_says_how_many_would_and_keeps_all(world: World, client: Client) -> None:
    answer = client.post(NEW, given(world, wall_minutes="60", **rows(("seed", "1..30"))))
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "20 of 30 runs would fit" in html
    assert 'value="1..30"' in html or 'value="1, 2' in html
    assert not Sweep.objects.exists()


def test_without_scripts_a_button_shows_what_the_sweep_would_hold(world: World, client: Client) -> None:
    world.node(gpus=2)
    html = client.post(NEW, given(world, check="1", **rows(("lr", "1, 2, 3"), ("seed", "1, 2")))).content.decode()
    assert "<strong>6 runs</strong>" in html
    assert "1 GPU-h" in html
    assert not Job.objects.exists()


def test_as_the_form_changes_the_forecast_counts_runs_and_says_what_is_wrong(world: World, client: Client) -> None:
    world.node(gpus=2)
    asked = {"gpus": "1", "wall_minutes": "10", **rows(("lr", "1, 2, 3"))}
    html = client.get(reverse("scheduling:forecast"), asked).content.decode()
    assert "<strong>3 runs</strong>" in html
    assert "at once, with 2 runs" in html
    wrong = client.get(reverse("scheduling:forecast"), asked | rows(("lr", "1, 1")))
    assert wrong.status_code == 400
    assert "twice" in wrong.content.decode()


def test_the_form_begins_with_the_sweep_that_is_edited(world: World, client: Client) -> None:
    made = sweep(world, metric="loss", direction="min", max_running=3)
    html = client.get(NEW, {"from": runs(made)[0].pk, "sweep": "1"}).content.decode()
    assert 'value="0.1, 0.01"' in html
    assert 'value="adam, sgd, rmsprop"' in html
    assert 'value="loss"' in html
    alone = client.get(NEW, {"from": runs(made)[0].pk}).content.decode()
    assert 'value="0.1, 0.01"' not in alone
    assert "lr=0.1" in alone


def test_parameters_keep_the_order_in_which_they_were_given(world: World, client: Client) -> None:
    made = sweep(world, grid={"zoom": [1, 2], "a": [3, 4]}, metric="accuracy")
    finished(world, made, [0.1, 0.2, 0.3, 0.4])
    html = client.get(NEW, {"from": runs(made)[0].pk, "sweep": "1"}).content.decode()
    assert html.index('value="zoom"') < html.index('value="a"')
    answer = client.get(reverse("jobs:sweep", args=[made.pk]))
    assert answer.context["best"].told == [("zoom", 2), ("a", 4)]
    assert [axis.name for axis in answer.context["picture"].axes] == ["zoom", "a", "accuracy"]


def test_a_run_that_is_edited_and_run_alone_keeps_its_parameters(world: World, client: Client) -> None:
    job = runs(sweep(world))[0]
    client.post(f"{NEW}?from={job.pk}", given(world))
    again = Job.objects.order_by("-id")[0]
    assert (again.parameters, again.sweep) == (job.parameters, None)


def test_a_job_waits_for_the_one_that_the_form_names(world: World, client: Client) -> None:
    first = world.submit(title="Prepare")
    assert "Prepare" in client.get(NEW, {"after": first.pk}).content.decode()
    client.post(NEW, given(world, after=first.pk, after_condition="afterany"))
    second = Job.objects.order_by("-id")[0]
    assert [(one.after_id, one.condition) for one in second.dependencies.all()] == [(first.pk, "afterany")]
    for job, words in ((first, "Waits for this one to end"), (second, "Starts after this is over")):
        assert words in client.get(reverse("jobs:job", args=[job.pk])).content.decode()


def test_another_persons_job_cannot_be_chosen_to_wait_for(world: World, client: Client) -> None:
    other, account = world.another_learner()
    theirs = world.submit(owner=other, account_id=account.pk)
    assert client.post(NEW, given(world, after=theirs.pk)).status_code == 400


def test_the_page_marks_the_best_run_and_draws_those_that_have_a_result(world: World, client: Client) -> None:
    made = sweep(world, metric="accuracy")
    finished(world, made, [0.7, 0.9, None, 0.8])
    html = client.get(reverse("jobs:sweep", args=[made.pk])).content.decode()
    assert html.count('<polyline class="run-line') == 3
    assert html.count("is-best") == 2  # its line and its row
    best = runs(made)[1]
    row = html[html.index(f'id="run-{best.pk}"') :].split("</tr>")[0]
    assert "Best" in row
    assert "0.9" in row
    assert "4 of 6 runs are over" in html
    assert "Run 1 failed run again" in html


def test_the_lowest_is_best_where_the_sweep_says_so(world: World, client: Client) -> None:
    made = sweep(world, metric="loss", direction="min")
    finished(world, made, [0.7, 0.9, 0.8, 0.1, 0.2, 0.3])
    html = client.get(reverse("jobs:sweep", args=[made.pk])).content.decode()
    assert "Run 2 did best: loss 0.1" in html


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", [1, 2, 3, 4]), ("-place", [4, 3, 2, 1]), ("r0", [1, 4, 2, 3]), ("-r0", [2, 4, 1, 3]),
        ("p1", [1, 4, 3, 2]), ("p9", [1, 2, 3, 4]), ("r99", [1, 2, 3, 4]), ("p-1", [1, 2, 3, 4]),
        ("x" * 99, [1, 2, 3, 4]),
    ],
)  # fmt: skip
def test_runs_sort_by_any_column_and_those_without_a_value_stand_last(
    world: World, client: Client, sort: str, order: list[int]
) -> None:
    made = sweep(world, grid={"a": [1], "word": ["b", "z", "x", "c"]}, metric="accuracy")
    finished(world, made, [0.7, 0.9, None, 0.8])
    answer = client.get(reverse("jobs:sweep", args=[made.pk]), {"sort": sort})
    assert [run.place for run in answer.context["runs"]] == order


@pytest.mark.parametrize("part", ["", "live"])
def test_the_page_costs_the_same_for_1_20_and_256_runs(world: World, client: Client, part: str) -> None:
    counts = []
    for size in (1, 20, 256):
        made = sweep(world, grid={"seed": list(range(size))}, wall_s=10, metric="accuracy")
        Job.objects.filter(sweep=made).update(
            state="SUCCEEDED", ended_at=made.submitted_at, result={"accuracy": 0.5, "loss": 1}
        )
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(reverse("jobs:sweep", args=[made.pk]), {"part": part} if part else {})
        assert len(answer.context["runs"]) == size
        counts.append(len(queries))
        _undo(made)
    assert counts[0] == counts[1] == counts[2] <= MOST_QUERIES


def _undo(made: Sweep) -> None:
    """Let the runs be open again and cancel them, for the invariants."""
    Job.objects.filter(sweep=made).update(state="QUEUED", ended_at=None, result={})
    jobs.cancel_sweep(sweep_id=made.pk, actor=made.owner)


def test_the_list_costs_the_same_for_1_and_20_sweeps(world: World, client: Client) -> None:
    counts = []
    for more in (1, 19):
        for _n in range(more):
            sweep(world, grid={"seed": [1, 2]}, wall_s=10)
        with CaptureQueriesContext(connection) as queries:
            html = client.get(reverse("jobs:sweeps")).content.decode()
        counts.append(len(queries))
    assert html.count('data-label="Runs"') == 20
    assert counts[0] == counts[1] <= MOST_QUERIES


def test_the_list_of_jobs_leaves_runs_of_sweeps_to_their_page(world: World, client: Client) -> None:
    sweep(world)
    alone = world.submit(title="By itself")
    answer = client.get(reverse("jobs:list"))
    assert [job.pk for job in answer.context["page_obj"]] == [alone.pk]


def test_the_csv_has_every_run_and_no_formula(world: World, client: Client) -> None:
    made = sweep(world, grid={"note": ["=1+1", "plain"]}, metric="accuracy")
    finished(world, made, [0.5])
    answer = client.get(reverse("jobs:sweep-csv", args=[made.pk]))
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0] == ["place", "job", "state", "note", "accuracy", "loss", "gpus", "charged_gpu_s"]
    assert [line[2:5] for line in lines[1:]] == [["SUCCEEDED", "'=1+1", "0.5"], ["QUEUED", "plain", ""]]


def test_cancelling_and_running_again_ask_once_and_then_do(world: World, client: Client) -> None:
    made = sweep(world)
    finished(world, made, [None, 0.5])
    rerun, cancel = (reverse(f"jobs:sweep-{name}", args=[made.pk]) for name in ("rerun", "cancel"))
    for url in (rerun, cancel):
        assert client.get(url).status_code == 200
    assert Job.objects.count() == 6
    client.post(rerun)
    assert Job.objects.count() == 7
    client.post(cancel)
    assert set(Job.objects.filter(sweep=made).values_list("state", flat=True)) == {"FAILED", "SUCCEEDED", "CANCELLED"}


def test_running_again_with_nothing_failed_says_so(world: World, client: Client) -> None:
    made = sweep(world)
    answer = client.post(reverse("jobs:sweep-rerun", args=[made.pk]), follow=True)
    assert "No run of this sweep has failed." in answer.content.decode()


def test_two_runs_are_compared_with_their_parameters(world: World, client: Client) -> None:
    first, second = runs(sweep(world, grid={"lr": [0.5, 0.25]}))
    rows_shown = client.get(reverse("jobs:compare"), {"job": [first.pk, second.pk]}).context["settings"]
    assert {"name": "lr", "a": "0.5", "b": "0.25", "differs": True} in rows_shown


def test_staff_may_look_and_cancel_but_not_spend(world: World) -> None:
    made = sweep(world)
    instructor = page_of(factories.staff(RoleGrant.Role.INSTRUCTOR, world.account.scope))
    html = instructor.get(reverse("jobs:sweep", args=[made.pk])).content.decode()
    assert reverse("jobs:sweep-cancel", args=[made.pk]) in html
    assert NEW not in html[html.index("<main") :]
    assert world.learner.name in html


def test_a_run_links_its_sweep_and_shows_its_parameters(world: World, client: Client) -> None:
    made = sweep(world)
    html = client.get(reverse("jobs:job", args=[runs(made)[0].pk])).content.decode()
    assert reverse("jobs:sweep", args=[made.pk]) in html
    assert "optimizer=adam" in html


def test_a_job_that_could_not_follow_says_which_one_failed(world: World, client: Client) -> None:
    first = world.submit()
    second = world.submit(after=(jobs.After(first.pk),))
    settle(claimed(first, world.node()), exit_code=1)
    jobs.reconcile()
    html = client.get(reverse("jobs:job", args=[second.pk])).content.decode()
    assert f"#{first.pk}, which it was to follow, did not succeed" in html


def drawn(values: list[tuple[Any, ...]], names: tuple[str, ...] = ("lr", "accuracy")) -> parallel.Picture:
    return parallel.draw(names, [(n, row) for n, row in enumerate(values)], is_higher_better=True, best=1)


def test_learning_rates_are_spread_by_powers_and_the_best_line_lies_on_top() -> None:
    picture = drawn([(0.1, 0.2), (0.01, 0.9), (0.001, 0.5)])
    assert [axis.is_log for axis in picture.axes] == [True, False]
    heights = {line.key: float(line.points.split()[0].split(",")[1]) for line in picture.lines}
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2, abs=0.2)
    assert (picture.lines[-1].key, picture.lines[-1].is_best) == (1, True)


@pytest.mark.parametrize(
    "values",
    [
        [], [(1, 1)], [(1, 1), (1, 1)], [("a", 1), ("b", 2)], [(True, 1), (False, 2)], [(None, 1), (2, 2)],
        [("1", 1), (1, 2)], [(0, 0.0), (-5, 1e300)], [(1, float("nan")), (2, 1)], [(n, n) for n in range(256)],
    ],
)  # fmt: skip
def test_every_point_lies_within_the_picture(values: list[tuple[Any, ...]]) -> None:
    picture = drawn(values)
    for line in picture.lines:
        for point in line.points.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= picture.width
            assert picture.top <= y <= picture.bottom
    assert all(0 <= line.band < parallel.BANDS for line in picture.lines)
