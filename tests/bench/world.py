"""A campus of any size, in seconds: opened through the services, filled by bulk inserts that obey every constraint.

`build(size)` in an empty, migrated database. Balances equal the ledger afterwards; the nightly rebuild proves it
there and then.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from campus.people.api import platform_scope
from campus.people.models import RoleGrant, Scope, User
from campus.places.models import Campus
from campus.web.services import open_whole_campus
from courses.assignments.models import Lab
from courses.catalog import services as catalog
from courses.catalog.models import Cohort, CourseRun, Enrolment, Programme, Term
from courses.content.models import Lesson, LessonCompletion, Module
from courses.search.api import refresh
from infra.pool.models import Gpu, Node, Site
from labs.environments.models import Environment
from labs.jobs.api import store_bundle
from labs.quota import api as quota
from labs.quota.models import Account, Allocation

from .world_classes import plan_classes
from .world_content import Shown, show
from .world_jobs import JobMaker
from .world_work import hand_out, open_book

HOUR = 3600
LEARNER_QUOTA_S = 200 * HOUR
GPUS_A_NODE = 8
GPU_TYPE = "nvidia-h100"
TEXT = (
    "## 손글씨 숫자\n\n오차는 $E = \\frac{1}{n}\\sum_i (y_i - \\hat y_i)^2$ 입니다.\n\n```python\nprint('hello')\n```\n"
)


@dataclass(frozen=True)
class Size:
    """How much of everything. Jobs are a learner's, lessons and labs a module's, `side_cohorts` small ones besides."""

    learners: int
    modules: int
    lessons: int
    labs: int
    side_cohorts: int
    side_learners: int
    nodes: int
    gpus: int
    jobs: int
    jobs_of_viewer: int
    queued: int
    running: int


#: As the issue asks: a cohort of 300, 500 GPUs; and the smallest campus with one row of everything.
BIG = Size(300, 8, 3, 2, 24, 10, 63, 500, 4, 60, 80, 250)
SMALL = Size(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
QUICK = Size(24, 2, 2, 1, 3, 3, 3, 24, 1, 4, 4, 6)


@dataclass
class World:
    """Who and what the measurements ask for."""

    size: Size
    campuses: list[Campus]
    run: CourseRun
    cohort: Cohort
    learner: User
    instructor: User
    platform_admin: User
    learners: Sequence[User] = field(default_factory=list)
    lab_id: int = 0
    lesson_id: int = 0
    job_id: int = 0
    running_job_id: int = 0
    queued_job_id: int = 0
    node_name: str = ""
    cohort_account_id: int = 0
    class_id: int = 0
    assignment_id: int = 0
    group_set_id: int = 0
    enrolment_id: int = 0
    module_id: int = 0
    shown: Shown | None = None

    @property
    def pages(self) -> Shown:
        """What `world_content` filled."""
        assert self.shown is not None
        return self.shown


def build(size: Size, *, seed: int = 7) -> World:
    """Fill an empty database. Raises AssertionError where the nightly rebuild would find a difference."""
    rng = random.Random(seed)
    now = timezone.now()
    with transaction.atomic():
        campuses = open_campuses(allocated_s=20_000_000 * HOUR)
        run, programme, term = _open_run(now)
        cohort = open_cohort(run, campuses[0], "1기", seats=size.learners + 20, learner_quota_s=LEARNER_QUOTA_S)
        environment, labs, lessons = _materials(run, size, now)
        enrolments = enrol(cohort, people(size.learners, "learner"))
        _complete(lessons, enrolments, rng)
        learner, instructor = enrolments[0].user, people(1, "instructor")[0]
        (admin,) = people(1, "admin")
        _appoint(instructor, RoleGrant.Role.INSTRUCTOR, cohort.scope)
        _appoint(admin, RoleGrant.Role.PLATFORM_ADMIN, platform_scope())
        _side_cohorts(size, programme, term, campuses, instructor)
        class_id = plan_classes(cohort, list(Cohort.objects.exclude(pk=cohort.pk)), instructor.pk)
        module = Module.objects.filter(run=run).order_by("position")[0]
        given = hand_out(run, module, enrolments, size.modules + 1)
        items = open_book(run, given, enrolments, size.modules)
        shown = show(cohort, enrolments, instructor, given, items, class_id, size.modules)
        gpus = _pool(campuses, size)
        maker = JobMaker(rng, now, environment, labs)
        maker.ended(enrolments, size.jobs)
        maker.ended(enrolments[:1], size.jobs_of_viewer)
        maker.running(enrolments, gpus[: size.running])
        maker.queued(enrolments, size.queued)
        maker.write()
        differences = quota.rebuild()
    refresh()
    if differences:
        raise AssertionError(f"the world's balances are not its ledger's: {differences[:3]}")
    return World(
        size, campuses, run, cohort, learner, instructor, admin, [row.user for row in enrolments],
        lab_id=labs[0].pk, lesson_id=lessons[0].pk, job_id=maker.first_of(learner.pk),
        running_job_id=maker.first_running(), queued_job_id=maker.first_queued(),
        node_name=gpus[0].node.name, cohort_account_id=cohort.account_id, class_id=class_id,
        assignment_id=given[-1].pk, group_set_id=given[-1].group_set_id or 0, enrolment_id=enrolments[0].pk,
        module_id=module.pk, shown=shown,
    )  # fmt: skip


def open_campuses(*, allocated_s: int) -> list[Campus]:
    """The platform's account and two campuses, each with half of it."""
    root = quota.open_account(
        kind=Account.Kind.PLATFORM, name="AI Campus", parent=None, scope=platform_scope(), allocated_s=allocated_s
    )
    opened = []
    for slug, name_ko, name_en in (("yongin", "용인", "Yongin"), ("jeonbuk", "전북", "Jeonbuk")):
        made = open_whole_campus(
            actor=None, slug=slug, name_ko=name_ko, name_en=name_en, timezone="Asia/Seoul", address=""
        )
        account = Account.objects.get(kind=Account.Kind.CAMPUS, scope_id=made.scope_id)
        quota.allocate(account_id=account.pk, delta_s=root.allocated_s // 2, reason="Opened", actor=None)
        opened.append(made)
    return opened


def open_course_run() -> CourseRun:
    """A published course in a term around today."""
    return _open_run(timezone.now())[0]


def _open_run(now: datetime) -> tuple[CourseRun, Programme, Term]:
    programme = catalog.open_programme(slug="ai", name_ko="AI 엔지니어", name_en="AI engineer", actor=None)
    today = now.date()
    term = catalog.open_term(
        slug="now", name_ko="이번 학기", name_en="This term", starts_on=today - timedelta(60),
        ends_on=today + timedelta(60), actor=None,
    )  # fmt: skip
    return _run_of(programme, term, 0), programme, term


def _run_of(programme: Programme, term: Term, number: int) -> CourseRun:
    course = catalog.open_course(
        programme_id=programme.pk,
        code=f"AI{number:03}",
        name_ko=f"기계학습 {number}",
        name_en=f"ML {number}",
        actor=None,
    )
    return catalog.open_run(course_id=course.pk, term_id=term.pk, slug=f"ml-{number}", is_published=True, actor=None)


def open_cohort(run: CourseRun, campus: Campus, name: str, *, seats: int, learner_quota_s: int) -> Cohort:
    """A cohort that people may enrol in by themselves since yesterday."""
    return catalog.open_cohort(
        run_id=run.pk, campus_id=campus.pk, name=name, seats=seats, learner_quota_s=learner_quota_s,
        self_enrolment_opens_at=timezone.now() - timedelta(days=1), actor=None,
    )  # fmt: skip


def people(number: int, kind: str) -> list[User]:
    """People who cannot sign in by password: hashing one takes a quarter of a second."""
    made = [User(email=f"{kind}-{n}@campus.test", name=f"김하늘{n}") for n in range(number)]
    for user in made:
        user.set_unusable_password()
    return User.objects.bulk_create(made)


def enrol(cohort: Cohort, users: Sequence[User]) -> list[Enrolment]:
    """Seats, accounts and their allocations, as `catalog.enrol` would leave them."""
    parent = cohort.account
    accounts = Account.objects.bulk_create(
        Account(
            kind=Account.Kind.LEARNER, name=user.name, parent=parent, scope=cohort.scope, owner=user,
            allocated_s=cohort.learner_quota_s,
        )
        for user in users
    )  # fmt: skip
    for account in accounts:
        account.path = [*parent.path, account.pk]
    Account.objects.bulk_update(accounts, ["path"])
    share = cohort.learner_quota_s
    Allocation.objects.bulk_create(
        Allocation(account=account, delta_s=share, before_s=0, after_s=share, reason="Opened") for account in accounts
    )
    Account.objects.filter(pk=parent.pk).update(granted_s=share * len(users))
    Cohort.objects.filter(pk=cohort.pk).update(seats_taken=len(users))
    modes = Enrolment.Mode
    return Enrolment.objects.bulk_create(
        Enrolment(
            cohort=cohort, run=cohort.run, user=user, account=account,
            mode=modes.ONLINE if number % 3 == 2 else modes.ONSITE,
        )
        for number, (user, account) in enumerate(zip(users, accounts, strict=True))
    )  # fmt: skip


def _side_cohorts(size: Size, programme: Programme, term: Term, campuses: Sequence[Campus], instructor: User) -> None:
    for number in range(size.side_cohorts):
        run, home = _run_of(programme, term, number + 1), campuses[number % len(campuses)]
        cohort = open_cohort(run, home, "1기", seats=30, learner_quota_s=LEARNER_QUOTA_S)
        enrol(cohort, people(size.side_learners, f"side-{number}"))
        _appoint(instructor, RoleGrant.Role.INSTRUCTOR, cohort.scope)


def _appoint(user: User, role: str, scope: Scope) -> None:
    RoleGrant.objects.create(user=user, role=role, scope=scope)


def _materials(run: CourseRun, size: Size, now: datetime) -> tuple[Environment, list[Lab], list[Lesson]]:
    environment = Environment.objects.create(slug="digits", name_ko="숫자", name_en="Digits", digest="0" * 64)
    starter = store_bundle({"main.py": b"print('hello')\n"})
    modules = Module.objects.bulk_create(
        Module(run=run, position=number, title=f"{number}주차") for number in range(1, size.modules + 1)
    )
    lessons = Lesson.objects.bulk_create(
        Lesson(module=module, position=number, title=f"수업 {number}", body=TEXT * 10)
        for module in modules
        for number in range(1, size.lessons + 1)
    )
    labs = Lab.objects.bulk_create(
        Lab(
            module=module, position=number, title=f"실습 {module.position}-{number}", brief=TEXT, starter=starter,
            environment=environment, due_at=now + timedelta(days=7 * (module.position - size.modules // 2)),
        )
        for module in modules
        for number in range(1, size.labs + 1)
    )  # fmt: skip
    return environment, labs, lessons


def _complete(lessons: Sequence[Lesson], enrolments: Sequence[Enrolment], rng: random.Random) -> None:
    LessonCompletion.objects.bulk_create(
        LessonCompletion(enrolment=enrolment, lesson=lesson)
        for enrolment in enrolments
        for lesson in lessons
        if rng.random() < 0.5
    )


def _pool(campuses: Sequence[Campus], size: Size) -> list[Gpu]:
    """Nodes of 8 GPUs at both campuses until there are enough GPUs; the nodes are up and confined."""
    sites = [Site.objects.get(campus=home) for home in campuses]
    nodes = Node.objects.bulk_create(
        Node(
            site=sites[number % len(sites)], name=f"node-{number:04}", token_digest=f"{number:064x}",
            state=Node.State.UP, boot_id="boot", agent_version="1", confinement=Node.Confinement.FULL, cpu_count=96,
            memory_mib=1_048_576, heartbeat_at=timezone.now(),
        )
        for number in range(size.nodes)
    )  # fmt: skip
    a_node = -(-size.gpus // size.nodes)
    return Gpu.objects.bulk_create(
        Gpu(
            node=nodes[number // a_node], index=number % a_node, uuid=f"GPU-{number}", kind=Gpu.Kind.NVIDIA,
            gpu_type=GPU_TYPE, memory_mib=81_920, watts=700, utilisation_pct=number % 100, power_w=350,
            memory_used_mib=40_000,
        )
        for number in range(size.gpus)
    )  # fmt: skip
