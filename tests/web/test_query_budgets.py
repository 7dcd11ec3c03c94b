"""Pages cost the same number of queries at one row and at twenty, and never more than twenty."""

from collections.abc import Callable
from itertools import count

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campus.core import audit
from courses.catalog import api as catalog
from infra.pool import api as pool
from infra.pool.models import Node, NodeEnvironment
from labs.jobs.api import start_attempt
from labs.jobs.models import GpuLease
from tests import factories
from tests.access import world as worlds
from tests.jobs import build as jobs

MOST = 20
_serial = count(1)
Grow = Callable[[worlds.World, int], None]


def more_learners(world: worlds.World, more: int) -> None:
    for _ in range(more):
        user = factories.UserFactory()
        catalog.enrol(cohort_id=world.cohort.pk, user=user, mode="ONSITE", actor=None)


def more_staff(world: worlds.World, more: int) -> None:
    for _ in range(more):
        factories.staff("INSTRUCTOR", world.cohort.scope)
    more_learners(world, more // 2)


def more_entries(world: worlds.World, more: int) -> None:
    for number in range(more):
        audit.record(
            actor=world.people["campus_admin"], verb="room.changed", target=world.room, subject=world.learner,
            scope_path=world.yongin.scope.path, changes={"capacity": (number, number + 1)},
        )  # fmt: skip


def more_campuses(world: worlds.World, more: int) -> None:
    for _ in range(more):
        number = next(_serial)
        factories.campus(f"campus-{number}", f"캠퍼스 {number}", "")


def more_cohorts(world: worlds.World, more: int) -> None:
    for _ in range(more):
        catalog.open_cohort(
            run_id=world.run.pk, campus_id=world.yongin.pk, name=f"{next(_serial)}반", seats=1, learner_quota_s=60,
            actor=None,
        )  # fmt: skip


def shares(world: worlds.World, node: Node) -> None:
    """Two jobs that share the node's other GPU."""
    Node.objects.filter(pk=node.pk).update(shares_gpus=True)
    free = node.gpus.get(leases=None)
    for milli in (500, 250):
        job = world.job(gpus=1, gpu_milli=milli, wall_s=60)
        given = start_attempt(job_id=job.pk, node_id=node.pk, gpu_ids=[free.pk], gpu_milli=milli)
        assert given is not None


def more_nodes(world: worlds.World, more: int) -> None:
    """Nodes with two GPUs each, one of them busy, and a queue."""
    site = world.yongin.sites.get()
    for _ in range(more):
        number = next(_serial)
        node, _token = pool.register_node(site_id=site.pk, name=f"grown-{number}", actor=None)
        node = pool.record_hello(node=node, hello=jobs.hello_of(boot_id=f"boot-{number}"))
        NodeEnvironment.objects.create(node=node, digest="a" * 64, state="READY")
        running = world.job(gpus=1, wall_s=60)
        assert jobs.assign(running, node) is not None
        world.job(gpus=1, wall_s=60)
        shares(world, node)
    assert GpuLease.objects.count() >= more


PAGES = [
    ("/people/", "campus_admin", more_staff),
    ("/people/", "platform_admin", more_staff),
    ("/audit/", "campus_admin", more_entries),
    ("/campuses/", "learner", more_campuses),
    ("/cohorts/", "campus_admin", more_cohorts),
    ("/cohorts/{cohort}/", "instructor", more_learners),
    ("/pool/", "assistant", more_nodes),
    ("/", "instructor", more_cohorts),
    ("/", "platform_admin", more_nodes),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "role", "grow"), PAGES)
def test_a_page_costs_the_same_at_one_row_and_at_twenty(path: str, role: str, grow: Grow) -> None:
    world = worlds.build()
    client = Client()
    client.force_login(world.people[role])
    url = path.format(cohort=world.cohort.pk)
    grow(world, 1)
    few = queries(client, url)
    grow(world, 19 if grow is not more_learners else 15)
    assert queries(client, url) == few
    assert few <= MOST


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)
