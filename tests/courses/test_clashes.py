"""What exists already is named, with what to do about it, in the reader's language."""

import pytest
from django.conf import settings
from django.urls import reverse

from campus.people.api import Role

from . import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(client):
    cohort = build.cohort()
    client.force_login(build.staff(Role.PLATFORM_ADMIN, build.root()))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return cohort


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "“%s” is in use already, by “기계학습”."), ("ko", "“%s” 값은 “기계학습”에서 이미 쓰고 있습니다.")],
)
def test_a_code_that_is_taken_names_whose_it_is(client, place, language, words):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    course = place.run.course
    said = {"programme": course.programme_id, "code": course.code, "name_ko": "다른 강좌", "name_en": ""}
    answer = client.post(reverse("catalog:new-course"), said)
    assert answer.status_code == 400
    assert words % course.code in answer.content.decode()


def test_a_cohort_of_the_same_name_is_named_and_its_own_name_is_no_clash(client, place):
    other = build.cohort(of=place.run, at=place.campus)
    url = reverse("catalog:edit-cohort", args=[place.pk])
    said = {"name": other.name, "seats": 20, "learner_quota_s": "1"}
    answer = client.post(url, said)
    assert f"“{other.name}” exists already." in answer.content.decode()
    assert client.post(url, said | {"name": place.name}).status_code == 302


def test_a_second_run_of_a_course_in_a_term_says_where_the_first_is(client, place):
    run = place.run
    said = {"course": run.course_id, "term": run.term_id, "slug": "again"}
    answer = client.post(reverse("catalog:new-run"), said)
    assert answer.status_code == 400
    assert f"기계학습 is given in 학기 already, at the address “{run.slug}”." in answer.content.decode()
    other = build.run()
    answer = client.post(reverse("catalog:edit-run", args=[other.pk]), said)
    assert f"at the address “{run.slug}”" in answer.content.decode()
    kept = {"course": run.course_id, "term": run.term_id, "slug": "moved", "is_published": "on"}
    assert client.post(reverse("catalog:edit-run", args=[run.pk]), kept).status_code == 302


def test_a_term_that_ends_before_it_starts_is_refused_in_words(client, place):
    said = {"name_ko": "겨울", "slug": "winter", "starts_on": "2026-12-20", "ends_on": "2026-12-01"}
    answer = client.post(reverse("catalog:new-term"), said)
    assert answer.status_code == 400
    assert "A term must end after it starts." in answer.content.decode()
    assert "term_ends_after_start" not in answer.content.decode()


def test_a_campus_address_that_is_taken_names_the_campus(client, place):
    home = place.campus
    said = {"name_ko": "새 캠퍼스", "slug": home.slug, "timezone": "Asia/Seoul"}
    answer = client.post(reverse("web:new-campus"), said)
    assert answer.status_code == 400
    assert f"“{home.slug}” is in use already, by “{home.name_en}”." in answer.content.decode()


def test_enrolling_without_a_mode_says_which_to_choose(client, place):
    client.force_login(build.person())
    answer = client.post(reverse("catalog:enrol", args=[place.pk]), follow=True)
    assert "Choose on site or online." in answer.content.decode()


def test_too_many_hours_for_a_learner_are_refused_in_hours(client, place):
    said = {"name": place.name, "seats": 20, "learner_quota_s": "9999999"}
    answer = client.post(reverse("catalog:edit-cohort", args=[place.pk]), said)
    assert answer.status_code == 400
    assert "500000" in answer.content.decode()
    assert "2147483647" not in answer.content.decode()
