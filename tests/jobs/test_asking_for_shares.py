"""Asking for a share of a GPU: on the new-job page, in a sweep, by REST, and what the forecast says of it."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from infra.pool.models import Node
from labs.jobs.domain.asks import GpuAsk
from labs.jobs.models import Job
from tests.jobs.build import World
from tests.jobs.test_pages import page_of
from tests.jobs.test_pages_new import URL, given

FORECAST = "/scheduling/forecast/"


@pytest.fixture
def client(world: World) -> Client:
    return page_of(world.learner)


@pytest.fixture
def shared(world: World) -> Node:
    """A node of two H100s with 80 GiB that lets jobs share them."""
    node = world.node()
    node.shares_gpus = True
    node.save(update_fields=["shares_gpus"])
    return node


def offered(client: Client, url: str = URL) -> dict[str, str]:
    return dict(client.get(url).context["form"].fields["gpus"].widget.choices)


@pytest.mark.parametrize(
    ("text", "ask"),
    [("1", GpuAsk(1)), ("8", GpuAsk(8)), ("0.25", GpuAsk(1, 250)), (" .125 ", GpuAsk(1, 125)), ("0", GpuAsk(0))],
)
def test_an_ask_is_read_as_it_is_written(text: str, ask: GpuAsk) -> None:
    assert GpuAsk.of(text) == ask


@pytest.mark.parametrize("text", ["", "x", "1.5", "-0.5", "0.0001", "1e9", "NaN", "sNaN", "Infinity", "1/4"])
def test_what_is_no_number_of_gpus_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        GpuAsk.of(text)
    assert refused.value.args == (text,)


def test_an_ask_is_written_as_it_is_read() -> None:
    for ask in (GpuAsk(1), GpuAsk(10), GpuAsk(1, 125), GpuAsk(1, 500)):
        assert GpuAsk.of(ask.text) == ask


def test_shares_are_offered_with_their_memory_where_a_node_shares_its_gpus(client: Client, shared: Node) -> None:
    choices = offered(client)
    assert list(choices) == ["0.125", "0.25", "0.5", *map(str, range(1, 9))]
    assert (choices["0.25"], choices["1"], choices["2"]) == ("1/4 GPU · 20 GiB", "1 GPU · 80 GiB", "2 GPUs")
    assert "A share of one GPU costs only its part" in client.get(URL).content.decode()


def test_no_share_is_offered_where_no_node_shares_its_gpus(world: World, client: Client) -> None:
    world.node()
    assert list(offered(client)) == [*map(str, range(1, 9))]
    assert "A share of one GPU" not in client.get(URL).content.decode()


def test_the_memory_is_not_told_where_it_depends_on_the_type(world: World, client: Client, shared: Node) -> None:
    other = world.node(gpu_type="nvidia-a100")
    other.gpus.update(memory_mib=40_960)
    assert offered(client)["0.25"] == "1/4 GPU"
    assert "1/4 GPU, at least 20 GiB" in client.get(FORECAST, {"gpus": "0.25", "wall_s": 600}).content.decode()


def test_a_share_becomes_a_job_that_holds_its_part(world: World, client: Client, shared: Node) -> None:
    client.post(URL, given(world, gpus="0.25", gpu_memory="10", wall_minutes="10"))
    job = Job.objects.get()
    assert (job.gpus, job.gpu_milli, job.gpu_memory_mib, job.hold_s) == (1, 250, 10_240, 150)


def test_whole_gpus_are_asked_for_as_before(world: World, client: Client, shared: Node) -> None:
    client.post(URL, given(world, gpus="2"))
    job = Job.objects.get()
    assert (job.gpus, job.gpu_milli, job.gpu_memory_mib) == (2, 1000, None)


def test_a_share_that_nobody_lets_it_have_is_refused_and_kept_on_the_page(world: World, client: Client) -> None:
    world.node()
    answer = client.post(URL, given(world, gpus="0.25"))
    html = answer.content.decode()
    assert answer.status_code == 400
    assert answer.context["form"].errors["gpus"] == [
        "No node that could run it lets jobs share a GPU. Ask for a whole one."
    ]
    assert '<option value="0.25" selected>1/4 GPU</option>' in html


def test_memory_that_no_gpu_has_is_refused_with_the_most_there_is(world: World, client: Client, shared: Node) -> None:
    answer = client.post(URL, given(world, gpu_memory="81"))
    assert answer.context["form"].errors["gpu_memory"] == [
        "No GPU that could run it has so much memory; the largest has 80 GiB. Ask for less."
    ]
    assert Job.objects.count() == 0


def test_edit_and_run_begins_with_the_share_and_the_memory(world: World, client: Client, shared: Node) -> None:
    first = world.submit(gpu_milli=375, gpu_memory_mib=1536)
    html = client.get(f"{URL}?from={first.pk}").content.decode()
    assert '<option value="0.375" selected>3/8 GPU</option>' in html
    assert 'name="gpu_memory" value="1.5"' in html


def test_run_again_keeps_the_share(world: World, client: Client, shared: Node) -> None:
    first = world.submit(gpu_milli=250, gpu_memory_mib=2048)
    client.post(f"/jobs/{first.pk}/rerun/")
    again = Job.objects.exclude(pk=first.pk).get()
    assert (again.gpus, again.gpu_milli, again.gpu_memory_mib) == (1, 250, 2048)


def test_each_run_of_a_sweep_has_the_share(world: World, client: Client, shared: Node) -> None:
    sent = given(world, gpus="0.5", wall_minutes="10", **{"param-0-name": "lr", "param-0-values": "1, 2, 3"})
    client.post(URL, sent)
    jobs = list(Job.objects.order_by("sweep_index"))
    assert [(job.gpu_milli, job.hold_s) for job in jobs] == [(500, 300)] * 3


def test_the_forecast_counts_the_share(world: World, client: Client, shared: Node) -> None:
    html = client.get(FORECAST, {"gpus": "0.5", "wall_minutes": "60"}).content.decode()
    assert "1/2 GPU, at least 40 GiB" in html
    assert "0.5 GPU-h" in html
    swept = {"gpus": "0.5", "wall_minutes": "60", "param-0-name": "lr", "param-0-values": "1, 2, 3, 4"}
    html = client.get(FORECAST, swept).content.decode()
    assert "2 GPU-h" in html
    assert "at once, with 4 runs" in html  # four halves fit on two GPUs


def test_without_scripts_the_share_and_its_cost_are_shown_before_submitting(
    world: World, client: Client, shared: Node
) -> None:
    answer = client.post(URL, given(world, gpus="0.5", check="1"))
    html = answer.content.decode()
    assert (answer.status_code, Job.objects.count()) == (200, 0)
    assert "1/2 GPU, at least 40 GiB" in html
    assert "300 GPU-s" in html
    assert '<option value="0.5" selected>' in html


def test_the_forecast_says_what_is_wrong_with_a_share(world: World, client: Client, shared: Node) -> None:
    wrong = client.get(FORECAST, {"gpus": "1.5", "wall_s": 60})
    assert (wrong.status_code, "a share of one such as 0.25" in wrong.content.decode()) == (400, True)


def api(world: World) -> APIClient:
    client = APIClient()
    client.force_authenticate(world.learner)
    return client


def posted(world: World, **fields: Any) -> Any:
    body = {"files": {"main.py": "print(1)\n"}, "wall_s": 600} | fields
    return api(world).post("/api/v1/jobs/", body, format="json")


def test_a_share_is_asked_for_and_read_by_rest(world: World, shared: Node) -> None:
    answer = posted(world, gpu_milli=250, gpu_memory_mib=1024)
    body = answer.json()
    assert (answer.status_code, body["gpus"], body["gpu_milli"], body["gpu_memory_mib"]) == (201, 1, 250, 1024)
    assert body["hold_s"] == 150
    found = api(world).get("/api/v1/forecast/", {"gpu_milli": 250, "wall_s": 600}).json()
    assert (found["hold_s"], found["gpu_seconds"], found["starts_now"]) == (150, 150, True)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"gpu_milli": 300}, "gpu_milli"),
        ({"gpu_milli": 0}, "gpu_milli"),
        ({"gpu_milli": 500, "gpus": 2}, "gpu_milli"),
        ({"gpu_milli": "half"}, "gpu_milli"),
        ({"gpu_memory_mib": 0}, "gpu_memory_mib"),
        ({"gpu_memory_mib": 10**6}, "gpu_memory_mib"),
    ],
)
def test_a_wrong_share_names_its_field(world: World, shared: Node, fields: dict[str, Any], field: str) -> None:
    answer = posted(world, **fields)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (400, [field])
    assert Job.objects.count() == 0


def test_a_sweep_of_shares_is_submitted_by_rest(world: World, shared: Node) -> None:
    body = {"files": {"main.py": "print(1)\n"}, "wall_s": 600, "grid": {"n": [1, 2]}, "gpu_milli": 125}
    answer = api(world).post("/api/v1/sweeps/", body, format="json")
    assert answer.status_code == 201
    assert [run["hold_s"] for run in answer.json()["jobs"]] == [75, 75]
