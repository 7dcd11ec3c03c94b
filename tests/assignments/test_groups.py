"""Groups that hand in one work: dividing, handing in, grading for all, and what leaving and joining do not change."""

import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from campus.core.errors import Conflict, InvalidInput
from campus.core.models import Notice
from courses.assignments import grouping, scores
from courses.assignments.api import results_of
from courses.assignments.domain.grouping import divide, read_rows
from courses.assignments.models import Group, GroupMember, GroupSet, Score, ScoreChange, Submission, SubmissionMember
from courses.assignments.publishing import publish_scores
from courses.assignments.scores import Grading
from courses.assignments.submitting import attempts_of
from courses.assignments.testing import runs
from courses.assignments.work_lists import work_of
from courses.catalog.models import Enrolment
from tests import factories

from . import build
from .test_races import together

POINTS = Grading({build.METHOD: Decimal(10), build.REPORT: Decimal(10)}, comment="좋습니다")


@given(st.lists(st.integers(1, 3), max_size=60), st.integers(2, 9), st.booleans())
def test_random_groups_take_everybody_once_and_are_even(campuses: list[int], size: int, is_mixed: bool) -> None:
    campus_of = dict(enumerate(campuses))
    groups = divide(campus_of, size, is_mixed=is_mixed, seed="s")
    assert sorted(one for group in groups for one in group) == sorted(campus_of)
    assert all(0 < len(group) <= size for group in groups)
    assert groups == divide(campus_of, size, is_mixed=is_mixed, seed="s")
    kinds = [Counter(campus_of[one] for one in group) for group in groups]
    if is_mixed:
        assert max(map(len, groups), default=0) - min(map(len, groups), default=0) <= 1
        for campus in set(campuses):
            shares = [kind[campus] for kind in kinds]
            assert max(shares) - min(shares) <= 1
    else:
        assert all(len(kind) == 1 for kind in kinds)


def test_a_table_says_every_line_that_is_wrong() -> None:
    known = {"a@x.test": 1, "b@x.test": 2}
    text = "\ufeffemail,group\nA@x.test,1조\n\nc@x.test,1조\nb@x.test\nb@x.test,\na@x.test,2조\n"
    chosen, wrong = read_rows(text.encode(), known)
    assert chosen == {1: "1조"}
    assert [(one.line, one.code) for one in wrong] == [(4, "unknown"), (5, "columns"), (6, "name"), (7, "doubled")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_as_a_spreadsheet_writes_it(encoding: str, delimiter: str) -> None:
    raw = f"a@x.test{delimiter}1조\r\nb@x.test{delimiter}이, 조\r\n".encode(encoding)
    if delimiter == ",":
        raw = raw.decode(encoding).replace("이, 조", '"이, 조"').encode(encoding)
    assert read_rows(raw, {"a@x.test": 1, "b@x.test": 2}) == ({1: "1조", 2: "이, 조"}, [])


@pytest.mark.parametrize(("raw", "code"), [(b"\xff\xff\x00", "encoding"), (b"", "empty"), (b'a@x.test,"1', "quotes")])
def test_what_is_no_table_is_said(raw: bytes, code: str) -> None:
    assert [one.code for one in read_rows(raw, {})[1]] == [code]


class Groups:
    """A scene whose assignment is handed in by groups: one of three, of both campuses."""

    def __init__(self, **fields: Any) -> None:
        self.scene = build.scene()
        world = self.scene.world
        self.set = grouping.open_group_set(run=world.run, name="조별 과제", actor=self.scene.instructor)
        self.scene.change(group_set=self.set, **fields)
        self.group = grouping.add_group(group_set=self.set, name="1조", actor=None)
        self.first = self.scene.enrolment
        self.second = self.scene.another()
        self.far = Enrolment.objects.get(user=world.people["classmate"])
        self.place(self.group, self.first, self.second, self.far)

    def place(self, group: Group | None, *learners: Enrolment) -> int:
        return grouping.place(
            group_set=self.set, enrolment_ids=[one.pk for one in learners], group_id=group.pk if group else None,
            actor=None,
        )  # fmt: skip

    def owners(self, made: Submission) -> set[int]:
        return set(made.owners.values_list("enrolment_id", flat=True))

    def grade(self, learner: Enrolment, version: int = 0, grading: Grading = POINTS) -> Score:
        return scores.save_score(
            assignment=self.scene.assignment, enrolment=learner, version=version, grading=grading,
            actor=self.scene.instructor,
        )  # fmt: skip


@pytest.fixture
def groups(db: Any) -> Groups:
    return Groups()


def test_what_one_hands_in_is_the_work_of_all_and_each_is_told(groups: Groups) -> None:
    made = groups.scene.hand_in()
    again = groups.scene.hand_in(build.BAD, user=groups.second.user)
    assert (made.number, again.number, again.group) == (1, 2, groups.group)
    everybody = {groups.first.pk, groups.second.pk, groups.far.pk}
    assert groups.owners(made) == groups.owners(again) == everybody
    told = Notice.objects.filter(kind="assignments.group_handed_in").values_list("recipient_id", flat=True)
    assert Counter(told) == {groups.far.user_id: 2, groups.second.user_id: 1, groups.first.user_id: 1}
    work = work_of([groups.scene.assignment], [groups.far], timezone.now())[0]
    assert (work.versions, work.state) == (2, "WORK_HANDED_IN")
    client = Client()
    client.force_login(groups.far.user)
    assert client.get(reverse("assignments:submission", args=[made.pk])).status_code == 200
    with pytest.raises(Conflict) as caught:
        groups.scene.hand_in(build.BAD, user=groups.far.user)
    assert caught.value.code == "same_files"


def test_attempts_are_the_groups(groups: Groups) -> None:
    groups.scene.change(attempts_allowed=2)
    groups.scene.hand_in()
    groups.scene.hand_in(build.BAD, user=groups.second.user)
    assert attempts_of(groups.scene.assignment, groups.far, groups.group).is_used_up
    with pytest.raises(Conflict):
        groups.scene.hand_in({"main.py": b"x = 1\n"}, user=groups.far.user)


def test_leaving_and_joining_takes_no_work_away_and_gives_none(groups: Groups) -> None:
    late, made = groups.scene.another(), groups.scene.hand_in()
    groups.place(None, groups.second)
    groups.place(groups.group, late)
    after = groups.scene.hand_in(build.BAD)
    assert groups.owners(made) == {groups.first.pk, groups.second.pk, groups.far.pk}
    assert groups.owners(after) == {groups.first.pk, groups.far.pk, late.pk}
    newest = {one: scores.newest_submission(groups.scene.assignment, one) for one in (groups.second, late)}
    assert newest == {groups.second: made, late: after}
    alone = groups.scene.hand_in({"main.py": b"x = 1\n"}, user=groups.second.user)
    assert (alone.group, alone.number, groups.owners(alone)) == (None, 1, {groups.second.pk})
    assert GroupMember.objects.filter(enrolment=groups.second).get().left_at is not None


def test_a_grade_goes_to_all_whose_newest_work_it_is_but_not_to_who_is_excused(groups: Groups) -> None:
    groups.scene.hand_in()
    scores.excuse(
        assignment=groups.scene.assignment,
        enrolment=groups.far,
        version=0,
        reason="휴학",
        actor=groups.scene.instructor,
    )
    groups.grade(groups.second)
    assert {one.enrolment_id: one.raw for one in Score.objects.all()} == {
        groups.first.pk: 20, groups.second.pk: 20, groups.far.pk: None,
    }  # fmt: skip
    stranger = groups.scene.another()
    assert not Score.objects.filter(enrolment=stranger).exists()


def test_a_member_is_adjusted_alone_with_a_reason_that_stays_when_the_group_is_graded_again(groups: Groups) -> None:
    groups.scene.hand_in()
    groups.grade(groups.first)
    with pytest.raises(InvalidInput):
        adjusted(groups, groups.second, 1, "-5", " ")
    adjusted(groups, groups.second, 1, "-5", "발표에 참여하지 않음")
    groups.grade(groups.first, version=1, grading=Grading({}, Decimal(30)))
    found = {one.enrolment_id: one for one in Score.objects.all()}
    assert {pk: one.adjusted for pk, one in found.items()} == {
        groups.first.pk: 30, groups.second.pk: 25, groups.far.pk: 30,
    }  # fmt: skip
    assert ["adjusted", "-5", "발표에 참여하지 않음"] in found[groups.second.pk].why
    adjusted(groups, groups.second, 3, "-35", "전혀 참여하지 않음")
    assert Score.objects.get(enrolment=groups.second).adjusted == 0, "nobody falls below nothing"


def adjusted(groups: Groups, learner: Enrolment, version: int, points: str, reason: str) -> Score:
    return scores.adjust(
        assignment=groups.scene.assignment, enrolment=learner, version=version, points=Decimal(points), reason=reason,
        actor=groups.scene.instructor,
    )  # fmt: skip


def test_tests_of_a_groups_work_score_all_of_it(groups: Groups, django_capture_on_commit_callbacks: Any) -> None:
    groups.scene.change(rubric=[])
    build.suite_for(groups.scene, hidden="")
    with django_capture_on_commit_callbacks(execute=True):
        made = groups.scene.hand_in()
    said = [{"name": "test_adds", "passed": True, "message": ""}]
    runs.finish_run(run_id=build.end_job(made.grading_runs.get(), said, groups.scene.world.node).pk)
    assert [one.tested for one in Score.objects.all()] == [40, 40, 40]


def test_the_gradebook_hears_of_the_group(groups: Groups) -> None:
    groups.scene.hand_in()
    groups.grade(groups.first)
    ids = [one.pk for one in (groups.first, groups.second, groups.far)]
    publish_scores(assignment=groups.scene.assignment, enrolment_ids=ids, actor=groups.scene.instructor)
    found = {
        one.enrolment_id: (one.group, one.points, one.is_published) for one in results_of(groups.scene.world.run.pk)
    }
    assert {pk: found[pk] for pk in ids} == dict.fromkeys(ids, ("1조", Decimal(20), True))


def test_groups_at_random_and_from_a_table_are_all_or_nothing(groups: Groups) -> None:
    others = [groups.scene.another() for _ in range(5)]
    count = grouping.divide_at_random(group_set=groups.set, size=2, is_mixed=True, actor=groups.scene.instructor)
    assert count == 3
    with pytest.raises(Conflict):
        grouping.divide_at_random(group_set=groups.set, size=2, is_mixed=True, actor=groups.scene.instructor)
    lines = [f"{one.user.email},새 조" for one in others]
    with pytest.raises(InvalidInput) as caught:
        grouping.import_groups(group_set=groups.set, raw="\n".join([*lines, "nobody@x.test,1조"]).encode(), actor=None)
    assert "6" in str(caught.value.fields["table"])
    assert not Group.objects.filter(name="새 조").exists()
    assert grouping.import_groups(group_set=groups.set, raw="\n".join(lines).encode(), actor=None) == 5
    assert grouping.import_groups(group_set=groups.set, raw="\n".join(lines).encode(), actor=None) == 0, (
        "they are there"
    )
    with pytest.raises(Conflict):
        grouping.remove_group(group_set=groups.set, group_id=groups.group.pk, actor=None)


def test_a_group_is_extended_as_one(groups: Groups) -> None:
    client = Client()
    client.force_login(groups.scene.instructor)
    until = timezone.localtime(timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    said = {
        "what": "extension",
        "extension-groups": groups.group.pk,
        "extension-due_at": until,
        "extension-reason": "고장",
    }
    answer = client.post(reverse("assignments:deadlines", args=[groups.scene.assignment.pk]), said)
    assert answer.status_code == 302
    extended = groups.scene.assignment.deadline_changes.values_list("enrolment_id", flat=True)
    assert set(extended) == {groups.first.pk, groups.second.pk}, "whom this instructor teaches"


def test_pages_of_groups_take_the_same_queries_at_one_and_at_twenty(groups: Groups) -> None:
    client = Client()
    client.force_login(groups.scene.instructor)
    groups.scene.hand_in()
    groups.grade(groups.first)
    pk = groups.scene.assignment.pk
    pages = [
        reverse("assignments:groups", args=[groups.set.pk]), reverse("assignments:group-sets", args=["ai101"]),
        reverse("assignments:submissions", args=[pk]), reverse("assignments:desk", args=[pk, groups.first.pk]),
    ]  # fmt: skip

    def counted() -> list[int]:
        found = []
        for page in pages:
            client.get(page)
            with CaptureQueriesContext(connection) as seen:
                assert client.get(page).status_code == 200
            found.append(len(seen))
        return found

    few = counted()
    for n in range(8):
        group = grouping.add_group(group_set=groups.set, name=f"조 {n}", actor=None)
        learners = [groups.scene.another() for _ in range(2)]
        groups.place(group, *learners)
        groups.scene.hand_in(user=learners[0].user)
        groups.grade(learners[0])
        grouping.open_group_set(run=groups.scene.world.run, name=f"모음 {n}", actor=None)
    assert counted() == few
    assert max(few) <= 20, few


def test_the_page_moves_learners_and_keeps_what_was_typed_when_it_refuses(groups: Groups) -> None:
    client, address = Client(), reverse("assignments:groups", args=[groups.set.pk])
    client.force_login(groups.scene.instructor)
    late = groups.scene.another()
    assert client.post(address, {"what": "place", "learner": late.pk, "group": groups.group.pk}).status_code == 302
    assert GroupMember.objects.get(enrolment=late).group == groups.group
    refused = client.post(address, {"what": "import", "table": "nobody@x.test,3조"})
    assert refused.status_code == 400
    assert "nobody@x.test,3조" in refused.content.decode()
    assert client.post(address, {"what": "random", "size": "3", "campuses": "mixed"}).status_code == 409
    client.force_login(groups.first.user)
    assert client.get(address).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_two_who_hand_in_at_once_both_versions_stand_in_order() -> None:
    factories.platform_scope()
    groups = Groups()
    people = [groups.first, groups.second, groups.far]
    made = together(3, lambda n: groups.scene.hand_in({"main.py": b"x = %d\n" % n}, user=people[n].user))
    assert sorted(one.number for one in made) == [1, 2, 3]
    assert [one.number for one in Submission.objects.order_by("pk")] == [1, 2, 3], "the newest is the last one in"
    assert SubmissionMember.objects.count() == 9


@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_without_the_groups_lock() -> None:
    factories.platform_scope()
    groups = Groups()
    source = groups.scene.hand_in().source
    seen = threading.Barrier(3)

    def press(_number: int) -> int:
        mine = Submission.objects.filter(group=groups.group).order_by("-number")
        number = mine[0].number + 1
        seen.wait(timeout=30)
        return number

    assert together(3, press) == [2, 2, 2], "three members, one number: two would be refused by the constraint"
    assert source.submissions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_graders_at_two_members_desks_one_gets_a_conflict() -> None:
    factories.platform_scope()
    groups = Groups()
    groups.scene.hand_in()
    desks = [groups.first, groups.second, groups.far]

    def grade(number: int) -> str:
        try:
            groups.grade(desks[number], grading=Grading({}, Decimal(10 + number)))
        except Conflict as error:
            return error.code
        return "saved"

    assert sorted(together(3, grade)) == ["saved", "score_changed", "score_changed"]
    assert len({one.raw for one in Score.objects.all()}) == 1
    assert ScoreChange.objects.count() == 3
    assert GroupSet.objects.count() == 1
