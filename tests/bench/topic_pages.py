"""Page times over HTTP on one uvicorn worker, and query counts at one row and at many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from campus.people.models import User

from . import world
from .bench import Bench
from .figures import Aim, Figure, count, missing, times
from .http import Browser, signed_in
from .services import Campus
from .world import Size, World

TOPIC = "pages"
WARM_UP = 8
PAGE_AIM = Aim(40.0)
QUERIES_AIM = Aim(20, of="value")


@dataclass(frozen=True)
class Page:
    """A page, who looks at it, and where it is in a world."""

    name: str
    who: Callable[[World], User]
    where: Callable[[World], str]


def _learner(at: World) -> User:
    return at.learner


def _instructor(at: World) -> User:
    return at.instructor


def _admin(at: World) -> User:
    return at.platform_admin


PAGES = (
    Page("Today, learner", _learner, lambda at: reverse("web:home")),
    Page("Today, instructor", _instructor, lambda at: reverse("web:home")),
    Page("Today, administrator", _admin, lambda at: reverse("web:home")),
    Page("course", _learner, lambda at: reverse("catalog:run", args=[at.run.slug])),
    Page("course, instructor", _instructor, lambda at: reverse("catalog:run", args=[at.run.slug])),
    Page("cohort board", _instructor, lambda at: reverse("web:cohort-board", args=[at.cohort.pk])),
    Page("who may need help", _instructor, lambda at: reverse("support:cohort", args=[at.cohort.pk])),
    Page("announcements", _learner, lambda at: reverse("announcements:list")),
    Page("announcements, written", _instructor, lambda at: reverse("announcements:list") + "?show=written"),
    Page("how one is told", _learner, lambda at: reverse("notice-choices")),
    Page("cohorts", _instructor, lambda at: reverse("web:cohorts")),
    Page("roster", _instructor, lambda at: reverse("catalog:roster", args=[at.cohort.pk])),
    Page("timetable, week, learner", _learner, lambda at: reverse("timetable:week")),
    Page("timetable, week, instructor", _instructor, lambda at: reverse("timetable:week")),
    Page("timetable, month", _instructor, lambda at: reverse("timetable:month")),
    Page("class", _learner, lambda at: reverse("timetable:class", args=[at.class_id])),
    Page("class, instructor", _instructor, lambda at: reverse("timetable:class", args=[at.class_id])),
    Page("my attendance", _learner, lambda at: reverse("attendance:mine")),
    Page("roll of a class", _instructor, lambda at: reverse("attendance:board", args=[at.class_id])),
    Page("attendance of a term", _instructor, lambda at: reverse("attendance:term", args=[at.cohort.pk])),
    Page("attendance, what waits", _instructor, lambda at: reverse("attendance:desk")),
    Page("office hours", _learner, lambda at: reverse("timetable:office-hours")),
    Page("plan a class", _instructor, lambda at: reverse("timetable:new", args=[at.run.slug])),
    Page("pool board", _admin, lambda at: reverse("web:pool")),
    Page("node", _admin, lambda at: reverse("web:node", args=[at.node_name])),
    Page("jobs, own", _learner, lambda at: reverse("jobs:list")),
    Page("jobs, all taught", _instructor, lambda at: reverse("jobs:list") + "?whose=all"),
    Page("job", _learner, lambda at: reverse("jobs:job", args=[at.job_id])),
    Page("new job", _learner, lambda at: reverse("jobs:new")),
    Page("quota tree", _admin, lambda at: reverse("quota:tree")),
    Page("quota account of a cohort", _admin, lambda at: reverse("quota:account", args=[at.cohort_account_id])),
    Page("usage", _learner, lambda at: reverse("usage:mine")),
    Page("usage of a cohort", _instructor, lambda at: reverse("usage:account", args=[at.cohort_account_id])),
    Page("lab", _learner, lambda at: reverse("assignments:lab", args=[at.lab_id])),
    Page("assignments, own", _learner, lambda at: reverse("assignments:list", args=[at.run.slug])),
    Page("assignments", _instructor, lambda at: reverse("assignments:list", args=[at.run.slug])),
    Page("assignment", _learner, lambda at: reverse("assignments:assignment", args=[at.assignment_id])),
    Page("work to grade", _instructor, lambda at: reverse("assignments:submissions", args=[at.assignment_id])),
    Page("grading desk", _instructor, lambda at: reverse("assignments:desk", args=[at.assignment_id, at.enrolment_id])),
    Page("deadlines", _instructor, lambda at: reverse("assignments:deadlines", args=[at.assignment_id])),
    Page("more time after an outage", _instructor, lambda at: reverse("assignments:offers", args=[at.assignment_id])),
    Page("groups", _instructor, lambda at: reverse("assignments:groups", args=[at.group_set_id])),
    Page("gradebook", _instructor, lambda at: reverse("gradebook:book", args=[at.run.slug])),
    Page("grades, own", _learner, lambda at: reverse("gradebook:grades", args=[at.run.slug])),
    Page("lesson", _learner, lambda at: reverse("content:lesson", args=[at.lesson_id])),
    Page("lesson, edit", _instructor, lambda at: reverse("content:edit-lesson", args=[at.lesson_id])),
    Page("lesson, versions", _instructor, lambda at: reverse("content:versions", args=[at.lesson_id])),
    Page("lesson, a version", _instructor, lambda at: reverse("content:version", args=[at.lesson_id, 1])),
    Page("module, edit", _instructor, lambda at: reverse("content:edit-module", args=[at.module_id])),
    Page("course, order", _instructor, lambda at: reverse("content:order", args=[at.run.slug])),
    Page("course, as a learner", _instructor, lambda at: reverse("catalog:run", args=[at.run.slug]) + "?as=learner"),
    Page("video", _learner, lambda at: reverse("materials:material", args=[at.pages.video_id])),
    Page("video, instructor", _instructor, lambda at: reverse("materials:material", args=[at.pages.video_id])),
    Page("video, edit", _instructor, lambda at: reverse("materials:edit", args=[at.pages.video_id])),
    Page(
        "video of a learner",
        _instructor,
        lambda at: reverse("materials:learner", args=[at.pages.video_id, at.enrolment_id]),
    ),
    Page("progress of a cohort", _instructor, lambda at: reverse("materials:run", args=[at.run.slug])),
    Page("search results", _learner, lambda at: reverse("search:search") + f"?q={quote('수업')}"),
    Page("search results, instructor", _instructor, lambda at: reverse("search:search") + f"?q={quote('수업')}"),
    Page("announcement", _learner, lambda at: reverse("announcements:announcement", args=[at.pages.announcement_id])),
    Page("announcement, edit", _instructor, lambda at: reverse("announcements:edit", args=[at.pages.announcement_id])),
    Page("announcement, new", _instructor, lambda at: reverse("announcements:new")),
    Page("support of a learner", _instructor, lambda at: reverse("support:learner", args=[at.enrolment_id])),
    Page("support, thresholds", _instructor, lambda at: reverse("support:thresholds", args=[at.cohort.pk])),
    Page("support, write", _instructor, lambda at: reverse("support:write", args=[at.enrolment_id])),
    Page("message of staff", _learner, lambda at: reverse("support:message", args=[at.pages.message_id])),
    Page("my mark of a class", _learner, lambda at: reverse("attendance:mark", args=[at.enrolment_id, at.class_id])),
    Page("a mark, instructor", _instructor, lambda at: reverse("attendance:mark", args=[at.enrolment_id, at.class_id])),
    Page("attendance of a learner", _instructor, lambda at: reverse("attendance:learner", args=[at.enrolment_id])),
    Page("attendance, policy", _instructor, lambda at: reverse("attendance:policy", args=[at.run.slug])),
    Page("office hours, instructor", _instructor, lambda at: reverse("timetable:office-hours")),
    Page("move a class", _instructor, lambda at: reverse("timetable:edit", args=[at.class_id])),
    Page("plan a series", _instructor, lambda at: reverse("timetable:new-series", args=[at.run.slug])),
    Page("calendar address", _learner, lambda at: reverse("timetable:calendar")),
    Page("version handed in", _learner, lambda at: reverse("assignments:submission", args=[at.pages.submission_id])),
    Page("assignment, edit", _instructor, lambda at: reverse("assignments:edit-assignment", args=[at.assignment_id])),
    Page("assignment, tests", _instructor, lambda at: reverse("assignments:tests", args=[at.assignment_id])),
    Page("assignments, policy", _instructor, lambda at: reverse("assignments:policy", args=[at.run.slug])),
    Page(
        "regrade",
        _instructor,
        lambda at: reverse("assignments:regrade", args=[at.pages.regraded_id, at.pages.regrade_id]),
    ),
    Page("group sets", _instructor, lambda at: reverse("assignments:group-sets", args=[at.run.slug])),
    Page("gradebook, setup", _instructor, lambda at: reverse("gradebook:setup", args=[at.run.slug])),
    Page("gradebook, scheme", _instructor, lambda at: reverse("gradebook:scheme", args=[at.run.slug])),
    Page(
        "gradebook, a column", _instructor, lambda at: reverse("gradebook:item", args=[at.run.slug, at.pages.item_id])
    ),
    Page("gradebook, entries", _instructor, lambda at: reverse("gradebook:entries", args=[at.run.slug])),
    Page("gradebook, questions", _instructor, lambda at: reverse("gradebook:questions", args=[at.run.slug])),
    Page("gradebook, final grades", _instructor, lambda at: reverse("gradebook:finals", args=[at.run.slug])),
    Page("gradebook, a learner", _instructor, lambda at: reverse("gradebook:row", args=[at.enrolment_id])),
    Page(
        "history of a mark",
        _instructor,
        lambda at: reverse("gradebook:history", args=[at.enrolment_id, at.pages.item_id]),
    ),
    Page("ask about a mark", _learner, lambda at: reverse("gradebook:ask", args=[at.run.slug, at.pages.item_id])),
    Page("courses, administrator", _admin, lambda at: reverse("catalog:administration")),
    Page("copy a course", _admin, lambda at: reverse("catalog:copy-run", args=[at.run.pk])),
    Page("courses", _learner, lambda at: reverse("catalog:list")),
    Page("people", _admin, lambda at: reverse("web:people")),
    Page("campuses", _admin, lambda at: reverse("web:campuses")),
)


def run(bench: Bench) -> list[Figure]:
    """Build the big campus and the smallest one; count queries in both, take times in the big one."""
    big = world.QUICK if bench.is_quick else world.BIG
    with bench.stand.database("bench_small"):
        few = _count_all(world.build(world.SMALL))
    with bench.stand.database("bench_pages") as database:
        bench.say(f"building a campus: {_words(big)}")
        built = world.build(big)
        _analyse()
        many = _count_all(built)
        for page in PAGES:
            bench.keep(_queries(page, few[page.name], many[page.name]))
        with bench.stand.campus(database) as campus:
            campus.start_web()
            for page in PAGES:
                bench.keep(_times(page, built, campus, bench.choose(100, 3), bench.choose(WARM_UP, 1)))
    return bench.take_partial()


def _analyse() -> None:
    """Let the planner know the tables, as autovacuum does within a minute on a server that was filled."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _words(size: Size) -> str:
    return f"cohort of {size.learners}, {size.gpus} GPUs, {size.queued} queued, {size.running} running"


def _count_all(built: World) -> dict[str, int | str]:
    return {page.name: _count(page, built) for page in PAGES}


def _count(page: Page, built: World) -> int | str:
    """How many queries the page takes when nothing of it is kept from before; or why it cannot be had."""
    try:
        path = page.where(built)
    except NoReverseMatch as error:
        return f"no such page yet: {error}"[:120]
    client = Client(raise_request_exception=False)
    client.cookies.load(signed_in(page.who(built))["Cookie"])
    client.get(path)
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(path)
    return len(caught) if answer.status_code == 200 else f"{path} answered {answer.status_code}"


def _queries(page: Page, few: int | str, many: int | str) -> Figure:
    name = f"{page.name}: queries"
    for counted in (few, many):
        if isinstance(counted, str):
            return missing(TOPIC, name, "queries", counted, aim=QUERIES_AIM)
    note = f"{few} at one row" if few == many else f"**{few} at one row: not the same**"
    return count(TOPIC, name, int(many), unit="queries", aim=QUERIES_AIM, note=note)


def _times(page: Page, built: World, campus: Campus, repetitions: int, warm_up: int) -> Figure:
    """Times seen by one browser that asks for one page after the other; beside them the server's processor time."""
    try:
        path = page.where(built)
    except NoReverseMatch as error:
        return missing(TOPIC, page.name, "ms", f"no such page yet: {error}"[:120], aim=PAGE_AIM)
    browser = Browser(campus.port, signed_in(page.who(built)))
    try:
        for _ in range(warm_up):
            answer = browser.get(path)
            if answer.status != 200:
                return missing(TOPIC, page.name, "ms", f"{path} answered {answer.status}", aim=PAGE_AIM)
        before_s = campus.processor_s("web")
        took = [browser.get(path).took_ms for _ in range(repetitions)]
        cost_ms = (campus.processor_s("web") - before_s) / repetitions * 1e3
    finally:
        browser.close()
    return times(
        TOPIC,
        page.name,
        took,
        aim=PAGE_AIM,
        note=f"{len(answer.body) / 1024:.0f} KiB, {cost_ms:.1f} ms of the web's processor",
    )
