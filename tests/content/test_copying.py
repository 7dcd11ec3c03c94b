"""A run copied into the next term: what comes along, what does not, dates, double clicks, and how many queries."""

import threading
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from campus.core.errors import InvalidInput, NotAllowed, NotFound
from courses.assignments.authoring import open_assignment, save_suite
from courses.assignments.models import Assignment, Lab, LabRun, Submission, TestSuite
from courses.catalog import services as catalog
from courses.catalog.copying import copiers
from courses.catalog.domain.shifting import shift_time, weeks_between
from courses.catalog.models import Cohort, CourseRun, Enrolment, RunCopy
from courses.catalog.services.copying import copy_run
from courses.content.filing import add_file
from courses.content.models import Lesson, Module, ModuleNeed
from courses.content.services import change_module
from courses.content.writing import change_lesson
from courses.gradebook.models import Gradebook, GradeCategory, GradeItem
from courses.timetable.models import ClassSeries, ClassSession, Holiday, SeriesProposal
from tests.access import world as worlds

ALL = [one.key for one in copiers()]


def copy(world, term, **more):
    given = {"slug": "ai101-next", "take": ALL, "weeks": None, "key": uuid.uuid4(), "actor": None}
    return copy_run(run_id=world.run.pk, term_id=term.pk, **(given | more))


def next_term(world, weeks=26):
    starts = world.run.term.starts_on + timedelta(weeks=weeks)
    return catalog.open_term(
        slug="2027-1", name_ko="다음 학기", starts_on=starts, ends_on=starts + timedelta(90), actor=None
    )


def furnish(world):
    """Everything that is copied, and work that is not."""
    world.job()
    opens = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
    second = Module.objects.create(run=world.run, position=2, title="둘째 주", starts_on=date(2026, 12, 1))
    change_module(module_id=second.pk, fields={"opens_at": opens, "needs": [world.module.pk]}, actor=None)
    add_file(lesson_id=world.lesson.pk, upload=SimpleUploadedFile("plot.png", b"\x89PNG\r\n\x1a\n1"), actor=None)
    change_lesson(lesson_id=world.lesson.pk, fields={"body": "![그림](files/plot.png)"}, actor=None)
    change_lesson(lesson_id=world.lesson.pk, fields={"body": "초안"}, actor=None, is_draft=True)
    work = open_assignment(
        module_id=second.pk, actor=None, title="과제", kind="LAB", lab=_lab_in(second, world), due_at=opens,
        rubric=[{"key": "a", "title": "정확", "levels": [["좋음", "10"], ["보통", "5"]]}], late_deduct_pct=Decimal(10),
    )  # fmt: skip
    suite = {
        "visible": "def test_a(): pass",
        "environment_id": world.environment.pk,
        "seed": 1,
        "wall_s": 60,
        "gpus": 1,
    }
    for hidden in ("def test_b(): pass", "def test_c(): pass"):
        save_suite(assignment_id=work.pk, hidden=hidden, actor=None, **suite)
    category = GradeCategory.objects.create(run=world.run, position=1, name="과제", weight=Decimal(40))
    Gradebook.objects.create(run=world.run, decimals=1)
    GradeItem.objects.create(
        category=category, position=1, title="과제", kind="ASSIGNMENT", out_of=100, assignment=work
    )
    GradeItem.objects.create(category=category, position=2, title="발표", out_of=10)
    ClassSeries.objects.create(
        run=world.run, title="월요 강의", weekdays=[0], starts=time(10), ends=time(12), from_on=date(2026, 11, 2),
        until_on=date(2026, 12, 14),
    )  # fmt: skip
    return work


def _lab_in(module, world):
    lab = world.lab
    Lab.objects.filter(pk=lab.pk).update(module=module)
    return Lab.objects.get(pk=lab.pk)


@pytest.fixture
def world():
    return worlds.build()


@pytest.mark.django_db
class TestCopy:
    def test_what_is_taught_comes_along_with_its_dates_moved(self, world):
        work = furnish(world)
        made = copy(world, next_term(world))
        weeks = timedelta(weeks=26)
        first, second = Module.objects.filter(run=made).order_by("position")
        assert (first.title, second.title, second.starts_on) == ("첫 주", "둘째 주", date(2026, 12, 1) + weeks)
        assert second.opens_at == datetime(2026, 12, 1, 0, 0, tzinfo=UTC) + weeks
        assert list(ModuleNeed.objects.filter(module__run=made).values_list("module_id", "needs_id")) == [
            (second.pk, first.pk)
        ]
        lesson = Lesson.objects.get(module__run=made)
        assert (lesson.body, lesson.version, lesson.versions.count()) == ("![그림](files/plot.png)", 1, 1)
        assert lesson.files.get().file.name == world.lesson.files.get().file.name
        new = Assignment.objects.get(module=second)
        assert (new.due_at, new.rubric, new.late_deduct_pct) == (work.due_at + weeks, work.rubric, Decimal(10))
        assert new.lab == Lab.objects.get(module=second)
        assert list(new.lab.data_sets.all()) == [world.data_set]
        assert TestSuite.objects.get(assignment=new).hidden == "def test_c(): pass"
        assert list(GradeItem.objects.filter(category__run=made).values_list("title", "assignment")) == [
            ("과제", new.pk), ("발표", None),
        ]  # fmt: skip
        assert made.gradebook.decimals == 1
        proposal = SeriesProposal.objects.get(run=made)
        assert (proposal.title, proposal.from_on) == ("월요 강의", date(2026, 11, 2) + weeks)

    def test_nobody_and_nothing_of_theirs_comes_along(self, world):
        furnish(world)
        made = copy(world, next_term(world))
        assert not made.is_published
        assert not Cohort.objects.filter(run=made).exists()
        assert not Enrolment.objects.filter(run=made).exists()
        assert not LabRun.objects.filter(lab__module__run=made).exists()
        assert not Submission.objects.filter(assignment__module__run=made).exists()
        assert not ClassSession.objects.filter(run=made).exists()

    def test_the_same_form_makes_one_copy(self, world):
        furnish(world)
        term, key = next_term(world), uuid.uuid4()
        assert copy(world, term, key=key) == copy(world, term, key=key)
        assert CourseRun.objects.count() == 2
        with pytest.raises(InvalidInput):
            copy(world, term, slug="another")

    def test_what_hangs_on_something_needs_it(self, world):
        with pytest.raises(InvalidInput) as refused:
            copy(world, next_term(world), take=["assignments", "content"])
        assert "take" in refused.value.fields
        assert CourseRun.objects.count() == 1

    def test_an_item_without_its_assignment_stays_behind(self, world):
        furnish(world)
        made = copy(world, next_term(world), take=["content", "gradebook"])
        assert [item.title for item in GradeItem.objects.filter(category__run=made)] == ["발표"]

    def test_a_large_run_takes_as_many_queries_as_a_small_one(self, world):
        furnish(world)
        term = next_term(world)

        def queries(slug, at):
            with CaptureQueriesContext(connection) as captured:
                copy(world, at, slug=slug)
            return len(captured)

        few = queries("small", term)
        for number in range(20):
            module = Module.objects.create(run=world.run, position=10 + number, title=f"{number}")
            Lesson.objects.bulk_create(Lesson(module=module, position=n, title=f"{n}") for n in range(10))
            open_assignment(module_id=module.pk, actor=None, title=f"과제 {number}")
        starts = term.starts_on + timedelta(200)
        later = catalog.open_term(
            slug="2027-2", name_ko="또", starts_on=starts, ends_on=starts + timedelta(90), actor=None
        )
        assert queries("large", later) == few

    def test_only_administrators_who_may_change_it_copy_it(self, world):
        term = next_term(world)
        with pytest.raises(NotFound):
            copy(world, term, actor=world.people["stranger"])
        with pytest.raises(NotAllowed):
            copy(world, term, actor=world.people["instructor"])


@pytest.mark.django_db
class TestPage:
    def test_a_preview_says_old_and_new_dates_and_holidays_then_the_copy_is_made(self, world):
        furnish(world)
        term = next_term(world)
        Holiday.objects.create(on=date(2026, 12, 1) + timedelta(weeks=26), name_ko="개교기념일")
        client = Client()
        client.force_login(world.people["campus_admin"])
        url = f"/catalog/runs/{world.run.pk}/copy/"
        page = client.get(url).content.decode()
        assert f'value="{term.pk}" selected' in page
        key = uuid.uuid4()
        given = {"term": term.pk, "slug": "ai101-2027-1", "weeks": "", "take": ALL, "key": str(key)}
        page = client.get(url, given).content.decode()
        for words in ("26주 뒤로", "개교기념일", "둘째 주", "월요 강의", "발표"):
            assert words in page
        assert not RunCopy.objects.exists()
        for _click in range(2):
            assert client.post(url, given).url == "/courses/ai101-2027-1/"
        assert RunCopy.objects.count() == 1

    def test_a_proposal_fills_the_form_of_a_series_and_goes_once_planned(self, world):
        proposal = SeriesProposal.objects.create(
            run=world.run, title="월요 강의", weekdays=[0], starts=time(10), ends=time(12),
            from_on=timezone.localdate(), until_on=timezone.localdate() + timedelta(14),
        )  # fmt: skip
        client = Client()
        client.force_login(world.people["campus_admin"])
        url = f"/courses/{world.run.slug}/series/new/?proposal={proposal.pk}"
        assert 'value="월요 강의"' in client.get(url).content.decode()
        form = {"title": "월요 강의", "kind": "LECTURE", "weekdays": ["0"], "starts": "10:00", "ends": "12:00"}
        form |= {"from_on": proposal.from_on, "until_on": proposal.until_on, f"cohort_{world.cohort.pk}": "on"}
        answer = client.post(url, form)
        assert answer.status_code == 302, answer.content.decode()[-3000:]
        assert not SeriesProposal.objects.exists()
        assert ClassSeries.objects.get().title == "월요 강의"


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_copy():
    world = worlds.build()
    term, key, made = next_term(world), uuid.uuid4(), []

    def click():
        try:
            made.append(copy(world, term, key=key).pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert len(set(made)) == CourseRun.objects.count() - 1 == 1


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(-400, 400))
def test_terms_lie_whole_weeks_apart(start, days):
    weeks = weeks_between(start, start + timedelta(days=days))
    assert abs(weeks * 7 - days) <= 3


@given(st.integers(0, 80_000), st.integers(-60, 60))
def test_a_moved_time_keeps_weekday_and_clock_also_where_clocks_change(hours, weeks):
    zone = ZoneInfo("Europe/Berlin")
    before = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    after = shift_time(before, weeks, zone)
    moved = before.astimezone(zone).replace(tzinfo=None) + timedelta(weeks=weeks)
    again = moved.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    assert after.astimezone(zone).replace(tzinfo=None) == again  # an hour that does not exist moves on by one
    assert shift_time(None, weeks, zone) is None
