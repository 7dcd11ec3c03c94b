"""The pool's pages tell of a shared GPU who holds which part of it, and what is left."""

import re

import pytest

from infra.pool.models import Gpu, Node
from labs.jobs import api as services
from labs.jobs.models import Attempt
from tests.access import world as worlds
from tests.jobs import build as jobs
from tests.jobs.test_pages import page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> worlds.World:
    return worlds.build()


@pytest.fixture
def node(world: worlds.World) -> Node:
    """A node of two GPUs with 80 GiB each, one of which two learners share: a half, and a quarter."""
    world.node.gpus.all().delete()
    said = jobs.hello_of(boot_id="boot-shares", shares_gpus=True)
    node = services.hello(node=world.node, said=said)
    assert node.shares_gpus
    first = node.gpus.get(index=0)
    for milli, wishes in ((500, {}), (250, {"gpu_memory_mib": 10_240})):
        job = world.job(gpus=1, gpu_milli=milli, wall_s=60, **wishes)
        assert give(job.pk, first, milli, wishes.get("gpu_memory_mib", 0)) is not None
    return node


def give(job_id: int, gpu: Gpu, milli: int, memory_mib: int = 0) -> Attempt | None:
    return services.start_attempt(
        job_id=job_id, node_id=gpu.node_id, gpu_ids=[gpu.pk], gpu_milli=milli, gpu_memory_mib=memory_mib
    )


def page(world: worlds.World, path: str, role: str = "platform_admin") -> str:
    return page_of(world.people[role]).get(path).content.decode()


def test_the_board_says_who_holds_which_part_and_what_is_left(world: worlds.World, node: Node) -> None:
    html = page(world, "/pool/")
    cell = re.search(r'<li class="cell cell-shared" title="([^"]*)">(.*?)</li>', html)
    assert cell is not None
    words, drawn = cell.groups()
    assert re.fullmatch(rf"{node.name} / 0: 1/2 GPU: #\d+ .*; 1/4 GPU: #\d+ .*; 1/4 GPU left", words)
    assert drawn.count("<rect") == 2
    assert f'href="/pool/nodes/{node.name}/"' in drawn
    assert re.search(r"GPUs in use.*?0\.75.*?of \d", html, re.DOTALL)


def test_a_nodes_page_lists_each_share_with_its_memory(world: worlds.World, node: Node) -> None:
    html = re.sub(r'<span class="visually-hidden">.*?</span>', "", page(world, f"/pool/nodes/{node.name}/"))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "shared, 1/4 GPU and 30 GiB left" in text
    assert "1/2 GPU 40 GiB #" in text
    assert "1/4 GPU 10 GiB #" in text
    assert "jobs may share its GPUs" in text


def test_whose_share_it_is_is_told_to_those_alone_who_may_see_the_job(world: worlds.World, node: Node) -> None:
    # Whoever looked before: rows are kept as HTML, and what one may see is never given to another.
    assert "1/2 GPU: #" in page(world, "/pool/")
    html = page(world, "/pool/", "other_instructor")
    title = re.search(r'<li class="cell cell-shared" title="([^"]*)">', html)
    assert title is not None
    assert title[1] == f"{node.name} / 0: 1/2 GPU: in use; 1/4 GPU: in use; 1/4 GPU left"


def test_todays_pool_counts_a_share_as_its_part(world: worlds.World, node: Node) -> None:
    assert re.search(r"GPUs in use.*?0\.75.*?of \d", page(world, "/"), re.DOTALL)


def test_pieces_of_one_share_are_one_to_people(world: worlds.World, node: Node) -> None:
    gpu = node.gpus.get(index=1)
    ids = [world.job(gpus=1, gpu_milli=250, wall_s=60).pk for _n in range(4)]
    for job_id in ids:
        assert give(job_id, gpu, 250) is not None
    for attempt in services.claim(node=node, boot_id=node.boot_id):
        if attempt.job_id in (ids[0], ids[2]):  # what is left lies in two pieces
            services.started(attempt=attempt, fence=attempt.fence)
            jobs.settle(attempt)
    half = world.job(gpus=1, gpu_milli=500, wall_s=60)
    assert give(half.pk, gpu, 500) is not None
    assert Attempt.objects.get(job=half).gpu_leases.count() == 2
    title = re.search(rf'title="({node.name} / 1: [^"]*)"', page(world, "/pool/", "other_instructor"))
    assert title is not None
    assert title[1] == f"{node.name} / 1: 1/4 GPU: in use; 1/4 GPU: in use; 1/2 GPU: in use"
