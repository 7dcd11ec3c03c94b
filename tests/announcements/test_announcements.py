"""Announcements: who may write where, whom they reach, what readers and writers see, correcting and withdrawing."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from campus.core.models import AuditEntry, Notice
from campus.people.models import RoleGrant
from campus.people.services import grant_role, revoke_role
from courses.announcements.access import get_announcement_for
from courses.announcements.audience import count_reached
from courses.announcements.models import Announcement, Delivery
from courses.announcements.services import Wish, bring, publish, publish_due, save_announcement, withdraw
from courses.catalog import api as catalog
from tests import factories
from tests.access import world as worlds
from tests.access.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return worlds.build()


def wish(world: World, reach: str = "COHORT", **fields: Any) -> Wish:
    places = {
        "COHORT": {"cohort_id": world.cohort.pk},
        "RUN": {"run_id": world.run.pk},
        "CAMPUS": {"campus_id": world.yongin.pk},
        "EVERYONE": {},
    }
    return Wish(**({"title": "알림", "body": "내용", "reach": reach} | places[reach] | fields))


def announced(world: World, actor: str = "instructor", reach: str = "COHORT", **fields: Any) -> Announcement:
    found = save_announcement(wish=wish(world, reach, **fields), actor=world.people[actor])
    publish(announcement_id=found.pk, actor=world.people[actor])
    bring(announcement_id=found.pk)
    found.refresh_from_db()
    return found


def told(world: World) -> set[str]:
    names = {user.pk: name for name, user in world.people.items()}
    return {names[pk] for pk in Delivery.objects.values_list("recipient_id", flat=True)}


def page(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world.people[name])
    client.cookies["campus_language"] = "en"
    return client


WRITERS = {
    "COHORT": {"assistant", "instructor", "campus_admin", "platform_admin"},
    "RUN": {"platform_admin"},
    "CAMPUS": {"campus_admin", "platform_admin"},
    "EVERYONE": {"platform_admin"},
}


@pytest.mark.parametrize("reach", sorted(WRITERS))
def test_who_may_write_where(world: World, reach: str) -> None:
    for name, person in world.people.items():
        if name in WRITERS[reach]:
            assert save_announcement(wish=wish(world, reach), actor=person).pk
        else:
            with pytest.raises(NotAllowed):
                save_announcement(wish=wish(world, reach), actor=person)


def test_who_teaches_every_cohort_of_a_course_may_write_to_all_of_it(world: World) -> None:
    factories.RoleGrant.objects.create(
        user=world.people["instructor"], role="ASSISTANT", scope=world.other_cohort.scope
    )
    assert save_announcement(wish=wish(world, "RUN"), actor=world.people["instructor"]).pk


REACHED = {
    ("COHORT", "ALL"): {"learner", "assistant"},
    ("COHORT", "LEARNERS"): {"learner"},
    ("COHORT", "STAFF"): {"assistant"},
    ("RUN", "ALL"): {"learner", "classmate", "assistant", "instructor", "other_instructor"},
    ("CAMPUS", "ALL"): {"learner", "assistant", "instructor", "campus_admin"},
    ("CAMPUS", "STAFF"): {"assistant", "instructor", "campus_admin"},
    ("EVERYONE", "LEARNERS"): {"learner", "classmate"},
    ("EVERYONE", "STAFF"): {"assistant", "instructor", "other_instructor", "campus_admin", "other_admin"},
}


@pytest.mark.parametrize(("reach", "role"), sorted(REACHED))
def test_it_reaches_whom_it_is_for_as_the_preview_said_and_its_author_not(world: World, reach: str, role: str) -> None:
    author = "instructor" if reach == "COHORT" else "platform_admin"
    before = count_reached(Announcement(author=world.people[author], **wish(world, reach, role=role).fields()))
    found = announced(world, author, reach, role=role)
    assert told(world) == REACHED[reach, role]
    assert before.people == Notice.objects.filter(kind="announcements.published").count() == len(told(world))
    assert found.brought_at is not None
    for name, person in world.people.items():
        if name in REACHED[reach, role]:
            assert get_announcement_for(person, found.pk)[0] == found


def test_strangers_and_other_cohorts_find_nothing(world: World) -> None:
    found = announced(world)
    for name in ("stranger", "classmate", "other_instructor", "other_admin"):
        with pytest.raises(NotFound):
            get_announcement_for(world.people[name], found.pk)


def test_learners_do_not_read_what_is_for_staff(world: World) -> None:
    found = announced(world, role="STAFF")
    with pytest.raises(NotFound):
        get_announcement_for(world.learner, found.pk)


def test_who_enrols_later_reads_it_on_the_course_page(world: World) -> None:
    announced(world, title="늦게 온 분도 보세요")
    late = factories.UserFactory()
    catalog.enrol(cohort_id=world.cohort.pk, user=late, mode="ONLINE", actor=None)
    client = Client()
    client.force_login(late)
    assert "늦게 온 분도 보세요" in client.get(f"/courses/{world.run.slug}/").content.decode()
    assert "늦게 온 분도 보세요" in client.get("/announcements/").content.decode()
    assert not Delivery.objects.filter(recipient=late).exists()


def test_today_and_the_course_page_show_it_until_it_is_read_and_the_author_sees_how_many_have(world: World) -> None:
    found = announced(world, title="휴강", body="**금요일** <script>alert(1)</script>")
    reader = page(world, "learner")
    assert "휴강" in reader.get("/").content.decode()
    assert "휴강" in reader.get(f"/courses/{world.run.slug}/").content.decode()
    assert "Read by 0 of 2" in page(world, "instructor").get(f"/announcements/{found.pk}/").content.decode()
    shown = reader.get(f"/announcements/{found.pk}/").content.decode()
    assert "<strong>금요일</strong>" in shown
    assert "<script>alert" not in shown
    assert "휴강" not in reader.get("/").content.decode()
    assert "Read by 1 of 2" in page(world, "instructor").get("/announcements/?show=written").content.decode()


def test_what_staff_wrote_is_listed_with_what_is_not_out_yet_first(world: World) -> None:
    draft = save_announcement(wish=wish(world, title="초안"), actor=world.people["instructor"])
    out = announced(world, title="나간 것")
    taken_back = announced(world, title="거둔 것")
    withdraw(announcement_id=taken_back.pk, actor=world.people["instructor"])
    shown = page(world, "instructor").get("/announcements/?show=written")
    listed = [row["announcement"].pk for row in shown.context["rows"]]
    assert listed == [draft.pk, taken_back.pk, out.pk]


def test_a_scheduled_one_is_published_when_its_time_has_come_and_only_once(world: World) -> None:
    later = timezone.now() + timedelta(hours=1)
    found = save_announcement(wish=wish(world, publish_at=later), actor=world.people["instructor"])
    publish(announcement_id=found.pk, actor=world.people["instructor"], at_its_time=True)
    assert publish_due() == 0
    with pytest.raises(NotFound):
        get_announcement_for(world.learner, found.pk)
    Announcement.objects.update(publish_at=timezone.now() - timedelta(seconds=1))
    assert (publish_due(), publish_due()) == (1, 0)
    bring(announcement_id=found.pk)
    assert "learner" in told(world)


def without_their_role(world: World) -> Announcement:
    """An announcement that the instructor scheduled and whose time came when they taught there no longer."""
    later = timezone.now() + timedelta(hours=1)
    found = save_announcement(wish=wish(world, publish_at=later), actor=world.people["instructor"])
    publish(announcement_id=found.pk, actor=world.people["instructor"], at_its_time=True)
    grant = RoleGrant.objects.get(user=world.people["instructor"])
    revoke_role(grant_id=grant.pk, actor=world.people["platform_admin"])
    Announcement.objects.update(publish_at=timezone.now() - timedelta(seconds=1))
    return found


def test_what_its_author_may_not_announce_any_more_stays_a_draft_that_says_why(world: World) -> None:
    found = without_their_role(world)
    assert (publish_due(), publish_due()) == (0, 0)
    found.refresh_from_db()
    bring(announcement_id=found.pk)
    assert (found.state, found.published_at, told(world)) == ("DRAFT", None, set())
    notice = Notice.objects.get()
    assert (notice.recipient, notice.kind) == (world.people["instructor"], "announcements.withheld")
    assert page(world, "instructor").get(notice.url).status_code == 200
    assert AuditEntry.objects.filter(verb="announcement.withheld").count() == 1
    for url in (f"/announcements/{found.pk}/", "/announcements/?show=written"):
        assert "It did not go out" in page(world, "assistant").get(url).content.decode()
    assert page(world, "learner").get(f"/announcements/{found.pk}/").status_code == 404


def test_who_publishes_what_was_withheld_stands_for_it(world: World) -> None:
    found = without_their_role(world)
    publish_due()
    publish(announcement_id=found.pk, actor=world.people["assistant"])
    bring(announcement_id=found.pk)
    found.refresh_from_db()
    assert (found.author, found.withheld_at) == (world.people["assistant"], None)
    facts = Notice.objects.get(kind="announcements.published", recipient=world.learner).facts
    assert facts["author"] == world.people["assistant"].name


def test_an_author_whose_role_is_back_in_time_is_published(world: World) -> None:
    found = without_their_role(world)
    grant_role(user=world.people["instructor"], role="INSTRUCTOR", scope=world.cohort.scope, actor=None)
    assert publish_due() == 1
    found.refresh_from_db()
    assert (found.state, found.author) == ("PUBLISHED", world.people["instructor"])


def test_a_time_that_has_passed_is_refused(world: World) -> None:
    before = timezone.now() - timedelta(hours=1)
    found = save_announcement(wish=wish(world, publish_at=before), actor=world.people["instructor"])
    with pytest.raises(InvalidInput):
        publish(announcement_id=found.pk, actor=world.people["instructor"], at_its_time=True)


def test_what_is_published_can_be_corrected_but_not_turned_to_others(world: World) -> None:
    found = announced(world)
    turned = wish(world, "EVERYONE", title="고침", role="STAFF")
    save_announcement(wish=turned, actor=world.people["instructor"], announcement_id=found.pk)
    found.refresh_from_db()
    assert (found.title, found.reach, found.role) == ("고침", "COHORT", "ALL")
    assert found.edited_at is not None
    assert "edited" in page(world, "learner").get(f"/announcements/{found.pk}/").content.decode()
    assert AuditEntry.objects.filter(verb="announcement.edited").count() == 1
    with pytest.raises(Conflict):
        publish(announcement_id=found.pk, actor=world.people["instructor"])


def test_withdrawing_takes_it_from_pages_and_notices(world: World) -> None:
    found = announced(world)
    withdraw(announcement_id=found.pk, actor=world.people["instructor"])
    with pytest.raises(NotFound):
        get_announcement_for(world.learner, found.pk)
    assert not Notice.objects.filter(kind="announcements.published").exists()
    with pytest.raises(Conflict):
        withdraw(announcement_id=found.pk, actor=world.people["instructor"])


def test_a_withdrawn_one_is_brought_to_nobody_else(world: World) -> None:
    found = save_announcement(wish=wish(world), actor=world.people["instructor"])
    publish(announcement_id=found.pk, actor=world.people["instructor"])
    withdraw(announcement_id=found.pk, actor=world.people["instructor"])
    bring(announcement_id=found.pk)
    assert not Delivery.objects.exists()


def test_the_database_keeps_a_place_to_each_and_a_person_once(world: World) -> None:
    found = announced(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        Announcement.objects.filter(pk=found.pk).update(campus=world.yongin)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(announcement=found, recipient=world.learner)


def test_writing_from_draft_to_published_over_the_pages(world: World) -> None:
    client = page(world, "instructor")
    said = {"title": "첫 소식", "body": "안녕", "place": f"COHORT:{world.cohort.pk}", "role": "ALL", "publish_at": ""}
    response = client.post("/announcements/new/", said)
    found = Announcement.objects.get()
    assert response["Location"] == f"/announcements/{found.pk}/publish/"
    shown = client.get(response["Location"]).content.decode()
    assert "2 people" in shown
    assert "Learners: 1. Staff: 1." in shown
    assert client.post(response["Location"], {"when": "now"}).status_code == 302
    assert client.post("/announcements/new/", said | {"place": f"COHORT:{world.other_cohort.pk}"}).status_code == 400
    assert client.post("/announcements/new/", said | {"place": "EVERYONE:"}).status_code == 400


@pytest.mark.parametrize("url", ["/announcements/", "/announcements/?show=written", "/courses/ai101/", "/"])
def test_pages_cost_the_same_for_one_and_for_twenty(world: World, url: str) -> None:
    def cost(client: Client) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url).status_code == 200
        return len(asked)

    client = page(world, "assistant")
    announced(world)
    client.get(url)
    once = cost(client)
    for _number in range(19):
        announced(world)
    assert cost(client) == once <= 20


def test_readers_are_told_in_an_email_that_leads_to_it(world: World) -> None:
    found = announced(world, title="메일로도 갑니다")
    notice = Notice.objects.get(recipient=world.learner, kind="announcements.published")
    assert (notice.mail, notice.url, notice.facts["title"]) == ("DUE", f"/announcements/{found.pk}/", "메일로도 갑니다")
