"""One person's programs cannot take the API from the others."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories

pytestmark = pytest.mark.django_db
URL = "/api/v1/me/"


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_who_asks_too_often_is_told_when_to_come_again_and_nobody_else_is_held_up(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    often, other = client_of(factories.UserFactory()), client_of(factories.UserFactory())
    # Seven in a row lie in at most two minutes, which let two each through.
    answers = [often.get(URL) for _ in range(7)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 3 <= len(refused) <= 5
    assert {answer.status_code for answer in answers} == {200, 429}
    assert refused[0].json()["code"] == "throttled"
    assert 1 <= int(refused[0]["Retry-After"]) <= 60
    assert other.get(URL).status_code == 200


def test_without_redis_everybody_is_let_through(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    client = client_of(factories.UserFactory())
    assert [client.get(URL).status_code for _ in range(3)] == [200, 200, 200]
