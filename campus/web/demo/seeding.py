"""Seeding the demo campus, once: everything in one transaction, or nothing."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from campus.people.api import Role, platform_scope
from campus.people.models import RoleGrant, User
from campus.places.models import Campus
from courses.assignments.api import submit_lab_run
from courses.catalog.api import enrol, grant_for_term, withdraw
from courses.catalog.models import CourseRun, Enrolment
from courses.content.models import LessonCompletion
from infra.pool.models import Node
from labs.quota import api as quota
from labs.quota.models import Account

from . import activity, people, requests, rows
from .accounts import verify_addresses
from .announcements import announce
from .assignments import open_assignments
from .attendance import fill_attendance
from .course import HOUR, RUN_SLUG, Taught, open_teaching, starter
from .course_materials import open_materials
from .gradebook import open_gradebook
from .places import NODES, open_campuses
from .timetable import open_timetable

LOCK = 7_205_001  # of PostgreSQL's advisory locks: two seedings at once would both find nothing
CAMPUS_HOURS = {people.YONGIN: 2_400, people.JEONBUK: 1_800}
FIRST_RUN_KEY = "demo-first-run"


def seed(provide_nodes: Callable[[], None]) -> bool:
    """Seed the campus if it is empty; say whether it was. `provide_nodes()` registers the pool's nodes."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if CourseRun.objects.filter(slug=RUN_SLUG).exists():
            return False
        _seed(provide_nodes, timezone.now())
    return True


def _seed(provide_nodes: Callable[[], None], now: datetime) -> None:
    users = _create_people(now)
    admin = users[people.STAFF[0].email]
    RoleGrant.objects.create(user=admin, role=Role.PLATFORM_ADMIN, scope=platform_scope())
    _open_platform_account(admin)
    campuses = open_campuses(admin)
    _allocate(campuses, admin)
    provide_nodes()
    taught = open_teaching(campuses, admin, timezone.localdate(now))
    _appoint(users, campuses, taught, admin)
    _grant(campuses, taught, admin)
    enrolments = _enrol(users, taught, now)
    nodes = {slug: Node.objects.get(name=name) for slug, name in NODES.items()}
    rows.write_week(activity.past_week(enrolments, taught.labs, nodes, now))
    _read_lessons(enrolments, taught, now)
    open_timetable(taught, campuses, users, now)
    fill_attendance(taught.run, users, now)
    open_materials(taught, enrolments, now)
    open_assignments(taught, enrolments, users, now)
    open_gradebook(taught, enrolments)
    announce(campuses, taught, users, now)
    requests.ask_for_more(users, enrolments)
    for enrolment in enrolments:
        if enrolment.user.email.partition("@")[0] in people.WITHDRAWN:
            withdraw(enrolment_id=enrolment.pk, actor=None)
    submit_lab_run(
        lab_id=taught.labs["digits"].pk,
        user=users[people.DEMO_LEARNER.email],
        files={"main.py": starter("digits").encode()},
        idempotency_key=FIRST_RUN_KEY,
    )


def _create_people(now: datetime) -> dict[str, User]:
    made = []
    for number, person in enumerate(people.PEOPLE, start=1):
        user = User(email=person.email, name=person.name, member_number=f"{now.year}{number:04}")
        user.language = "en" if person.name.isascii() else "ko"
        user.joined_at = now - timedelta(days=40 - number % 12)
        user.set_unusable_password()
        made.append(user)
    User.objects.bulk_create(made)
    verify_addresses(made)
    return {user.email: user for user in made}


def _open_platform_account(admin: User) -> None:
    if not Account.objects.filter(kind=Account.Kind.PLATFORM).exists():
        quota.open_account(
            kind=Account.Kind.PLATFORM, name="AI 캠퍼스", parent=None, scope=platform_scope(), actor=admin,
            allocated_s=8_000 * HOUR, reason="두 데이터홀이 한 학기에 낼 수 있는 GPU 시간",
        )  # fmt: skip


def _allocate(campuses: dict[str, Campus], admin: User) -> None:
    for slug, hours in CAMPUS_HOURS.items():
        account = Account.objects.get(kind=Account.Kind.CAMPUS, scope=campuses[slug].scope)
        quota.allocate(account_id=account.pk, delta_s=hours * HOUR, reason="이번 학기 캠퍼스 배정", actor=admin)


def _grant(campuses: dict[str, Campus], taught: Taught, admin: User) -> None:
    """The province gives Jeonbuk hours of its own; Yongin has some for this term alone, of which a fifth may stay."""
    province = quota.add_sponsor(name_ko="전북특별자치도", name_en="Jeonbuk State", kind="PUBLIC", actor=admin)
    accounts = {
        slug: Account.objects.get(kind=Account.Kind.CAMPUS, scope=campuses[slug].scope)
        for slug in (people.YONGIN, people.JEONBUK)
    }
    quota.give_grant(
        account_id=accounts[people.JEONBUK].pk, gpu_seconds=300 * HOUR, label="지역 AI 인재 양성 지원",
        sponsor=province, ends_at=timezone.now() + timedelta(days=120), actor=admin,
    )  # fmt: skip
    grant_for_term(
        term_id=taught.run.term_id, account_id=accounts[people.YONGIN].pk, gpu_seconds=200 * HOUR, carry_pct=20,
        actor=admin,
    )  # fmt: skip


def _appoint(users: dict[str, User], campuses: dict[str, Campus], taught: Taught, admin: User) -> None:
    """Campus administrators at their campus; instructors and assistants at their cohort."""
    kinds = {"instructor": Role.INSTRUCTOR, "assistant": Role.ASSISTANT}
    grants = []
    for person in people.STAFF:
        if person.role == "campus-admin":
            grants.append((person, Role.CAMPUS_ADMIN, campuses[person.campus].scope))
        elif person.role in kinds:
            grants.append((person, kinds[person.role], taught.cohorts[person.campus].scope))
    RoleGrant.objects.bulk_create(
        RoleGrant(user=users[person.email], role=role, scope=scope, granted_by=admin) for person, role, scope in grants
    )


def _enrol(users: dict[str, User], taught: Taught, now: datetime) -> list[Enrolment]:
    made = [
        enrol(cohort_id=taught.cohorts[person.campus].pk, user=users[person.email], mode=person.mode, actor=None)
        for person in people.LEARNERS
    ]
    for number, enrolment in enumerate(made):
        enrolment.enrolled_at = now - timedelta(days=20, hours=number % 30, minutes=number * 7 % 60)
    Enrolment.objects.bulk_update(made, ["enrolled_at"])
    found = Enrolment.objects.select_related("user", "account", "cohort__campus").filter(run=taught.run)
    return list(found.order_by("pk"))


def _read_lessons(enrolments: list[Enrolment], taught: Taught, now: datetime) -> None:
    """People read in order, some more, some less; nobody reads what is not published."""
    lessons = [lesson for lesson in taught.lessons if lesson.is_published]
    done = []
    for enrolment in enrolments:
        rng = random.Random(f"reading of {enrolment.user.email}")  # noqa: S311 - no secret
        is_demo = enrolment.user.email == people.DEMO_LEARNER.email
        count = 4 if is_demo else min(len(lessons), max(0, round(rng.gauss(3.6, 1.6))))
        for number, lesson in enumerate(lessons[:count]):
            at = now - timedelta(days=12 - number * 2, minutes=rng.randint(0, 1400))
            done.append(LessonCompletion(enrolment=enrolment, lesson=lesson, at=min(at, now - timedelta(hours=1))))
    LessonCompletion.objects.bulk_create(done)
