"""A regrade is of everybody, or of a cohort; whoever instructs it decides."""

import pytest
from django.test import Client
from django.urls import reverse

from courses.assignments.models import RegradeBatch

from . import build

pytestmark = pytest.mark.django_db


def test_a_regrade_is_of_a_cohort_and_its_instructor_alone_decides() -> None:
    scene = build.scene()
    build.suite_for(scene)
    world = scene.world
    mine = scene.hand_in()
    scene.hand_in(user=world.people["classmate"])
    yongin, jeonbuk = world.people["instructor"], world.people["other_instructor"]
    client, address = Client(), reverse("assignments:start-regrade", args=[scene.assignment.pk])
    client.force_login(yongin)
    offered = client.get(reverse("assignments:submissions", args=[scene.assignment.pk])).content.decode()
    assert f'<option value="{world.cohort.pk}">' in offered
    assert f'<option value="{world.other_cohort.pk}">' not in offered
    assert '<option value="">' not in offered
    refused = [
        client.post(address, {"reason": "수정", "cohort": one}) for one in ("", world.other_cohort.pk, "x", "9" * 20)
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 400, 400]
    assert client.post(address, {"reason": "수정", "cohort": world.cohort.pk}).status_code == 302
    batch = RegradeBatch.objects.get()
    assert [run.submission_id for run in batch.runs.all()] == [mine.pk]
    page = reverse("assignments:regrade", args=[scene.assignment.pk, batch.pk])
    client.force_login(jeonbuk)
    assert 'value="discard"' not in client.get(page).content.decode()
    assert client.post(page, {"what": "discard"}).status_code == 403
    client.force_login(yongin)
    assert client.post(page, {"what": "discard"}).status_code == 302
    batch.refresh_from_db()
    assert batch.state == RegradeBatch.State.DISCARDED
