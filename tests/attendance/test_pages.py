"""The pages: what each shows to whom, check-in by phone and kiosk, marks and undo, exports; and how many queries."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from campus.core.models import AuditEntry
from courses.attendance.models import Contest, DeviceMark, Evidence, Excuse, Flag, Policy, Station, Verdict
from courses.attendance.services import stations
from courses.timetable.models import ClassSession, SessionCohort
from tests.courses import build as courses

from . import build
from .build import MIN

pytestmark = pytest.mark.django_db


class Stage:
    def __init__(self):
        self.cohort = courses.cohort(seats=400)
        self.learner = courses.learner(self.cohort)
        self.teacher = courses.staff("INSTRUCTOR", self.cohort.scope)
        self.session = build.session(self.cohort)

    def client(self, user, language="en"):
        client = Client()
        client.force_login(user)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        return client

    def url(self, name, *args):
        return reverse(f"attendance:{name}", args=args)


@pytest.fixture
def stage():
    return Stage()


def queries(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


def test_a_phone_that_is_not_signed_in_scans_signs_in_and_is_in_as_of_the_scan(stage):
    screen = build.screen(stage.session)
    phone = Client()
    code = stations.shown_code(screen, timezone.now())
    answer = phone.get(stage.url("scan", code))
    assert (answer.status_code, answer.url) == (302, stage.url("here"))
    assert phone.get(answer.url).url.startswith(reverse("account_login"))
    phone.force_login(stage.learner.user)
    page = phone.get(answer.url)
    assert "경사 하강법" in page.content.decode()
    assert not Evidence.objects.exists(), "looking is no check-in"
    assert phone.post(answer.url, {"leave": "no"}).status_code == 200
    seen = Evidence.objects.get()
    assert (seen.kind, seen.act, seen.enrolment, seen.station) == ("QR", "IN", stage.learner, screen)
    mark = DeviceMark.objects.get()
    assert re.fullmatch("[0-9a-f]{32}", mark.device)
    assert re.fullmatch("[0-9a-f]{32}", mark.network)
    assert phone.post(answer.url, {"leave": "yes"}).status_code == 409, "one scan, one deed"


def test_a_code_that_ran_out_says_what_to_do(stage):
    screen = build.screen(stage.session)
    old = stations.shown_code(screen, timezone.now() - timedelta(minutes=1))
    answer = stage.client(stage.learner.user).get(stage.url("scan", old))
    assert answer.status_code == 409
    assert "changes every 15 seconds" in answer.content.decode()


def test_the_screen_shows_a_code_as_a_picture_and_no_names(stage):
    screen = build.screen(stage.session)
    build.came(screen, stage.learner)
    page = Client().get(stage.url("screen", screen.key)).content.decode()
    assert 'class="qr-code"' in page
    assert stage.learner.user.name not in page
    stations.close_station(station=screen, now=timezone.now())
    assert Client().get(stage.url("screen", screen.key)).status_code == 404


def test_the_screen_takes_check_outs_for_half_an_hour_after_the_end(stage):
    now = timezone.now()
    screen = build.screen(build.session(stage.cohort, starts_at=now - 60 * MIN))
    build.came(screen, stage.learner, now - 55 * MIN)
    room, address = stage.client(stage.teacher), stage.url("screen", screen.key)
    assert "Scan to check out" not in room.get(address).content.decode()
    held = ClassSession.objects.filter(pk=screen.session_id)
    held.update(ends_at=now - 2 * MIN)
    page = room.get(address).content.decode()
    assert 'class="qr-code"' in page
    assert "Scan to check out" in page
    phone = stage.client(stage.learner.user)
    phone.get(stage.url("scan", stations.shown_code(screen, timezone.now())))
    assert "You are checked out" in phone.post(stage.url("here"), {"leave": "yes"}).content.decode()
    assert build.verdict(screen.session, stage.learner).mark == "PRESENT"
    held.update(ends_at=now - 31 * MIN)
    assert "qr-code" not in room.get(address).content.decode()


def test_the_kiosk_takes_the_code_of_the_learners_page(stage):
    kiosk = build.screen(stage.session, kind=Station.Kind.KIOSK)
    shown = stage.client(stage.learner.user).post(stage.url("my-code", stage.session.pk)).content.decode()
    digits = re.search(r">(\d{6})<", shown)[1]
    page = Client().post(stage.url("kiosk", kiosk.key), {"number": digits, "leave": "no"}).content.decode()
    assert stage.learner.user.name in page
    assert Client().post(stage.url("kiosk", kiosk.key), {"number": digits}).status_code == 400


def test_the_roll_shows_everybody_and_marks_many_at_once_with_undo(stage):
    other = courses.learner(stage.cohort, name="나중에온")
    staff = stage.client(stage.teacher)
    page = staff.get(stage.url("board", stage.session.pk)).content.decode()
    assert stage.learner.user.name in page
    assert other.user.name in page
    wishes = {"learner": [f"{stage.learner.pk}:0", f"{other.pk}:0"], "mark": "LATE", "reason": "버스가 늦음"}
    answer = staff.post(stage.url("give-marks", stage.session.pk), wishes, follow=True)
    assert Verdict.objects.filter(mark="LATE").count() == 2
    undo = re.search(r'action="(/attendance/batches/[^"]+)"', answer.content.decode())[1]
    staff.post(undo)
    assert not Verdict.objects.filter(mark="LATE").exists()


def test_a_script_is_told_what_became_of_a_mark(stage):
    staff = stage.client(stage.teacher)
    url, head = stage.url("give-marks", stage.session.pk), {"headers": {"Accept": "application/json"}}
    said = {"learner": f"{stage.learner.pk}:0", "mark": "ABSENT", "reason": "자리에 없음"}
    answer = staff.post(url, said, **head).json()
    assert answer["revisions"] == {str(stage.learner.pk): 1}
    refused = staff.post(url, said, **head)
    assert refused.status_code == 409
    assert refused.json()["changed"] == [{"enrolment": stage.learner.pk, "mark": "ABSENT", "revision": 1}]
    assert staff.post(answer["undo"], **head).json() == {"verdicts": {str(stage.learner.pk): ["NONE", 2]}}
    assert staff.post(url, {**said, "reason": ""}, **head).status_code == 400


def test_staff_of_one_cohort_see_their_own_of_a_shared_class_and_its_teacher_sees_all(stage):
    other = courses.cohort(stage.cohort.run)
    guest = courses.learner(other, name="다른반사람")
    SessionCohort.objects.create(session=stage.session, cohort=other)
    url = stage.url("board", stage.session.pk)
    page = stage.client(stage.teacher).get(url).content.decode()
    assert guest.user.name not in page
    sent = {"learner": guest.pk, "mark": "ABSENT", "reason": "x"}
    stage.client(stage.teacher).post(stage.url("give-marks", stage.session.pk), sent)
    assert not Evidence.objects.exists()
    stage.session.teachers.create(user=stage.teacher)
    assert guest.user.name in stage.client(stage.teacher).get(url).content.decode()


def test_a_learner_reads_evidence_rule_and_history_and_disputes(stage):
    build.came(build.screen(stage.session), stage.learner)
    build.over(stage.session)
    mine = stage.client(stage.learner.user)
    url = stage.url("mark", stage.learner.pk, stage.session.pk)
    page = mine.get(url).content.decode()
    assert "Came in time" in page
    assert "Code on the room" in page
    assert "The class ended" in page
    assert "Drawn by version 1" in page
    sent = mine.post(stage.url("contest", stage.learner.pk, stage.session.pk), {"text": "다시 봐 주세요"}, follow=True)
    assert "다시 봐 주세요" in sent.content.decode()
    staff = stage.client(stage.teacher)
    assert "다시 봐 주세요" in staff.get(stage.url("desk")).content.decode()
    contest = Contest.objects.get()
    staff.post(stage.url("decide-contest", contest.pk), {"mark": "", "answer": "기록이 맞습니다"})
    assert "기록이 맞습니다" in mine.get(url).content.decode()


def test_an_excuse_with_a_document_is_read_by_staff_alone_and_noted(stage):
    mine = stage.client(stage.learner.user)
    url = stage.url("excuse", stage.learner.pk, stage.session.pk)
    bad = mine.post(url, {"reason": "ILLNESS", "text": "열", "documents": SimpleUploadedFile("a.exe", b"MZ")})
    assert bad.status_code == 400
    assert "is no PDF, PNG or JPEG" in bad.content.decode()
    good = SimpleUploadedFile("진단서.pdf", b"%PDF-1.7")
    assert mine.post(url, {"reason": "ILLNESS", "text": "열이 났어요", "documents": good}).status_code == 302
    document = Excuse.objects.get().documents.get()
    staff = stage.client(stage.teacher)
    answer = staff.get(stage.url("document", document.pk))
    assert b"".join(answer.streaming_content) == b"%PDF-1.7"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert AuditEntry.objects.get(verb="attendance.document_read").subject == stage.learner.user
    classmate = courses.learner(stage.cohort)
    assert stage.client(classmate.user).get(stage.url("document", document.pk)).status_code == 404
    staff.post(stage.url("decide-excuse", document.excuse_id), {"decision": "grant", "answer": ""})
    assert Verdict.objects.get().mark == "EXCUSED"


def test_a_flag_is_judged_on_the_desk(stage):
    screen, friend = build.screen(stage.session), courses.learner(stage.cohort, name="친구")
    for one in (stage.learner, friend):
        build.came(screen, one, device="phone")
    staff = stage.client(stage.teacher)
    assert "One device for two people" in staff.get(stage.url("desk")).content.decode()
    flag = Flag.objects.get()
    staff.post(stage.url("judge", flag.pk), {"verdict": "void", "note": ""})
    assert Flag.objects.get().state == "OPEN"
    staff.post(stage.url("judge", flag.pk), {"verdict": "void", "note": "자리에 없었음"})
    assert build.verdict(stage.session, friend).mark == "NONE"


def test_a_policy_is_previewed_before_it_is_saved(stage):
    build.came(build.screen(stage.session), stage.learner)
    staff, url = stage.client(stage.teacher), stage.url("policy", stage.cohort.run.slug)
    said = {
        "opens_min": 15, "late_after_min": 2, "leave_early_min": 10, "least_present_pct": 50, "lates_per_absence": 3,
        "fail_pct": 25, "early_counts_as_late": "on", "reason": "", "version": 1,
    }  # fmt: skip
    page = staff.post(url, {**said, "preview": "yes"}).content.decode()
    assert "1 of 1 marks would change" in page
    assert Policy.objects.count() == 1
    assert staff.post(url, {**said, "save": "yes"}).status_code == 302
    assert build.verdict(stage.session, stage.learner).mark == "LATE"
    assert staff.post(url, {**said, "fail_pct": 0, "version": 2, "save": "yes"}).status_code == 400


def test_exports_hold_every_mark_and_no_formula(stage):
    user = stage.learner.user
    user.name = "=HYPERLINK(1)"
    user.save(update_fields=["name"])
    build.came(build.screen(stage.session), stage.learner)
    staff = stage.client(stage.teacher)
    answer = staff.get(stage.url("export", stage.cohort.pk, "csv"))
    head, row = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert row[0] == "'=HYPERLINK(1)"
    assert dict(zip(head, row, strict=True))["Present"] == "1"
    sheet = load_workbook(io.BytesIO(staff.get(stage.url("export", stage.cohort.pk, "xlsx")).content)).active
    cell = sheet["A2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")
    assert AuditEntry.objects.filter(verb="attendance.exported").count() == 2


def grow(stage, learners, classes):
    """More learners and classes with a verdict each, as rows."""
    courses.learners(stage.cohort, learners)
    begins = timezone.now() - timedelta(days=100)
    made = ClassSession.objects.bulk_create(
        ClassSession(
            run=stage.cohort.run, title=f"수업 {n}", starts_at=begins + timedelta(days=n),
            ends_at=begins + timedelta(days=n) + 90 * MIN,
        )
        for n in range(classes)
    )  # fmt: skip
    SessionCohort.objects.bulk_create(SessionCohort(session=one, cohort=stage.cohort) for one in made)
    policy, _made = Policy.objects.get_or_create(run=stage.cohort.run, version=1, defaults={"rules": {}})
    people = stage.cohort.enrolments.values_list("pk", flat=True)
    Verdict.objects.bulk_create(
        (
            Verdict(session=one, enrolment_id=pk, mark="LATE", revision=1, policy=policy, why=["CAME_LATE"])
            for one in made
            for pk in people
        ),
        batch_size=2000,
    )


@pytest.mark.parametrize("page", ["board", "term", "mine", "learner", "mark", "desk", "policy", "csv"])
def test_a_page_costs_the_same_queries_at_one_row_and_at_twenty(stage, page):
    urls = {
        "board": stage.url("board", stage.session.pk),
        "term": stage.url("term", stage.cohort.pk),
        "mine": stage.url("mine"),
        "learner": stage.url("learner", stage.learner.pk),
        "mark": stage.url("mark", stage.learner.pk, stage.session.pk),
        "desk": stage.url("desk"),
        "policy": stage.url("policy", stage.cohort.run.slug),
        "csv": stage.url("export", stage.cohort.pk, "csv"),
    }
    screen = build.screen(stage.session)
    client = stage.client(stage.learner.user if page == "mine" else stage.teacher)

    def ask(enrolment, device):
        build.came(screen, enrolment, device=device)
        Excuse.objects.create(session=stage.session, enrolment=enrolment, reason="WORK", text="면접")
        Contest.objects.create(session=stage.session, enrolment=enrolment, text="왔어요", mark="LATE")

    grow(stage, 1, 1)
    for number, one in enumerate(stage.cohort.enrolments.all()):
        ask(one, f"phone-{number // 2}")
    few = queries(client, urls[page])
    known = set(stage.cohort.enrolments.values_list("pk", flat=True))
    grow(stage, 20, 20)
    for number, one in enumerate(stage.cohort.enrolments.exclude(pk__in=known)):
        ask(one, f"new-{number // 2}")
    assert queries(client, urls[page]) == few <= 20


def test_a_term_of_300_learners_and_60_classes_takes_no_more_queries_and_little_time(stage):
    client, url = stage.client(stage.teacher), stage.url("term", stage.cohort.pk)
    few = queries(client, url)
    grow(stage, 299, 59)
    assert queries(client, url) == few <= 20
    page = client.get(url).content.decode()
    assert page.count("data-cell") == 300 * 60
