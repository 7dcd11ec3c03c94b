"""What a job costs at its GPU type's rate, fixed when it was submitted; and what staff correct afterwards."""

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from campus.people.models import RoleGrant
from infra.pool.models import Node
from labs.jobs.models import Job
from labs.quota import api as quota
from tests import factories
from tests.jobs.build import World, entries, running, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def node(world: World) -> Node:
    return world.node(gpus=2)


def test_a_jobs_rate_is_fixed_when_it_is_submitted_and_counts_for_hold_and_charge(world: World, node: Node) -> None:
    quota.set_rate(gpu_type="", rate=Decimal("2.5"), actor=None)
    job = world.submit()
    quota.set_rate(gpu_type="", rate=Decimal(9), actor=None)
    assert (job.rate, job.hold_s) == (Decimal("2.5"), -(-job.gpus * job.wall_s * 5 // 2))
    settle(running(job, node), run_s=12.3)
    job = Job.objects.get(pk=job.pk)
    assert job.charged_s == 31  # 30.75, rounded up
    assert (1, "CHARGE", 31) in entries(job)
    assert quota.rebuild() == []


def test_administrators_correct_what_a_job_stays_charged_and_others_do_not(world: World, node: Node) -> None:
    job = world.submit()
    settle(running(job, node), run_s=40.0)
    admin = factories.staff(RoleGrant.Role.PLATFORM_ADMIN, factories.platform_scope())

    def correct(user: object, **body: object) -> int:
        client = APIClient(headers={"Accept-Language": "en"})
        client.force_authenticate(user)
        answer = client.post(f"/api/v1/jobs/{job.pk}/corrections/", {"reason": "a slow disk"} | body, format="json")
        return answer.status_code

    assert correct(job.owner, seen_s=40, charged_s=10) == 403
    assert correct(admin, seen_s=40, charged_s=10) == 201
    assert correct(admin, seen_s=40, charged_s=10) == 409
    job.refresh_from_db()
    assert job.charged_s == 10
    assert quota.rebuild() == []
    waiting = world.submit()
    client = APIClient(headers={"Accept-Language": "en"})
    client.force_authenticate(admin)
    refused = client.post(
        f"/api/v1/jobs/{waiting.pk}/corrections/", {"seen_s": 0, "charged_s": 1, "reason": "x"}, format="json"
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "not_over")
