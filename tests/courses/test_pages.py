"""Who gets which page, what the pages do, and that they cost the same for one row and for many."""

import base64
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from campus.people.api import Role
from campus.people.models import User
from courses.assignments.api import cohort_overview, open_lab
from courses.assignments.models import LabRun
from courses.catalog import services as catalog
from courses.catalog.models import Cohort, CourseRun, Enrolment, Term
from courses.content.models import Lesson, LessonCompletion
from labs.environments.models import Environment
from labs.jobs.models import Job, Sweep

from . import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    """A published run with a lesson, a hidden lesson, a lab, and everybody who could ask for it."""
    cohort = build.cohort(seats=40)
    lesson = build.lesson(cohort.run)
    hidden = build.lesson(cohort.run, is_published=False)
    environment = Environment.objects.create(slug="plain", name_ko="파이썬", digest="0" * 64)
    lab = open_lab(
        module_id=lesson.module_id, title="실습", brief="**할 일**", environment=environment, wall_s=60, max_wall_s=600,
        files={"main.py": b"print(1)\n"}, actor=None,
    )  # fmt: skip
    elsewhere = build.cohort(of=cohort.run)
    other_course = build.cohort()
    return {
        "cohort": cohort,
        "lesson": lesson,
        "hidden": hidden,
        "lab": lab,
        "people": {
            "anonymous": None,
            "stranger": build.person(),
            "learner of another course": build.learner(other_course).user,
            "withdrawn": _withdrawn(cohort),
            "learner": build.learner(cohort).user,
            "learner of the other cohort": build.learner(elsewhere).user,
            "assistant": build.staff(Role.ASSISTANT, cohort.scope),
            "instructor": build.staff(Role.INSTRUCTOR, cohort.scope),
            "instructor elsewhere": build.staff(Role.INSTRUCTOR, elsewhere.scope),
            "instructor of another course": build.staff(Role.INSTRUCTOR, other_course.scope),
            "campus admin": build.staff(Role.CAMPUS_ADMIN, cohort.campus.scope),
            "campus admin elsewhere": build.staff(Role.CAMPUS_ADMIN, other_course.campus.scope),
            "platform admin": build.staff(Role.PLATFORM_ADMIN, build.root()),
        },
    }


def _withdrawn(cohort):
    enrolment = build.learner(cohort)
    catalog.withdraw(enrolment_id=enrolment.pk, actor=None)
    return enrolment.user


READERS = {
    "learner", "learner of the other cohort", "assistant", "instructor", "instructor elsewhere", "campus admin",
    "platform admin",
}  # fmt: skip
EDITORS = {"instructor", "instructor elsewhere", "campus admin", "platform admin"}
STAFF = {"assistant", "instructor", "campus admin", "platform admin"}
ENROLLERS = {"instructor", "campus admin", "platform admin"}
ADMINS = {"campus admin", "campus admin elsewhere", "platform admin"}
EVERYBODY = {
    "anonymous", "stranger", "learner of another course", "withdrawn", "learner", "learner of the other cohort",
    "assistant", "instructor", "instructor elsewhere", "instructor of another course", "campus admin",
    "campus admin elsewhere", "platform admin",
}  # fmt: skip

# (page, who gets it, who may know of it but not do it; everybody else gets 404, and anonymous the sign-in page)
PAGES = [
    ("catalog:list", lambda p: [], EVERYBODY, set()),
    ("catalog:run", lambda p: [p["cohort"].run.slug], EVERYBODY, set()),
    ("content:lesson", lambda p: [p["lesson"].pk], READERS, set()),
    ("content:lesson", lambda p: [p["hidden"].pk], READERS - {"learner", "learner of the other cohort"}, set()),
    ("content:edit-lesson", lambda p: [p["lesson"].pk], EDITORS, READERS - EDITORS),
    ("content:new-lesson", lambda p: [p["lesson"].module_id], EDITORS, READERS - EDITORS),
    ("content:edit-module", lambda p: [p["lesson"].module_id], EDITORS, READERS - EDITORS),
    ("content:new-module", lambda p: [p["cohort"].run.slug], EDITORS, EVERYBODY - EDITORS - {"anonymous"}),
    ("assignments:lab", lambda p: [p["lab"].pk], READERS, set()),
    ("assignments:edit-lab", lambda p: [p["lab"].pk], EDITORS, READERS - EDITORS),
    ("assignments:new-lab", lambda p: [p["lesson"].module_id], EDITORS, READERS - EDITORS),
    ("catalog:roster", lambda p: [p["cohort"].pk], STAFF, set()),
    ("catalog:roster-add", lambda p: [p["cohort"].pk], ENROLLERS, {"assistant"}),
    ("catalog:roster-import", lambda p: [p["cohort"].pk], ENROLLERS, {"assistant"}),
    ("catalog:withdraw", lambda p: [_enrolment(p)], ENROLLERS, {"assistant"}),
    ("catalog:leave", lambda p: [_enrolment(p)], {"learner"}, set()),
    ("catalog:administration", lambda p: [], ADMINS, set()),
    ("catalog:new-programme", lambda p: [], ADMINS, set()),
    ("catalog:edit-programme", lambda p: [p["cohort"].run.course.programme_id], ADMINS, set()),
    ("catalog:new-course", lambda p: [], ADMINS, set()),
    ("catalog:edit-course", lambda p: [p["cohort"].run.course_id], ADMINS, set()),
    ("catalog:new-term", lambda p: [], ADMINS, set()),
    ("catalog:edit-term", lambda p: [p["cohort"].run.term_id], ADMINS, set()),
    ("catalog:new-run", lambda p: [], ADMINS, set()),
    ("catalog:edit-run", lambda p: [p["cohort"].run_id], ADMINS, set()),
    ("catalog:new-cohort", lambda p: [p["cohort"].run_id], ADMINS, set()),
    ("catalog:edit-cohort", lambda p: [p["cohort"].pk], {"campus admin", "platform admin"}, set()),
]


def _enrolment(place):
    return Enrolment.objects.get(cohort=place["cohort"], user=place["people"]["learner"]).pk


def test_each_page_answers_each_person_as_it_should(client, place):
    wrong = []
    for who, user in place["people"].items():
        if user is not None:
            client.force_login(user)
        for name, arguments, allowed, forbidden in PAGES:
            status = client.get(reverse(name, args=arguments(place))).status_code
            wanted = 200 if who in allowed else 403 if who in forbidden else 302 if who == "anonymous" else 404
            if status != wanted:
                wrong.append(f"{name} for {who}: {status}, not {wanted}")
    assert wrong == []


def test_a_hidden_run_is_for_its_staff_only(client, place):
    CourseRun.objects.filter(pk=place["cohort"].run_id).update(is_published=False)
    for who, wanted in (("learner", 404), ("stranger", 404), ("instructor", 200), ("campus admin", 200)):
        client.force_login(place["people"][who])
        assert client.get(reverse("catalog:run", args=[place["cohort"].run.slug])).status_code == wanted
        assert client.get(reverse("assignments:lab", args=[place["lab"].pk])).status_code == wanted


def test_a_stranger_takes_a_seat_and_leaves_again(client, place):
    user = place["people"]["stranger"]
    client.force_login(user)
    url = reverse("catalog:run", args=[place["cohort"].run.slug])

    client.post(reverse("catalog:enrol", args=[place["cohort"].pk]), {"mode": "ONLINE"})
    enrolment = Enrolment.objects.get(user=user)
    assert reverse("catalog:leave", args=[enrolment.pk]) in client.get(url).content.decode()

    client.post(reverse("catalog:switch-mode", args=[enrolment.pk]), {"mode": "ONSITE"})
    client.post(reverse("catalog:leave", args=[enrolment.pk]))
    enrolment.refresh_from_db()
    assert (enrolment.mode, enrolment.state) == ("ONSITE", "WITHDRAWN")


def test_the_page_says_why_there_is_no_seat(client, place):
    full = build.cohort(seats=1)
    build.learner(full)
    client.force_login(place["people"]["stranger"])

    page = client.post(reverse("catalog:enrol", args=[full.pk]), {"mode": "ONLINE"}, follow=True)

    assert full.name in page.content.decode()
    assert not Enrolment.objects.filter(user=place["people"]["stranger"]).exists()


def test_a_lesson_is_marked_as_done_once_and_unmarked(client, place):
    user = place["people"]["learner"]
    client.force_login(user)
    url = reverse("content:done", args=[place["lesson"].pk])

    client.post(url, {"done": "yes"})
    client.post(url, {"done": "yes"})
    assert LessonCompletion.objects.filter(enrolment__user=user).count() == 1
    client.post(url, {"done": "no"})
    assert not LessonCompletion.objects.filter(enrolment__user=user).exists()


def test_staff_mark_nothing_as_done(client, place):
    client.force_login(place["people"]["assistant"])

    assert client.post(reverse("content:done", args=[place["lesson"].pk]), {"done": "yes"}).status_code == 403


def test_a_class_list_goes_from_file_to_preview_to_roster(client, place):
    cohort = place["cohort"]
    client.force_login(place["people"]["instructor"])
    url = reverse("catalog:roster-import", args=[cohort.pk])

    preview = client.post(
        url, {"text": "이메일,이름,수강 방식\nnew@b.kr,김새롬,온라인\nbad,박오류,대면\n"}
    ).content.decode()
    assert not User.objects.filter(email="new@b.kr").exists()
    fields = dict(re.findall(r'name="(content|digest|only_valid)" value="([^"]*)"', preview))
    assert "박오류" in base64.b64decode(fields["content"]).decode()
    client.post(url, fields)

    assert Enrolment.objects.get(user__email="new@b.kr").mode == "ONLINE"


def test_an_unreadable_file_is_refused_with_words_and_nothing_to_confirm(client, place):
    client.force_login(place["people"]["instructor"])

    page = client.post(reverse("catalog:roster-import", args=[place["cohort"].pk]), {"text": "name\nx\n"})

    assert page.status_code == 400
    assert 'name="digest"' not in page.content.decode()


def test_one_person_is_enrolled_by_hand_by_the_same_rules(client, place):
    client.force_login(place["people"]["instructor"])
    url = reverse("catalog:roster-add", args=[place["cohort"].pk])

    assert client.post(url, {"email": "solo@b.kr", "name": "=1+1", "mode": "ONSITE"}).status_code == 400
    client.post(url, {"email": "solo@b.kr", "name": "한단비", "mode": "ONSITE"})

    assert Enrolment.objects.get(user__email="solo@b.kr").user.name == "한단비"


def test_an_administrator_opens_term_run_and_cohort_in_the_browser(client, place):
    admin = place["people"]["campus admin"]
    client.force_login(admin)
    course = place["cohort"].run.course
    client.post(reverse("catalog:new-term"), {
        "name_ko": "겨울", "name_en": "Winter", "slug": "winter", "starts_on": "2027-01-04", "ends_on": "2027-02-26",
    })  # fmt: skip
    term = Term.objects.get(slug="winter")
    client.post(reverse("catalog:new-run"), {"course": course.pk, "term": term.pk, "slug": "ml-winter"})
    run = CourseRun.objects.get(slug="ml-winter")
    campus = place["cohort"].campus
    page = client.post(reverse("catalog:new-cohort", args=[run.pk]), {
        "campus": campus.pk, "name": "겨울반", "seats": 12, "learner_quota_s": "1.5", "quota_s": "",
    })  # fmt: skip

    cohort = Cohort.objects.get(run=run)
    assert page.status_code == 302
    assert (cohort.learner_quota_s, cohort.account.allocated_s) == (5400, 12 * 5400)


def test_a_cohort_at_a_campus_of_others_is_not_on_offer(client, place):
    client.force_login(place["people"]["campus admin elsewhere"])

    page = client.post(reverse("catalog:new-cohort", args=[place["cohort"].run_id]), {
        "campus": place["cohort"].campus_id, "name": "남의 반", "seats": 1, "learner_quota_s": "1",
    })  # fmt: skip

    assert page.status_code == 400
    assert not Cohort.objects.filter(name="남의 반").exists()


def test_an_instructor_writes_and_hides_a_lesson(client, place):
    client.force_login(place["people"]["instructor"])
    url = reverse("content:edit-lesson", args=[place["lesson"].pk])

    client.post(url, {"title": "새 제목", "minutes": 7, "body": "# 안녕\n\n$x^2$"})

    lesson = Lesson.objects.get(pk=place["lesson"].pk)
    assert (lesson.title, lesson.is_published) == ("새 제목", False)
    page = client.get(reverse("content:lesson", args=[lesson.pk])).content.decode()
    assert "<h2>안녕</h2>" in page
    assert 'data-math=""' in page


def test_a_learner_runs_the_lab_and_the_job_is_theirs(client, place):
    user = place["people"]["learner"]
    client.force_login(user)
    form = {
        "files-0-path": "main.py", "files-0-text": "print(2)", "gpus": "1", "wall_minutes": "2", "preemptible": "on",
        "key": "k1",
    }  # fmt: skip
    url = reverse("assignments:submit", args=[place["lab"].pk])

    first, again = client.post(url, form), client.post(url, form)

    job = Job.objects.get(owner=user)
    assert first.url == again.url == reverse("jobs:job", args=[job.pk])
    assert LabRun.objects.get(job=job).lab == place["lab"]
    assert (job.wall_s, job.work_key, job.is_preemptible) == (120, f"lab:{place['lab'].pk}", True)
    assert f"#{job.pk}" in client.get(reverse("assignments:lab", args=[place["lab"].pk])).content.decode()


def test_a_learner_sweeps_over_the_labs_program_and_each_run_counts(client, place):
    user = place["people"]["learner"]
    client.force_login(user)
    form = {
        "files-0-path": "main.py", "files-0-text": "print(2)", "gpus": "1", "wall_minutes": "2", "key": "k1",
        "param-0-name": "lr", "param-0-values": "0.1, 0.01, 0.001", "metric": "accuracy",
    }  # fmt: skip
    url = reverse("assignments:submit", args=[place["lab"].pk])

    first, again = client.post(url, form), client.post(url, form)

    sweep = Sweep.objects.get(owner=user)
    assert first.url == again.url == reverse("jobs:sweep", args=[sweep.pk])
    assert LabRun.objects.filter(lab=place["lab"], job__sweep=sweep).count() == sweep.runs == 3
    assert {job.work_key for job in Job.objects.filter(sweep=sweep)} == {f"lab:{place['lab'].pk}"}

    wrong = client.post(url, form | {"param-0-values": "0.1,,3", "key": "k2"})
    assert wrong.status_code == 400
    assert 'value="0.1,,3"' in wrong.content.decode()
    assert LabRun.objects.count() == 3


def test_what_was_typed_stays_when_a_run_is_refused(client, place):
    client.force_login(place["people"]["learner"])
    form = {"files-0-path": "main.py", "files-0-text": "print('kept')", "gpus": "9", "wall_minutes": "999", "key": "k2"}

    page = client.post(reverse("assignments:submit", args=[place["lab"].pk]), form)

    assert page.status_code == 400
    assert "print(&#x27;kept&#x27;)" in page.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize("who", ["withdrawn", "stranger", "learner of another course"])
def test_nobody_else_runs_the_lab(client, place, who):
    client.force_login(place["people"][who])

    assert client.post(reverse("assignments:submit", args=[place["lab"].pk]), {}).status_code == 404


def test_staff_read_the_lab_and_do_not_run_it(client, place):
    client.force_login(place["people"]["instructor"])
    form = {"files-0-path": "main.py", "files-0-text": "x", "gpus": "1", "wall_minutes": "1", "key": "k"}

    assert client.post(reverse("assignments:submit", args=[place["lab"].pk]), form).status_code == 403


def test_the_api_lists_my_courses_and_labs(client, place):
    client.force_login(place["people"]["learner"])

    courses = client.get("/api/v1/courses/").json()["results"]
    labs = client.get("/api/v1/labs/").json()["results"]

    mine = next(entry for entry in courses if entry["slug"] == place["cohort"].run.slug)
    assert (mine["cohort"], mine["mode"]) == (place["cohort"].name, "ONSITE")
    assert [(lab["id"], lab["environment"], lab["starter_files"], lab["progress"]["state"]) for lab in labs] == [
        (place["lab"].pk, "plain", ["main.py"], "NOT_STARTED")
    ]
    client.force_login(place["people"]["stranger"])
    assert client.get("/api/v1/labs/").json()["results"] == []


def _queries(client, url, django_assert_max_num_queries):
    client.get(url)  # content types and the like are read once a process
    with django_assert_max_num_queries(20) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_roster_costs_the_same_for_one_and_for_three_hundred(client, place, django_assert_max_num_queries):
    cohort = build.cohort(seats=400)
    client.force_login(build.staff(Role.INSTRUCTOR, cohort.scope))
    url = reverse("catalog:roster", args=[cohort.pk])
    build.learner(cohort)
    one = _queries(client, url, django_assert_max_num_queries)
    build.learners(cohort, 299)

    assert _queries(client, url, django_assert_max_num_queries) == one


def test_course_lesson_and_lab_pages_cost_the_same_for_one_and_for_twenty(client, place, django_assert_max_num_queries):
    run, user = place["cohort"].run, place["people"]["learner"]
    client.force_login(user)
    urls = [
        reverse("catalog:list"),
        reverse("catalog:run", args=[run.slug]),
        reverse("content:lesson", args=[place["lesson"].pk]),
        reverse("assignments:lab", args=[place["lab"].pk]),
    ]
    few = [_queries(client, url, django_assert_max_num_queries) for url in urls]
    enrolment = Enrolment.objects.get(user=user)
    for number in range(20):
        build.lesson(run)
        catalog_cohort = build.cohort()  # another course in the list
        assert catalog_cohort.pk
        open_lab(
            module_id=build.lesson(run).module_id, title=f"실습 {number}", environment=place["lab"].environment,
            files={"main.py": b"1"}, wall_s=60, actor=None,
        )  # fmt: skip
        form = {"files-0-path": "main.py", "files-0-text": "1", "gpus": "1", "wall_minutes": "1", "key": f"n{number}"}
        client.post(reverse("assignments:submit", args=[place["lab"].pk]), form)
    assert LabRun.objects.filter(enrolment=enrolment).count() == 20

    assert [_queries(client, url, django_assert_max_num_queries) for url in urls] == few


def test_the_cohort_overview_costs_the_same_for_one_and_for_three_hundred(place, django_assert_num_queries):
    cohort = build.cohort(of=build.run(), seats=400)
    open_lab(
        module_id=build.lesson(cohort.run).module.pk, title="실습", environment=place["lab"].environment, wall_s=60,
        files={"main.py": b"1"}, actor=None,
    )  # fmt: skip
    with django_assert_num_queries(4):
        cohort_overview(cohort, timezone.now())
    build.learners(cohort, 300)

    with django_assert_num_queries(4):
        assert len(cohort_overview(cohort, timezone.now()).rows) == 300


def test_a_run_over_quota_says_who_can_help_and_keeps_what_was_typed(client, place):
    cohort = build.cohort(of=build.run(), learner_quota_s=30)
    module = build.lesson(cohort.run).module
    helper = build.staff(Role.INSTRUCTOR, cohort.scope, name="도움선")
    lab = open_lab(
        module_id=module.pk, title="큰 실습", environment=place["lab"].environment, wall_s=60, files={"main.py": b"1"},
        actor=None,
    )  # fmt: skip
    client.force_login(build.learner(cohort).user)
    form = {"files-0-path": "main.py", "files-0-text": "kept_here", "gpus": "1", "wall_minutes": "1", "key": "k"}

    page = client.post(reverse("assignments:submit", args=[lab.pk]), form)

    assert page.status_code == 409
    assert "kept_here" in page.content.decode()
    assert helper.email in page.content.decode()
    assert not Job.objects.exists()
