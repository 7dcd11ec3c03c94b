"""A lab may give its runs a share of a GPU: its default and its most, on its form, its page and by REST."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from courses.assignments.models import Lab
from labs.jobs import api as services
from labs.jobs.models import Job
from tests.access import world as worlds
from tests.jobs import build as jobs
from tests.jobs.test_pages import page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> worlds.World:
    """Its node shares its GPUs; its lab gives a quarter of one, and half of one at most."""
    made = worlds.build()
    services.hello(node=made.node, said=jobs.hello_of(boot_id="boot-shares", shares_gpus=True))
    Lab.objects.filter(pk=made.lab.pk).update(gpu_milli=250, max_gpu_milli=500, gpu_memory_mib=2048)
    return made


@pytest.fixture
def learner(world: worlds.World) -> Client:
    return page_of(world.learner)


def form(**changes: Any) -> dict[str, Any]:
    return {
        "files-0-path": "main.py", "files-0-text": "print(2)", "gpus": "0.25", "gpu_memory": "", "wall_minutes": "2",
        "key": "k",
    } | changes  # fmt: skip


def lab_form(world: worlds.World, **changes: Any) -> dict[str, Any]:
    return {
        "title": "실습", "brief": "", "environment": world.environment.pk, "entrypoint": "main.py", "gpus": "0.125",
        "max_gpus": "1", "gpu_type": "", "gpu_memory": "1.5", "wall_s": "1", "max_wall_s": "10", "main_metric": "",
        "files-0-path": "main.py", "files-0-text": "print(1)",
    } | changes  # fmt: skip


def test_the_labs_page_offers_its_share_up_to_its_most(world: worlds.World, learner: Client) -> None:
    answer = learner.get(f"/labs/{world.lab.pk}/")
    choices = dict(answer.context["form"].fields["gpus"].widget.choices)
    assert list(choices) == ["0.125", "0.25", "0.5"]
    html = answer.content.decode()
    assert '<option value="0.25" selected>1/4 GPU · 20 GiB</option>' in html
    assert "a quarter of a GPU" in html


def test_a_run_of_the_lab_gets_the_share_that_was_chosen(world: worlds.World, learner: Client) -> None:
    learner.post(f"/labs/{world.lab.pk}/runs/", form(gpus="0.5", gpu_memory="30"))
    job = Job.objects.get()
    assert (job.gpus, job.gpu_milli, job.gpu_memory_mib, job.hold_s) == (1, 500, 30 * 1024, 60)


def test_more_than_the_lab_allows_is_refused_in_words(world: worlds.World, learner: Client) -> None:
    answer = learner.post(f"/labs/{world.lab.pk}/runs/", form(gpus="1"))
    assert answer.status_code == 400
    assert answer.context["form"].errors["gpus"] == ["This lab allows at most 1/2 GPU."]
    assert Job.objects.count() == 0


def test_by_rest_what_is_left_out_is_the_labs_own(world: worlds.World, learner: Client) -> None:
    def post(**said: Any) -> Any:
        body = {"files": {"main.py": "print(1)"}, "lab": world.lab.pk} | said
        return learner.post("/api/v1/jobs/", body, content_type="application/json")

    own = post().json()
    assert (own["gpus"], own["gpu_milli"], own["gpu_memory_mib"]) == (1, 250, 2048)
    assert post(gpu_milli=500, gpu_memory_mib=4096).json()["gpu_memory_mib"] == 4096
    whole = post(gpus=1)
    assert (whole.status_code, [one["field"] for one in whole.json()["errors"]]) == (400, ["gpus"])
    (listed,) = [one for one in learner.get("/api/v1/labs/").json()["results"] if one["id"] == world.lab.pk]
    assert (listed["gpu_milli"], listed["max_gpu_milli"], listed["gpu_memory_mib"]) == (250, 500, 2048)


def test_a_sweep_of_the_lab_runs_on_its_shares(world: worlds.World, learner: Client) -> None:
    swept = form(**{"param-0-name": "lr", "param-0-values": "1, 2"})
    learner.post(f"/labs/{world.lab.pk}/runs/", swept)
    assert list(Job.objects.values_list("gpu_milli", "gpu_memory_mib")) == [(250, 2048)] * 2


def test_an_instructor_sets_the_labs_share(world: worlds.World) -> None:
    teacher = page_of(world.people["instructor"])
    url = f"/labs/{world.lab.pk}/edit/"
    html = teacher.get(url).content.decode()
    assert '<option value="0.25" selected>' in html
    assert '<option value="0.5" selected>' in html
    assert teacher.post(url, lab_form(world)).status_code == 302
    lab = Lab.objects.get(pk=world.lab.pk)
    assert (lab.gpus, lab.gpu_milli, lab.max_gpus, lab.max_gpu_milli, lab.gpu_memory_mib) == (1, 125, 1, 1000, 1536)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"gpus": "1", "max_gpus": "0.5"}, "max_gpus", "Allow at least as many as the default."),
        ({"gpus": "0.3"}, "gpus", "Choose how many GPUs, or a share of one in eighths."),
        ({"max_gpus": "9"}, "max_gpus", "Give a number from 1 to 8."),
        ({"gpus": "much"}, "gpus", "Choose how many GPUs, or a share of one in eighths."),
        ({"gpu_memory": "0"}, "gpu_memory", "Ask for some memory, or leave it empty."),
    ],
)
def test_a_share_that_makes_no_sense_is_refused(
    world: worlds.World, changes: dict[str, str], field: str, said: str
) -> None:
    answer = page_of(world.people["instructor"]).post(f"/labs/{world.lab.pk}/edit/", lab_form(world, **changes))
    assert answer.status_code == 400
    with translation.override("en"):
        assert answer.context["form"].errors[field] == [said]


@pytest.mark.parametrize(
    "changes",
    [
        {"gpus": 2, "max_gpus": 2},
        {"max_gpu_milli": 125},
        {"gpu_milli": 0},
        {"gpu_memory_mib": 0},
    ],
)
def test_the_database_keeps_a_labs_share_in_bounds(world: worlds.World, changes: dict[str, int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Lab.objects.filter(pk=world.lab.pk).update(**changes)
