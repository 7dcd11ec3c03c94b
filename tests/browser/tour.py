"""Every page that a role can reach, found as a person finds them: by the links of the pages above."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

from .parts import until_settled


@dataclass(frozen=True)
class Step:
    """A page: where it is, or the page on which a link leads to it and what that link's address looks like."""

    name: str
    at: str = ""
    on: str = ""
    link: str = ""
    status: int = 200


_EVERYONE = (
    Step("today", "/"),
    Step("courses", "/courses/"),
    Step("course", on="courses", link=r"^/courses/[^/]+/$"),
    Step("lesson", on="course", link=r"^/lessons/\d+/$"),
    Step("lab", on="course", link=r"^/labs/\d+/$"),
    Step("video", on="course", link=r"^/materials/\d+/$"),
    Step("assignments", on="course", link=r"^/courses/[^/]+/assignments/$"),
    Step("assignment", on="course", link=r"^/assignments/\d+/$"),
    Step("timetable", "/timetable/"),
    Step("timetable-month", "/timetable/month/"),
    Step("class", on="timetable-month", link=r"^/timetable/classes/\d+/$"),
    Step("office-hours", "/timetable/office-hours/"),
    Step("calendar", "/timetable/calendar/"),
    Step("jobs", "/jobs/"),
    Step("announcements", "/announcements/"),
    Step("announcement", on="announcements", link=r"^/announcements/\d+/$"),
    Step("profile", "/me/"),
    Step("notice-choices", "/me/notices/"),
    Step("security", "/accounts/2fa/"),
)
TOURS: dict[str, tuple[Step, ...]] = {
    "anonymous": (
        Step("front", "/"),
        Step("courses", "/courses/"),
        Step("course", on="courses", link=r"^/courses/[^/]+/$"),
        Step("sign-in", "/accounts/login/"),
        Step("sign-up", "/accounts/signup/"),
        Step("missing", "/nothing-here/", status=404),
    ),
    "learner": (
        *_EVERYONE,
        Step("submission", on="assignment", link=r"^/submissions/\d+/$"),
        Step("receipt", on="submission", link=r"^/receipts/\d+/"),
        Step("search", "/search/?q=데이터를"),
        Step("search-nothing", "/search/?q=없는말없는말"),
        Step("attendance", "/attendance/mine/"),
        Step("attendance-mark", on="attendance", link=r"^/attendance/learners/\d+/classes/\d+/$"),
        Step("grades", on="course", link=r"^/courses/[^/]+/grades/$"),
        Step("grade-ask", on="grades", link=r"^/courses/[^/]+/grades/\d+/ask/$"),
        Step("new-job", "/jobs/new/"),
        Step("job", on="jobs", link=r"^/jobs/\d+/$"),
        Step("sweeps", "/jobs/sweeps/"),
        Step("sweep", on="sweeps", link=r"^/jobs/sweeps/\d+/$"),
        Step("usage", "/usage/"),
        Step("requests", "/quota/requests/"),
        Step("notices", "/notices/"),
        Step("quota", "/quota/"),
        Step("quota-account", on="quota", link=r"^/quota/\d+/$"),
    ),
    "instructor": (
        *_EVERYONE,
        Step("materials-run", on="course", link=r"^/courses/[^/]+/materials/$"),
        Step("material-choose", on="course", link=r"^/modules/\d+/materials/new/$"),
        Step("material-new", on="material-choose", link=r"^/modules/\d+/materials/new/video/$"),
        Step("material-edit", on="video", link=r"^/materials/\d+/edit/$"),
        Step("material-learner", on="video", link=r"^/materials/\d+/learners/\d+/$"),
        Step("course-as-learner", on="course", link=r"^/courses/[^/]+/\?as=learner$"),
        Step("lesson-edit", on="lesson", link=r"^/lessons/\d+/edit/$"),
        Step("lesson-versions", on="lesson", link=r"^/lessons/\d+/versions/$"),
        Step("lesson-version", on="lesson-versions", link=r"^/lessons/\d+/versions/\d+/$"),
        Step("module-edit", on="course", link=r"^/modules/\d+/edit/$"),
        Step("assignment-new", on="course", link=r"^/modules/\d+/assignments/new/$"),
        Step("assignment-edit", on="assignment", link=r"^/assignments/\d+/edit/$"),
        Step("assignment-tests", on="assignment", link=r"^/assignments/\d+/tests/$"),
        Step("assignment-deadlines", on="assignment", link=r"^/assignments/\d+/deadlines/$"),
        Step("groups-of-course", on="assignments", link=r"^/courses/[^/]+/groups/$"),
        Step("groups", on="groups-of-course", link=r"^/group-sets/\d+/$"),
        Step("late-work", on="assignments", link=r"^/courses/[^/]+/assignments/policy/$"),
        Step("lab-of-course", on="course", link=r"^/labs/\d+/$"),
        Step("lab-assignment", on="lab-of-course", link=r"^/assignments/\d+/$"),
        Step("lab-deadlines", on="lab-assignment", link=r"^/assignments/\d+/deadlines/$"),
        Step("offers", on="lab-deadlines", link=r"^/assignments/\d+/offers/$"),
        Step("grading", on="assignments", link=r"^/assignments/\d+/submissions/$"),
        Step("desk", on="grading", link=r"^/assignments/\d+/grade/\d+/$"),
        Step("gradebook", on="course", link=r"^/courses/[^/]+/gradebook/$"),
        Step("gradebook-setup", on="gradebook", link=r"^/courses/[^/]+/gradebook/setup/$"),
        Step("gradebook-scheme", on="gradebook-setup", link=r"^/courses/[^/]+/gradebook/setup/scheme/$"),
        Step("gradebook-category", on="gradebook-setup", link=r"^/courses/[^/]+/gradebook/categories/\d+/$"),
        Step("gradebook-item", on="gradebook-setup", link=r"^/courses/[^/]+/gradebook/items/\d+/$"),
        Step("gradebook-import", on="gradebook", link=r"^/courses/[^/]+/gradebook/import/$"),
        Step("gradebook-finals", on="gradebook", link=r"^/courses/[^/]+/gradebook/finals/$"),
        Step("gradebook-questions", on="gradebook", link=r"^/courses/[^/]+/gradebook/questions/$"),
        Step("gradebook-entries", on="gradebook", link=r"^/courses/[^/]+/gradebook/entries/$"),
        Step("gradebook-row", on="gradebook", link=r"^/gradebook/rows/\d+/$"),
        Step("gradebook-final", on="gradebook-row", link=r"^/gradebook/rows/\d+/final/$"),
        Step("gradebook-history", on="gradebook-row", link=r"^/gradebook/rows/\d+/history/\d+/$"),
        Step("all-jobs", "/jobs/?whose=all"),
        Step("job", on="all-jobs", link=r"^/jobs/\d+/$"),
        Step("plan-class", on="timetable", link=r"^/courses/[^/]+/classes/new/$"),
        Step("plan-series", on="timetable", link=r"^/courses/[^/]+/series/new/$"),
        Step("cohorts", "/cohorts/"),
        Step("cohort", on="cohorts", link=r"^/cohorts/\d+/$"),
        Step("roster", on="cohort", link=r"^/cohorts/\d+/roster/$"),
        Step("support", on="cohort", link=r"^/cohorts/\d+/support/$"),
        Step("support-learner", on="support", link=r"^/support/learners/\d+/$"),
        Step("support-write", on="support", link=r"^/support/learners/\d+/write/$"),
        Step("support-thresholds", on="support", link=r"^/cohorts/\d+/support/thresholds/$"),
        Step("announcements-written", "/announcements/?show=written"),
        Step("announcement-draft", on="announcements-written", link=r"^/announcements/\d+/$"),
        Step("announcement-new", "/announcements/new/"),
        Step("announcement-look", on="announcement-draft", link=r"^/announcements/\d+/publish/$"),
        Step("attendance-desk", "/attendance/"),
        Step("attendance-term", on="cohort", link=r"^/attendance/cohorts/\d+/$"),
        Step("attendance-roll", on="attendance-term", link=r"^/attendance/classes/\d+/$"),
        Step("attendance-learner", on="attendance-term", link=r"^/attendance/learners/\d+/$"),
        Step("attendance-mark", on="attendance-roll", link=r"^/attendance/learners/\d+/classes/\d+/$"),
        Step("attendance-policy", on="attendance-term", link=r"^/courses/[^/]+/attendance-policy/$"),
        Step("roster-import", on="roster", link=r"^/cohorts/\d+/roster/import/$"),
        Step("lesson-edit", on="lesson", link=r"^/lessons/\d+/edit/$"),
        Step("lab-edit", on="lab", link=r"^/labs/\d+/edit/$"),
        Step("usage", "/usage/"),
        Step("pool", "/pool/"),
        Step("what-if", "/scheduling/what-if/?basis=week"),
        Step("classes", "/scheduling/classes/"),
        Step("quota", "/quota/"),
        Step("quota-account", on="quota", link=r"^/quota/\d+/$"),
    ),
    "platform-admin": (
        Step("today", "/"),
        Step("cohorts", "/cohorts/"),
        Step("cohort", on="cohorts", link=r"^/cohorts/\d+/$"),
        Step("pool", "/pool/"),
        Step("node", on="pool", link=r"^/pool/nodes/(?!new)[^/]+/$"),
        Step("classes", "/scheduling/classes/"),
        Step("class-new", on="classes", link=r"^/scheduling/classes/new/$"),
        Step("lend", on="classes", link=r"^/scheduling/sites/\d+/lendings/$"),
        Step("site-limits", on="classes", link=r"^/scheduling/sites/\d+/limits/$"),
        Step("quota", "/quota/"),
        Step("quota-account", on="quota", link=r"^/quota/\d+/$"),
        Step("quota-allocate", on="quota", link=r"^/quota/\d+/allocate/"),
        Step("quota-desk", "/quota/desk/"),
        Step("quota-desk-edit", "/quota/desk/edit/?account=2&account=3"),
        Step("quota-desk-upload", "/quota/desk/upload/"),
        Step("quota-sponsors", "/quota/sponsors/"),
        Step("usage-account", on="quota-account", link=r"^/usage/accounts/\d+/$"),
        Step("courses", "/courses/"),
        Step("course", on="courses", link=r"^/courses/[^/]+/$"),
        Step("copy-run", on="course", link=r"^/catalog/runs/\d+/copy/$"),
        Step("campuses", "/campuses/"),
        Step("campus", on="campuses", link=r"^/campuses/(?!new)[^/]+/$"),
        Step("campus-new", on="campuses", link=r"^/campuses/new/$"),
        Step("catalog", "/catalog/"),
        Step("timetable-settings", "/timetable/settings/"),
        Step("holiday-new", "/timetable/holidays/new/"),
        Step("people", "/people/"),
        Step("person", on="people", link=r"^/people/\d+/$"),
        Step("audit", "/audit/"),
        Step("refused", "/styleguide/", status=403),
    ),
}


def tour(page: Page, role: str) -> Iterator[str]:
    """Visit the pages of a role and yield the name of each; a page to which no link leads is left out."""
    known: dict[str, list[str]] = {}
    for step in TOURS[role]:
        address = step.at or _first(known.get(step.on, []), step.link)
        if not address:
            continue
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == step.status, f"{step.name}: {answer.status} at {address}"
        until_settled(page)
        known[step.name] = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'))")
        yield step.name


def _first(links: list[str], pattern: str) -> str:
    return next((link for link in links if re.match(pattern, link)), "")
