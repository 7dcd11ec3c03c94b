"""The cohort board shows a page of learners, counts and sorts all of them, and keeps both while it is live."""

import re

import pytest

from campus.web import cohort_board
from courses.catalog import api as catalog
from courses.catalog.models import Cohort
from tests import factories
from tests.access import world as worlds

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(client):
    world = worlds.build()
    client.force_login(world.people["instructor"])
    Cohort.objects.filter(pk=world.cohort.pk).update(seats=cohort_board.LEARNERS_SHOWN + 3)
    for _ in range(cohort_board.LEARNERS_SHOWN + 3 - world.cohort.enrolments.filter(state="ACTIVE").count()):
        catalog.enrol(cohort_id=world.cohort.pk, user=factories.UserFactory(), mode="ONSITE", actor=None)

    def show(query: str = "") -> str:
        answer = client.get(f"/cohorts/{world.cohort.pk}/{query}", headers={"Accept-Language": "en"})
        assert answer.status_code == 200
        return answer.content.decode()

    return show


def learners(html: str) -> list[str]:
    return re.findall(r'<th scope="row" class="nowrap">([^<]+)', html)


def test_pages_share_the_learners_out_and_count_all_of_them(board):
    first, second = board(), board("?page=2")

    assert (len(learners(first)), len(learners(second))) == (cohort_board.LEARNERS_SHOWN, 3)
    assert not set(learners(first)) & set(learners(second))
    every = str(cohort_board.LEARNERS_SHOWN + 3)
    assert all(f'<span class="stat-value"><span>{every}</span>' in html for html in (first, second))


def test_sorting_is_over_all_pages(board):
    ascending = learners(board("?sort=name")) + learners(board("?sort=name&page=2"))

    assert learners(board("?sort=-name")) == ascending[: -cohort_board.LEARNERS_SHOWN - 1 : -1]


def test_the_live_part_keeps_page_and_order_and_links_to_whole_pages(board):
    live = re.search(r'data-today-live="([^"]+)"', board("?page=2&sort=name"))
    assert live is not None
    part = board(live[1].replace("&amp;", "&"))

    assert len(learners(part)) == 3
    assert "<html" not in part
    assert "page=1" in part
    assert "part=live" not in part
