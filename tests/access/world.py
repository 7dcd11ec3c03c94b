"""A small campus with one person of each role, opened through the services that open real ones."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from campus.people.models import User
from campus.places import api as places
from campus.places.models import Building, Campus, Room
from campus.web.services import open_whole_campus
from courses.assignments import api as assignments
from courses.assignments.models import Lab
from courses.catalog import api as catalog
from courses.catalog.models import Cohort, CourseRun, Enrolment
from courses.content.models import Lesson, Module
from infra.pool import api as pool
from infra.pool.models import Node
from labs.environments.models import DataSet, Environment
from labs.jobs.models import Job
from tests import factories

MAIN = {"main.py": b"print('hello')\n"}
HOUR = factories.HOUR


@dataclass
class World:
    """Yongin with a cohort, its staff and a learner; Jeonbuk with a cohort of its own; somebody of nothing."""

    yongin: Campus
    jeonbuk: Campus
    run: CourseRun
    cohort: Cohort
    other_cohort: Cohort
    building: Building
    room: Room
    module: Module
    lesson: Lesson
    lab: Lab
    environment: Environment
    data_set: DataSet
    node: Node
    node_token: str
    enrolment: Enrolment
    people: dict[str, User] = field(default_factory=dict)

    @property
    def learner(self) -> User:
        return self.people["learner"]

    @transaction.atomic
    def job(self, **wishes: Any) -> Job:
        """A queued run of the lab by the learner."""
        run, _ = assignments.submit_lab_run(lab_id=self.lab.pk, user=self.learner, files=MAIN, **wishes)
        return run.job


@transaction.atomic
def build() -> World:
    """Make the world. Every person signs in with `factories.PASSWORD`."""
    factories.platform_account(10_000 * HOUR)
    yongin, jeonbuk = (_campus(*names) for names in (("yongin", "용인", "Yongin"), ("jeonbuk", "전북", "Jeonbuk")))
    run = _run()
    cohort, other = (_cohort(run, home) for home in (yongin, jeonbuk))
    building = places.add_building(campus_id=yongin.pk, actor=None, name_ko="본관", name_en="Main hall")
    room = places.save_room(building_id=building.pk, actor=None, name_ko="101호", capacity=40)
    module = Module.objects.create(run=run, position=1, title="첫 주")
    lesson = Lesson.objects.create(module=module, position=1, title="숫자 읽기", body="**굵게** $x^2$")
    environment = Environment.objects.create(slug="py311", name_ko="파이썬", name_en="Python", digest="a" * 64)
    data_set = DataSet(slug="digits", name_ko="숫자", digest="b" * 64, size_bytes=3, file_count=1)
    data_set.archive.save("digits.zip", ContentFile(b"zip"), save=True)
    lab = assignments.open_lab(
        module_id=module.pk, files=MAIN, data_sets=[data_set], actor=None,
        title="첫 실습", environment=environment, due_at=timezone.now() + timedelta(days=3),
    )  # fmt: skip
    node, token = pool.register_node(site_id=yongin.sites.get().pk, name="yongin-01", actor=None)
    people = _people(yongin, jeonbuk, cohort, other)
    enrolment = catalog.enrol(cohort_id=cohort.pk, user=people["learner"], mode="ONSITE", actor=None)
    catalog.enrol(cohort_id=other.pk, user=people["classmate"], mode="ONLINE", actor=None)
    return World(
        yongin, jeonbuk, run, cohort, other, building, room, module, lesson, lab, environment, data_set, node, token,
        enrolment, people,
    )  # fmt: skip


def _campus(slug: str, name_ko: str, name_en: str) -> Campus:
    from labs.quota import api as quota
    from labs.quota.models import Account

    made = open_whole_campus(
        actor=None, slug=slug, name_ko=name_ko, name_en=name_en, timezone="Asia/Seoul", address="경기도"
    )
    account = Account.objects.get(scope=made.scope, kind=Account.Kind.CAMPUS)
    quota.allocate(account_id=account.pk, delta_s=2000 * HOUR, reason="opening", actor=None)
    return made


def _run() -> CourseRun:
    today = timezone.localdate()
    programme = catalog.open_programme(slug="ai", name_ko="인공지능", name_en="AI", actor=None)
    course = catalog.open_course(
        programme_id=programme.pk, code="AI101", name_ko="기계학습", name_en="Machine learning", actor=None
    )
    term = catalog.open_term(
        slug="2026-2", name_ko="2학기", starts_on=today - timedelta(30), ends_on=today + timedelta(60), actor=None
    )
    return catalog.open_run(course_id=course.pk, term_id=term.pk, slug="ai101", is_published=True, actor=None)


def _cohort(run: CourseRun, home: Campus) -> Cohort:
    return catalog.open_cohort(
        run_id=run.pk, campus_id=home.pk, name=f"{home.name_ko} 1반", seats=20, learner_quota_s=5 * HOUR, actor=None,
        self_enrolment_opens_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip


def _people(yongin: Campus, jeonbuk: Campus, cohort: Cohort, other: Cohort) -> dict[str, User]:
    root = factories.platform_scope()
    return {
        "stranger": factories.UserFactory(name="남모름"),
        "learner": factories.UserFactory(name="박배움"),
        "classmate": factories.UserFactory(name="최다른"),
        "assistant": factories.staff("ASSISTANT", cohort.scope, name="조교님"),
        "instructor": factories.staff("INSTRUCTOR", cohort.scope, name="이선생"),
        "other_instructor": factories.staff("INSTRUCTOR", other.scope, name="다른반"),
        "campus_admin": factories.staff("CAMPUS_ADMIN", yongin.scope, name="용인장"),
        "other_admin": factories.staff("CAMPUS_ADMIN", jeonbuk.scope, name="전북장"),
        "platform_admin": factories.staff("PLATFORM_ADMIN", root, name="본부장"),
    }
