"""People, campuses and cohorts for these tests, opened through the services that open real ones."""

import itertools
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from campus.people.api import platform_scope
from campus.people.models import RoleGrant, Scope, User
from campus.places.api import open_campus
from campus.places.models import Campus
from courses.catalog import services as catalog
from courses.catalog.models import Cohort, CourseRun, Enrolment
from courses.content.models import Lesson, Module
from labs.quota import api as quota
from labs.quota.models import Account
from tests import factories

_numbers = itertools.count(1)
HOUR = 3600


def person(name: str = "김하늘", **fields: Any) -> User:
    """A person who can sign in."""
    number = next(_numbers)
    return User.objects.create_user(f"p{number}@example.kr", "a good password", name=name, **fields)


def people(count: int) -> list[User]:
    """Many people at once."""
    numbers = [next(_numbers) for _ in range(count)]
    return User.objects.bulk_create(User(email=f"p{n}@example.kr", name=f"지원자 {n}") for n in numbers)


def root() -> Scope:
    """The platform's scope, made again where a flushed database lost the migration's."""
    return factories.platform_scope()


def staff(role: str, scope: Any, name: str = "이선생") -> User:
    """A person who holds `role` at `scope`."""
    user = person(name)
    RoleGrant.objects.create(user=user, role=role, scope=scope)
    return user


@transaction.atomic
def campus(slug: str = "") -> Campus:
    """A campus with its quota account, 10,000 GPU-hours of the platform's."""
    slug = slug or f"campus-{next(_numbers)}"
    root = Account.objects.filter(kind=Account.Kind.PLATFORM).first() or quota.open_account(
        kind=Account.Kind.PLATFORM, name="Platform", parent=None, scope=platform_scope(), allocated_s=10**9
    )
    made = open_campus(actor=None, slug=slug, name_ko=f"{slug} 캠퍼스", name_en=slug, timezone="Asia/Seoul", address="")
    quota.open_account(
        kind=Account.Kind.CAMPUS, name=made.name_ko, parent=root, scope=made.scope, allocated_s=10_000 * HOUR
    )
    return made


def run(is_published: bool = True) -> CourseRun:
    """A course run of a new programme, in a term around today."""
    number = next(_numbers)
    today = timezone.localdate()
    programme = catalog.open_programme(slug=f"programme-{number}", name_ko="과정", actor=None)
    course = catalog.open_course(programme_id=programme.pk, code=f"AI{number}", name_ko="기계학습", actor=None)
    term = catalog.open_term(
        slug=f"term-{number}",
        name_ko="학기",
        starts_on=today - timedelta(30),
        ends_on=today + timedelta(60),
        actor=None,
    )
    return catalog.open_run(
        course_id=course.pk, term_id=term.pk, slug=f"run-{number}", is_published=is_published, actor=None
    )


def cohort(of: CourseRun | None = None, at: Campus | None = None, seats: int = 20, **fields: Any) -> Cohort:
    """A cohort that people may enrol in by themselves."""
    fields.setdefault("self_enrolment_opens_at", timezone.now() - timedelta(hours=1))
    fields.setdefault("learner_quota_s", HOUR)
    return catalog.open_cohort(
        run_id=(of or run()).pk,
        campus_id=(at or campus()).pk,
        name=f"반 {next(_numbers)}",
        seats=seats,
        actor=None,
        **fields,
    )


def learner(of: Cohort, name: str = "박배움", mode: str = "ONSITE") -> Enrolment:
    """A person enrolled in the cohort."""
    return catalog.enrol(cohort_id=of.pk, user=person(name), mode=mode, actor=None)


def learners(of: Cohort, count: int) -> None:
    """Many people enrolled at once: the rows that `enrol` leaves, without its three thousand queries."""
    users = people(count)
    made = Account.objects.bulk_create(
        Account(kind=Account.Kind.LEARNER, name=user.name, parent=of.account, scope=of.scope, owner=user)
        for user in users
    )
    for account in made:
        account.path = [*of.account.path, account.pk]
    Account.objects.bulk_update(made, ["path"])
    Enrolment.objects.bulk_create(
        Enrolment(cohort=of, run=of.run, user=user, account=account) for user, account in zip(users, made, strict=True)
    )


def lesson(of: CourseRun, **fields: Any) -> Lesson:
    """A lesson in a module of its own."""
    module = Module.objects.create(run=of, position=next(_numbers), title="단원")
    return Lesson.objects.create(module=module, position=1, **{"title": "수업", "body": "본문", **fields})
