"""What the navigation offers to whom, and what the pages of an error say."""

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from campus.core import views
from campus.core.middleware import CampusErrorMiddleware
from tests.access import world as worlds

EVERYONE = {
    "web:home",
    "announcements:list",
    "timetable:week",
    "catalog:list",
    "attendance:mine",
    "jobs:list",
    "environments:list",
    "usage:mine",
    "quota:requests",
}
TEACHING = EVERYONE | {
    "web:cohorts",
    "attendance:desk",
    "web:pool",
    "quota:tree",
    "scheduling:what-if",
    "scheduling:classes",
}
ADMINISTERING = TEACHING | {
    "timetable:settings",
    "quota:desk",
    "catalog:administration",
    "web:campuses",
    "web:people",
    "web:audit",
}
OFFERED = {
    "stranger": EVERYONE,
    "learner": EVERYONE,
    "assistant": TEACHING,
    "instructor": TEACHING,
    "campus_admin": ADMINISTERING,
    "platform_admin": ADMINISTERING,
}


@pytest.mark.django_db
def test_each_role_is_offered_its_pages_and_each_of_them_opens() -> None:
    made = worlds.build()
    for role, expected in OFFERED.items():
        client = Client()
        client.force_login(made.people[role])
        navigation = client.get("/campuses/").context["ui"]["nav"]
        shown = {entry.url_name for _title, entries in navigation.sections for entry in entries}
        assert shown == expected, role
        for name in shown:
            assert client.get(reverse(name), follow=True).status_code == 200, f"{name} as {role}"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("signed_in", [False, True])
def test_an_address_of_nothing_gets_a_page_that_leads_on(client: Client, language: str, signed_in: bool) -> None:
    made = worlds.build()
    client.cookies["campus_language"] = language
    if signed_in:
        client.force_login(made.learner)
    page = client.get("/no/such/page/")
    assert page.status_code == 404
    assert f'<html lang="{language}"' in page.content.decode()
    assert 'href="/"' in page.content.decode()


@pytest.mark.django_db
def test_what_a_role_may_not_do_is_explained_in_words(client: Client) -> None:
    made = worlds.build()
    client.cookies["campus_language"] = "en"
    client.force_login(made.learner)
    page = client.get("/pool/")
    assert page.status_code == 403
    assert "The pool board is for staff." in page.content.decode()


@pytest.mark.django_db
def test_a_conflict_is_told_with_what_to_do(client: Client) -> None:
    made = worlds.build()
    client.cookies["campus_language"] = "en"
    admin = made.people["platform_admin"]
    client.force_login(admin)
    grant = admin.role_grants.get()
    page = client.post(f"/people/{admin.pk}/roles/{grant.pk}/revoke/")
    assert page.status_code == 409
    assert "Appoint another one first" in page.content.decode()


def test_programs_get_problems_and_people_get_pages_for_a_lost_database() -> None:
    middleware = CampusErrorMiddleware(lambda request: None)  # type: ignore[arg-type, return-value]
    page = middleware.process_exception(RequestFactory().get("/jobs/"), OperationalError("gone"))
    assert page is not None
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "Nothing was lost" in page.content.decode()
    answer = middleware.process_exception(RequestFactory().get("/node/v1/claim"), OperationalError("gone"))
    assert answer is not None
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


def _lose_the_database() -> None:
    raise OperationalError("gone")


def test_a_database_that_is_lost_before_a_view_is_reached_gives_the_same_page() -> None:
    request = RequestFactory().get("/jobs/")
    try:
        _lose_the_database()
    except OperationalError:
        assert views.server_error(request).status_code == 503
    assert views.server_error(request).status_code == 500


@pytest.mark.django_db
def test_unknown_addresses_of_the_api_are_problems(client: Client) -> None:
    for address in ("/api/v1/nothing/", "/node/v1/nothing"):
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["code"] == "not_found"
