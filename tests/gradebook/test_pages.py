"""The gradebook's pages: who gets them, what they do, and that they cost the same at one row and at many."""

import io
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campus.core.models import Notice
from campus.people.models import RoleGrant, User
from courses.assignments import authoring, scores
from courses.gradebook import services
from courses.gradebook.models import Cell, FinalOverride, GradeItem, PublishedGrade, RegradeRequest
from courses.gradebook.selectors import QUESTIONS_SHOWN
from tests import factories
from tests.courses import build as courses

from . import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> build.Made:
    return _made(learners=2)


def _made(learners: int) -> build.Made:
    made = build.gradebook(learners=learners)
    RoleGrant.objects.create(user=made.teacher, role="INSTRUCTOR", scope=made.cohort.scope)
    made.run.is_published = True
    made.run.save()
    return made


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(made: build.Made, name: str, *args: Any) -> str:
    return reverse(f"gradebook:{name}", args=[made.run.slug, *args])


def send(client: Client, made: build.Made, edits: list[Any], reason: str = "") -> Any:
    body = json.dumps({"edits": edits, "reason": reason})
    return client.post(url(made, "cells"), body, content_type="application/json")


def test_the_grid_writes_and_answers_with_the_new_total(made: build.Made) -> None:
    staff = signed_in(made.teacher)
    item, row = made.items[2].pk, made.learners[0].pk
    answer = send(staff, made, [[item, row, "7.5", 0]]).json()
    assert (answer["saved"], answer["refused"]) == ([[item, row, 1, "7.5"]], [])
    assert answer["finals"] == {str(row): ["75.00", ""]}
    page = staff.get(url(made, "book")).content.decode()
    assert '<td data-v="1">7.5</td>' in page
    undone = staff.post(url(made, "undo", answer["entry"]), headers={"accept": "application/json"}).json()
    assert undone["saved"] == [[item, row, 2, ""]]
    assert staff.post(url(made, "undo", answer["entry"]), headers={"accept": "application/json"}).status_code == 409


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}",
     '{"edits": 1}', '{"edits": [[1]]}', '{"edits": [[1, 2, "3", "x"]]}', '{"edits": [[0, -1, "1", 0]]}',
     '{"edits": [], "reason": "a\\u0000"}', "[" * 100_000],
)  # fmt: skip
def test_nonsense_is_told_so(made: build.Made, body: str) -> None:
    answer = signed_in(made.teacher).post(url(made, "cells"), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_row_is_written_without_a_script_and_keeps_what_was_typed(made: build.Made) -> None:
    staff = signed_in(made.teacher)
    address = reverse("gradebook:row", args=[made.learners[0].pk])
    first, second = made.items[0].pk, made.items[1].pk
    typed = {f"mark-{first}": "8", f"was-{first}": "", f"version-{first}": "0", f"mark-{second}": "nine"}
    page = staff.post(address, typed)
    assert page.status_code == 409
    assert 'value="nine"' in page.content.decode()
    assert Cell.objects.get(item=made.items[0], enrolment=made.learners[0]).points == 8
    fixed = {f"mark-{second}": "9", f"was-{second}": "", f"version-{second}": "0"}
    assert staff.post(address, fixed).status_code == 302
    assert staff.get(reverse("gradebook:history", args=[made.learners[0].pk, second])).status_code == 200


def test_a_learner_sees_what_is_published_and_why(made: build.Made) -> None:
    made.set(made.edit(0, 0, "10"), made.edit(1, 0, "4"), made.edit(2, 0, "5"))
    learner = signed_in(made.learners[0].user)
    assert "퀴즈 1" not in learner.get(url(made, "grades")).content.decode()
    for item in made.items[:3]:
        services.publish_item(run=made.run, item_id=item.pk, is_published=True, actor=made.teacher)
    page = learner.get(url(made, "grades")).content.decode()
    assert "70.00%" in page
    assert "× 40% = 40" in page.replace(".00", "")
    ask = url(made, "ask", made.items[2].pk)
    assert learner.post(ask, {"text": "short"}).status_code == 400
    assert learner.post(ask, {"text": "2번 문항의 채점을 다시 확인해 주세요."}).status_code == 302
    assert learner.post(ask, {"text": "2번 문항의 채점을 다시 확인해 주세요."}).status_code == 400
    assert learner.get(url(made, "ask", made.items[3].pk)).status_code == 404
    question = RegradeRequest.objects.get()
    staff = signed_in(made.teacher)
    assert "2번 문항" in staff.get(url(made, "questions")).content.decode()
    answer = url(made, "answer", question.pk)
    assert staff.post(answer, {"is_changed": "1"}).status_code == 400
    assert staff.post(answer, {"is_changed": "1", "answer": "맞습니다. 고쳤습니다."}).status_code == 302
    assert "맞습니다. 고쳤습니다." in learner.get(url(made, "grades")).content.decode()


def test_questions_come_in_pages_open_ones_first_each_with_fields_of_its_own() -> None:
    made = _made(learners=QUESTIONS_SHOWN + 2)
    for learner in made.learners:
        RegradeRequest.objects.create(item=made.items[0], enrolment=learner, text="다시 확인해 주세요.")
    answered = RegradeRequest.objects.latest("pk")
    staff = signed_in(made.teacher)
    staff.post(url(made, "answer", answered.pk), {"is_changed": "0", "answer": "그대로입니다."})
    first, second = (staff.get(url(made, "questions") + query).content.decode() for query in ("", "?page=2"))
    assert (first.count("<article"), second.count("<article")) == (QUESTIONS_SHOWN, 2)
    assert "그대로입니다." in second
    assert "그대로입니다." not in first
    ids = re.findall(r' id="([^"]+)"', first)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r' for="([^"]+)"', first)) <= set(ids)


def test_finals_are_a_snapshot_that_waits_until_what_counts_is_shown(made: build.Made) -> None:
    made.set(made.edit(2, 0, "9"))
    staff = signed_in(made.teacher)
    staff.post(url(made, "finals"))
    assert not PublishedGrade.objects.exists()
    services.publish_item(run=made.run, item_id=made.items[2].pk, is_published=True, actor=made.teacher)
    staff.post(url(made, "finals"))
    grades = PublishedGrade.objects.filter(enrolment=made.learners[0])
    assert [str(one.percent) for one in grades] == ["90.00"]
    services.override_final(
        enrolment=made.learners[0], percent=build.Decimal(95), reason="출석 가산", actor=made.teacher
    )
    made.set(made.edit(2, 0, "10", version=1))
    learner = signed_in(made.learners[0].user)
    assert "출석 가산" in learner.get(url(made, "grades")).content.decode()
    staff.post(url(made, "finals"))
    assert [(str(one.percent), one.is_current) for one in grades.all()] == [("95.00", True), ("90.00", False)]


def test_a_final_grade_that_another_set_meanwhile_is_shown_and_not_overwritten(made: build.Made) -> None:
    staff, learner = signed_in(made.teacher), made.learners[0]
    page = reverse("gradebook:final", args=[learner.pk])
    assert 'name="seen"' in staff.get(page).content.decode()
    said = {"percent": "95", "reason": "출석 가산", "seen": ""}
    services.override_final(enrolment=learner, percent=build.Decimal(70), reason="조교의 판단", actor=made.teacher)
    answer = staff.post(page, said)
    html = answer.content.decode()
    assert answer.status_code == 400
    assert "조교의 판단" in html
    assert FinalOverride.objects.get().percent == 70
    assert staff.post(page, said | {"seen": re.findall(r'name="seen" value="([^"]*)"', html)[0]}).status_code == 302
    assert FinalOverride.objects.get().percent == 95


def test_who_has_a_mark_is_told_once_a_day_that_marks_are_shown(made: build.Made) -> None:
    made.set(made.edit(2, 0, "9"), made.edit(3, 0, "8"))
    for item in made.items[2:]:
        GradeItem.objects.filter(pk=item.pk).update(is_published=False)
        services.publish_item(run=made.run, item_id=item.pk, is_published=True, actor=made.teacher)
    told = Notice.objects.filter(kind="gradebook.item_published")
    assert [(one.recipient, one.url) for one in told] == [(made.learners[0].user, url(made, "grades"))]


def test_a_marks_history_holds_what_became_of_it_where_it_is_graded(made: build.Made) -> None:
    learner = made.learners[0]
    work = authoring.open_assignment(
        module_id=courses.lesson(made.run).module.pk, title="보고서", points=Decimal(20), kind="TEXT", actor=None
    )
    item = services.save_item(
        run=made.run, item_id=None, actor=None,
        fields={"category": made.items[0].category, "title": "보고서", "kind": "ASSIGNMENT", "assignment": work,
                "out_of": Decimal(10)},
    )  # fmt: skip
    for version, points in enumerate(("12", "15")):
        scores.save_score(
            assignment=work, enrolment=learner, version=version, grading=scores.Grading({}, Decimal(points)),
            actor=made.teacher,
        )  # fmt: skip
    page = reverse("gradebook:history", args=[learner.pk, item.pk])
    staff = signed_in(made.teacher)
    assert [(one.before, one.after) for one in staff.get(page).context["changes"]] == [("6", "7.5"), ("", "6")]
    made.set(services.CellEdit(item.pk, learner.pk, "9", 0), reason="재검토")
    answer = staff.get(page)
    assert [(one.after, one.is_graded) for one in answer.context["changes"]] == [
        ("9", False), ("7.5", True), ("6", True)
    ]  # fmt: skip
    assert made.teacher.name in answer.content.decode()


def test_what_was_exported_comes_back_as_it_went(made: build.Made) -> None:
    made.set(made.edit(0, 0, "10"), made.edit(1, 1, "ex"))
    staff = signed_in(made.teacher)
    for form in ("csv", "xlsx"):
        raw = staff.get(url(made, "export", form)).content
        page = staff.post(url(made, "import"), {"file": io.BytesIO(raw)})
        assert page.status_code == 200
        assert page.context["preview"].problems == ()
        assert page.context["preview"].changes == ()


def test_an_import_is_previewed_done_whole_and_refused_when_marks_changed(made: build.Made) -> None:
    staff = signed_in(made.teacher)
    head = f"e-mail,퀴즈 1 [#{made.items[0].pk}],보고서 1,모르는 열"
    emails = [one.user.email for one in made.learners]
    page = upload(staff, made, f"{head}\n{emails[0]},5,6,x\n{emails[1].upper()},EX,,\n")
    found = page.context["preview"]
    assert [(one.before, one.after) for one in found.changes] == [("", "5"), ("", "6"), ("", "EX")]
    assert found.ignored == ("모르는 열",)
    made.set(made.edit(0, 0, "1"))
    assert staff.post(url(made, "import"), {"token": found.token}).status_code == 409
    assert Cell.objects.get(item=made.items[0], enrolment=made.learners[0]).points == 1
    assert not Cell.objects.filter(item=made.items[2]).exclude(state="PENDING").exists()
    again = upload(staff, made, f"{head}\n{emails[0]},5,6,x\n{emails[1]},EX,,\n").context["preview"]
    assert staff.post(url(made, "import"), {"token": again.token}).status_code == 302
    assert Cell.objects.get(item=made.items[0], enrolment=made.learners[0]).points == 5
    assert staff.post(url(made, "import"), {"token": again.token + "x"}).status_code == 400


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-16", "\t"), ("cp949", ";"), ("utf-8-sig", ",")])
def test_a_file_of_any_spreadsheet_is_read_with_the_lines_of_an_editor(
    made: build.Made, encoding: str, delimiter: str
) -> None:
    text = f"\r\n이름,e-mail,퀴즈 1\r\n\r\n김,{made.learners[0].user.email},5\r\n박,nobody@campus.test,3\r\n"
    file = io.BytesIO(text.replace(",", delimiter).encode(encoding))
    file.name = "marks.csv"
    found = signed_in(made.teacher).post(url(made, "import"), {"file": file}).context["preview"]
    assert [(one.line, one.after) for one in found.changes] == [(4, "5")]
    assert len(found.problems) == 1
    assert "5" in found.problems[0].split(":")[0]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", 1), ("이름\n김\n", 2), ("e-mail,퀴즈 1\nnobody@campus.test,3\n", 1), ("e-mail,퀴즈 1,퀴즈 1\n", 1),
        ("e-mail,퀴즈 1\n{email},many\n{email},3\n", 2),
    ],
)  # fmt: skip
def test_every_problem_of_a_file_is_named_at_once(made: build.Made, text: str, lines: int) -> None:
    page = upload(signed_in(made.teacher), made, text.format(email=made.learners[0].user.email) or "\n")
    assert len(page.context["preview"].problems) == lines
    assert page.context["preview"].token == ""


@pytest.mark.parametrize("raw", [b"PK\x03\x04nonsense", b"\xff\xfe\x00", b"a\x00b", b"x" * (4 * 2**20 + 1)])
def test_a_file_that_is_none_is_refused_in_words(made: build.Made, raw: bytes) -> None:
    page = signed_in(made.teacher).post(url(made, "import"), {"file": io.BytesIO(raw)})
    assert page.status_code == 400
    assert "field-error" in page.content.decode() or page.context["form"].errors


def test_an_export_is_safe_in_a_spreadsheet_and_in_the_audit_trail(made: build.Made) -> None:
    from campus.core.models import AuditEntry

    made.learners[0].user.name = "=cmd|' /C calc'!A0"
    made.learners[0].user.save()
    text = signed_in(made.teacher).get(url(made, "export", "csv")).content.decode("utf-8-sig")
    assert "'=cmd" in text
    assert AuditEntry.objects.filter(verb="gradebook.exported", actor=made.teacher).exists()


def test_columns_are_set_up_hidden_and_kept_when_they_have_marks(made: build.Made) -> None:
    staff = signed_in(made.teacher)
    fields = {"title": "기말", "category": made.items[0].category_id, "kind": "MANUAL", "out_of": "100"}
    assert staff.post(url(made, "new-item"), fields).status_code == 302
    assert staff.post(url(made, "new-item"), fields | {"kind": "ASSIGNMENT"}).status_code == 400
    assert staff.post(url(made, "new-category"), {"name": "퀴즈", "weight": 5, "drop_lowest": 0}).status_code == 400
    scheme = {"decimals": 1, "cap": 100, "scheme": "OWN", "bands": "통과 60\n실패 0"}
    assert staff.post(url(made, "scheme"), scheme).status_code == 302
    assert "통과" in staff.get(url(made, "setup")).content.decode()
    for wrong in ("A 50\nB 60\nF 0", "A 50", "A fifty", "A 50\nA 0"):
        assert staff.post(url(made, "scheme"), scheme | {"bands": wrong}).status_code == 400
    assert staff.get(url(made, "scheme")).context["form"]["scheme"].value() == "OWN"
    named = scheme | {"scheme": "PASS_FAIL", "bands": "what was left here does not matter"}
    assert staff.post(url(made, "scheme"), named).status_code == 302
    made.run.gradebook.refresh_from_db()
    assert made.run.gradebook.bands == [["P", "60"], ["F", "0"]]
    assert staff.get(url(made, "scheme")).context["form"]["scheme"].value() == "PASS_FAIL"
    made.set(made.edit(0, 0, "1"))
    staff.post(url(made, "delete-item", made.items[0].pk))
    staff.post(url(made, "delete-item", made.items[1].pk))
    assert set(type(made.items[0]).objects.values_list("title", flat=True)) == {
        "퀴즈 1",
        "보고서 1",
        "보고서 2",
        "기말",
    }


def grow(made: build.Made, learners: int) -> None:
    from courses.catalog import api as catalog

    for _ in range(learners):
        user = factories.UserFactory()
        row = catalog.enrol(cohort_id=made.cohort.pk, user=user, mode="ONLINE", actor=None)
        edits = [services.CellEdit(item.pk, row.pk, "3", 0) for item in made.items]
        made.set(*edits)


@pytest.mark.parametrize("name", ["book", "entries", "finals", "questions", "setup"])
def test_a_page_costs_the_same_at_one_row_and_at_many(made: build.Made, name: str) -> None:
    staff = signed_in(made.teacher)
    grow(made, 1)
    staff.get(url(made, name))

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(url(made, name)).status_code == 200
        return len(queries)

    few = cost()
    type(made.cohort).objects.filter(pk=made.cohort.pk).update(seats=60)
    grow(made, 20)
    assert cost() == few <= 20


def upload(client: Client, made: build.Made, text: str) -> Any:
    file = io.BytesIO(text.encode())
    file.name = "marks.csv"
    return client.post(url(made, "import"), {"file": file})
