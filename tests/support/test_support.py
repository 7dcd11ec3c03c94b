"""Who needs help, over the pages: evidence from every part, notes that hide, a message, staff only, fixed queries."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campus.core.models import AuditEntry, Notice
from campus.core.notices.mailing import send_due_mail
from courses.assignments.api import submit_work
from courses.assignments.authoring import open_assignment
from courses.assignments.extending import extend
from courses.assignments.models import Assignment, Score
from courses.attendance.models import Mark, Verdict
from courses.catalog import api as catalog
from courses.catalog.models import Enrolment
from courses.content.models import Lesson, LessonCompletion, Module
from courses.support.evidence import overview
from courses.support.models import SupportNote, SupportSettings
from courses.support.services import write_to
from courses.timetable.models import ClassSession
from labs.jobs.models import Job
from tests import factories
from tests.access import world as worlds
from tests.access.timetable_facts import planned
from tests.access.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return worlds.build()


def page(world: World, name: str = "instructor") -> Client:
    client = Client()
    client.force_login(world.people[name])
    client.cookies["campus_language"] = "en"
    return client


def missed_work(world: World, count: int = 1) -> None:
    """Assignments whose deadline is over, handed in by nobody."""
    for number in range(count):
        open_assignment(
            module_id=world.module.pk, actor=None, title=f"과제 {number}", kind="TEXT", points=Decimal(10),
            due_at=timezone.now() - timedelta(days=1), closes_at=timezone.now() - timedelta(hours=1),
        )  # fmt: skip


def _job_of(world: World, enrolment: Enrolment) -> Job:
    """A job that the learner's own account pays."""
    source = world.job()
    Job.objects.filter(pk=source.pk).update(owner=enrolment.user_id, account=enrolment.account_id)
    return source


def kinds(world: World) -> set[str]:
    (row,) = overview(world.cohort, timezone.now()).rows
    return {one.kind.value for one in row.open}


def url(world: World) -> str:
    return f"/cohorts/{world.cohort.pk}/support/"


def test_who_does_all_raises_no_signal(world: World) -> None:
    assert kinds(world) == set()
    assert "Nothing asks for a look" in page(world).get(url(world)).content.decode()


def test_missing_work_is_said_with_its_number_and_threshold(world: World) -> None:
    missed_work(world, 2)
    shown = page(world).get(url(world)).content.decode()
    assert kinds(world) == {"MISSING"}
    assert "2 assignments not handed in" in shown
    assert "shown from 1" in shown
    assert "박배움" in shown


def test_nobody_missed_what_nobody_could_see(world: World) -> None:
    missed_work(world, 2)
    hidden = Assignment.objects.filter(module=world.module).order_by("-pk").first()
    Assignment.objects.filter(pk=hidden.pk).update(is_published=False)
    assert {one.evidence.missing for one in overview(world.cohort, timezone.now()).rows} == {1}
    Module.objects.filter(pk=world.module.pk).update(is_published=False)
    assert {one.evidence.missing for one in overview(world.cohort, timezone.now()).rows} == {0}


def test_who_was_given_more_time_afterwards_was_not_late(world: World) -> None:
    missed_work(world)
    work = Assignment.objects.get(title="과제 0")
    Assignment.objects.filter(pk=work.pk).update(closes_at=None)
    submit_work(assignment_id=work.pk, user=world.learner, files={"answer.md": b"late"})

    def late() -> int:
        rows = overview(world.cohort, timezone.now()).rows
        return next(one.evidence.late for one in rows if one.enrolment == world.enrolment)

    assert late() == 1
    work.refresh_from_db()
    extend(
        assignment=work, enrolments=[world.enrolment], due_at=timezone.now() + timedelta(days=1), reason="입원",
        actor=world.people["instructor"],
    )  # fmt: skip
    assert late() == 0


def test_absences_by_the_attendance_rules(world: World) -> None:
    planned(world)
    for session in ClassSession.objects.filter(places__cohort=world.cohort, state="PLANNED").distinct():
        Verdict.objects.update_or_create(
            session=session, enrolment=world.enrolment, defaults={"mark": Mark.ABSENT, "minutes": 0}
        )
    SupportSettings.objects.create(run=world.run, absences=1)
    assert "ABSENCES" in kinds(world)


def test_lessons_and_labs_are_seen_against_the_middle_of_the_cohort(world: World) -> None:
    lessons = [Lesson.objects.create(module=world.module, position=n + 2, title=str(n), body="") for n in range(3)]
    for _number in range(2):
        other = catalog.enrol(cohort_id=world.cohort.pk, user=factories.UserFactory(), mode="ONSITE", actor=None)
        LessonCompletion.objects.bulk_create(LessonCompletion(enrolment=other, lesson=one) for one in lessons)
    found = overview(world.cohort, timezone.now())
    behind = [row.enrolment.user.name for row in found.rows for one in row.open if one.kind == "LESSONS"]
    assert behind == ["박배움"]
    world.enrolment.enrolled_at = timezone.now() - timedelta(days=20)
    world.enrolment.save(update_fields=["enrolled_at"])
    for row in found.rows:
        if row.enrolment.pk != world.enrolment.pk:
            _job_of(world, row.enrolment)
    found = overview(world.cohort, timezone.now())
    idle = {row.enrolment.user.name for row in found.rows for one in row.open if one.kind == "IDLE"}
    assert idle == {"박배움"}


def test_falling_grades(world: World) -> None:
    for points in (9, 9, 5, 5):
        missed_work(world)
        newest = world.module.assignments.latest("pk")
        Score.objects.create(assignment=newest, enrolment=world.enrolment, raw=points, adjusted=points)
    (row,) = overview(world.cohort, timezone.now()).rows
    assert {one.kind.value: one.value for one in row.signals}["FALLING"] == 40
    assert "Last two grades 50% on average, before that 90%" in page(world).get(url(world)).content.decode()


def test_a_note_hides_a_signal_until_it_gets_worse_and_the_trail_has_no_words_of_it(world: World) -> None:
    missed_work(world)
    client = page(world)
    learner = f"/support/learners/{world.enrolment.pk}/"
    said = {"kind": "MISSING", "level": "1", "act": "TALKED", "text": "전화로 이야기함"}
    assert client.post(f"{learner}note/", said).status_code == 302
    assert kinds(world) == set()
    assert "박배움" not in client.get(url(world)).content.decode()
    assert "박배움" in client.get(f"{url(world)}?show=all").content.decode()
    assert "전화로 이야기함" in client.get(learner).content.decode()
    missed_work(world)
    assert kinds(world) == {"MISSING"}
    entry = AuditEntry.objects.get(verb="support.noted")
    assert (entry.actor, entry.subject) == (world.people["instructor"], world.learner)
    assert "전화" not in str(entry.changes)


@pytest.mark.parametrize("said", [{}, {"kind": "SCORE", "act": "TALKED"}, {"kind": "MISSING", "act": "PUNISH"}])
def test_a_note_that_says_nothing_known_is_refused(world: World, said: dict[str, str]) -> None:
    assert page(world).post(f"/support/learners/{world.enrolment.pk}/note/", said).status_code == 400
    assert not SupportNote.objects.exists()


def test_writing_begins_in_the_learners_language_and_goes_out_as_notice_and_mail(world: World) -> None:
    write = f"/support/learners/{world.enrolment.pk}/write/"
    shown = page(world).get(write)
    assert "박배움 님, 안녕하세요." in shown.context["form"]["body"].value()
    type(world.learner).objects.filter(pk=world.learner.pk).update(language="en")
    assert "Hello 박배움," in page(world).get(write).context["form"]["body"].value()
    said = {"title": "잠깐 이야기해요", "body": "어떻게 지내나요?"}
    assert page(world).post(write, said).status_code == 302
    notice = Notice.objects.get(recipient=world.learner, kind="support.message")
    Notice.objects.filter(mail="DUE").update(mail_after=Now() - timedelta(seconds=1))
    send_due_mail()
    (letter,) = [one for one in mail.outbox if one.to == [world.learner.email]]
    assert "어떻게 지내나요?" in letter.body
    assert "List-Unsubscribe" not in letter.extra_headers
    assert "어떻게 지내나요?" in page(world, "learner").get(notice.url).content.decode()
    entry = AuditEntry.objects.get(verb="support.message_sent")
    assert (entry.subject, entry.changes) == (world.learner, {})


STAFF = {"assistant", "instructor", "campus_admin", "platform_admin"}


def test_only_staff_of_the_cohort_see_signals_and_only_the_learner_reads_along_what_was_written(world: World) -> None:
    written = write_to(enrolment=world.enrolment, title="t", body="b", actor=world.people["instructor"])
    for name in world.people:
        client, expected = page(world, name), 200 if name in STAFF else 404
        assert client.get(url(world)).status_code == expected, name
        assert client.get(f"/support/learners/{world.enrolment.pk}/").status_code == expected, name
        reads = 200 if name in STAFF | {"learner"} else 404
        assert client.get(f"/support/messages/{written.pk}/").status_code == reads, name


def test_thresholds_are_the_runs_and_assistants_leave_them(world: World) -> None:
    missed_work(world)
    limits = {"absences": 2, "lessons_pct": 25, "missing": 0, "late": 3, "idle_days": 14, "falling_pct": 15}
    assert page(world, "assistant").post(f"{url(world)}thresholds/", limits).status_code == 403
    assert page(world).post(f"{url(world)}thresholds/", limits | {"lessons_pct": 101}).status_code == 400
    assert page(world).post(f"{url(world)}thresholds/", limits).status_code == 302
    assert kinds(world) == set()
    assert AuditEntry.objects.filter(verb="supportsettings.changed").count() == 1


def cost(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


@pytest.mark.parametrize("show", ["", "?show=all"])
def test_a_cohort_costs_the_same_for_one_and_for_twenty(world: World, show: str) -> None:
    missed_work(world, 2)
    client = page(world)
    address = url(world) + show
    client.get(address)
    one = cost(client, address)
    for _number in range(19):
        catalog.enrol(cohort_id=world.cohort.pk, user=factories.UserFactory(), mode="ONSITE", actor=None)
    assert len(overview(world.cohort, timezone.now()).rows) == 20
    assert cost(client, address) == one <= 20


def test_a_learners_page_costs_no_more(world: World) -> None:
    missed_work(world, 2)
    client = page(world)
    learner = f"/support/learners/{world.enrolment.pk}/"
    client.get(learner)
    assert cost(client, learner) <= 24


def test_the_api_tells_the_same_signals_to_the_same_people(world: World) -> None:
    missed_work(world, 2)
    teacher, address = page(world), f"/api/v1/support/cohorts/{world.cohort.pk}/"

    def signals(**query: str) -> dict[str, dict[str, Any]]:
        said = teacher.get(address, query, headers={"Accept-Language": "en"}).json()
        found = [row["signals"] for row in said["results"] if row["enrolment"] == world.enrolment.pk]
        return {one["kind"]: one for one in found[0]} if found else {}

    missing = signals()["MISSING"]
    assert (missing["text"], missing["is_open"]) == ("2 assignments not handed in", True)
    assert set(signals(kind="MISSING")) == {"MISSING"}
    note = {"kind": "MISSING", "level": missing["level"], "act": "TALKED", "text": ""}
    assert teacher.post(f"/support/learners/{world.enrolment.pk}/note/", note).status_code == 302
    assert "MISSING" not in signals()
    assert signals(show="all")["MISSING"]["is_open"] is False
    assert page(world, "learner").get(address).status_code == 404
