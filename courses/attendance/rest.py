"""The REST API of attendance: one's own marks; for staff a class's roll, marking and undoing, a cohort's term."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import NotFound
from campus.people.models import User
from courses.catalog.api import get_cohort_for

from . import selectors, words
from .access import get_roll_for
from .domain.rules import Rules
from .domain.standing import Grade, Standing
from .models import Evidence, Mark
from .selectors import TermClass
from .services import marking

MARKS = "NONE (not yet), PRESENT, LATE, LEFT_EARLY, EXCUSED or ABSENT."
GIVEN = [mark.value for mark in Mark if mark is not Mark.NONE]


class StandingAnswer(serializers.Serializer):
    """Absences that count against those that pass."""

    absences = serializers.IntegerField(help_text="With lates folded in by the course's rules.")
    from_lates = serializers.IntegerField()
    allowed = serializers.IntegerField(help_text="So many absences pass.")
    planned = serializers.IntegerField(help_text="Classes of the term.")
    standing = serializers.ChoiceField([grade.value for grade in Grade])


class AttendedClassAnswer(serializers.Serializer):
    """A class with one learner's mark."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    mark = serializers.CharField(help_text=MARKS)
    minutes = serializers.IntegerField(help_text="Of the class's time, as evidence shows.")
    why = serializers.ListField(child=serializers.CharField(), help_text="In the language of Accept-Language.")


class MyAttendanceAnswer(serializers.Serializer):
    """One of my courses."""

    course = serializers.CharField(help_text="The course run's slug.")
    cohort = serializers.CharField()
    standing = StandingAnswer()
    classes = AttendedClassAnswer(many=True)


class MyAttendanceListAnswer(serializers.Serializer):
    results = MyAttendanceAnswer(many=True)


class RollEntryAnswer(serializers.Serializer):
    """A learner on the roll of a class."""

    enrolment = serializers.IntegerField()
    name = serializers.CharField()
    cohort = serializers.CharField()
    is_online = serializers.BooleanField()
    mark = serializers.CharField(help_text=MARKS)
    minutes = serializers.IntegerField()
    arrived_at = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField(help_text="Give it back when you mark.")
    flags = serializers.IntegerField(help_text="Remarkable check-ins that nobody judged yet.")


class RollAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    roll = RollEntryAnswer(many=True)


class MarkedLearner(serializers.Serializer):
    enrolment = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    revision = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, allow_null=True, default=None,
        help_text="Of the verdict that you saw; refused with 409 where it is another by now.",
    )  # fmt: skip


class MarksWish(serializers.Serializer):
    """Learners to mark, all of them or none."""

    learners = MarkedLearner(many=True)
    mark = serializers.ChoiceField(GIVEN)
    reason = serializers.CharField(max_length=300, help_text="The learners read it.")


class MarksAnswer(serializers.Serializer):
    batch = serializers.UUIDField(help_text="Undo by it.")
    marked = serializers.IntegerField()


class UndoneAnswer(serializers.Serializer):
    undone = serializers.IntegerField()


class TermLearnerAnswer(serializers.Serializer):
    """A learner's term; `marks` in the order of `classes`."""

    enrolment = serializers.IntegerField()
    name = serializers.CharField()
    marks = serializers.ListField(child=serializers.CharField(), help_text=MARKS)
    standing = StandingAnswer()


class TermClassAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField()
    starts_at = serializers.DateTimeField()


class TermAnswer(serializers.Serializer):
    policy_version = serializers.IntegerField(help_text="0: the campus's rules.")
    classes = TermClassAnswer(many=True)
    learners = TermLearnerAnswer(many=True)


def _standing(stands: Standing) -> dict[str, Any]:
    return {
        "absences": stands.absences,
        "from_lates": stands.from_lates,
        "allowed": stands.allowed,
        "planned": stands.planned,
        "standing": stands.grade.value,
    }


def _class(row: TermClass, rules: Rules) -> dict[str, Any]:
    session, verdict = row.session, row.verdict
    why = words.reasons(verdict, rules, selectors.length_min(session))
    return {
        "id": session.pk,
        "title": session.title,
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "mark": verdict.mark,
        "minutes": verdict.minutes,
        "why": why,
    }


class MyAttendance(APIView):
    """`GET`: my marks in every course, with why, and where I stand."""

    @extend_schema(operation_id="attendance_mine", tags=["attendance"], responses=MyAttendanceListAnswer)
    def get(self, request: Request) -> Response:
        found = selectors.terms(selectors.my_enrolments(int(request.user.pk or 0)), timezone.now())
        rows = [
            {
                "course": term.enrolment.run.slug,
                "cohort": term.enrolment.cohort.name,
                "standing": _standing(term.standing),
                "classes": [_class(row, term.rules) for row in term.classes],
            }
            for term in found
        ]
        return Response(MyAttendanceListAnswer({"results": rows}).data)


class Roll(APIView):
    """`GET`: the roll of a class, for its teachers and the staff of its cohorts."""

    @extend_schema(operation_id="attendance_roll", tags=["attendance"], responses=RollAnswer)
    def get(self, request: Request, session_id: int) -> Response:
        access = get_roll_for(_person(request), session_id)
        session = access.session
        rows = [
            {
                "enrolment": row.enrolment.pk,
                "name": row.enrolment.user.name,
                "cohort": row.enrolment.cohort.name,
                "is_online": row.entry.is_online,
                "mark": row.verdict.mark,
                "minutes": row.verdict.minutes,
                "arrived_at": row.verdict.arrived_at,
                "revision": row.verdict.revision,
                "flags": row.flags,
            }
            for group in selectors.roll(access, "")
            for row in group.rows
        ]
        whole = {"id": session.pk, "title": session.title, "starts_at": session.starts_at, "ends_at": session.ends_at}
        return Response(RollAnswer({**whole, "roll": rows}).data)


class Marks(APIView):
    """`POST`: mark learners of a class, all of them or none, with a reason."""

    @extend_schema(operation_id="attendance_mark", tags=["attendance"], request=MarksWish, responses=MarksAnswer)
    def post(self, request: Request, session_id: int) -> Response:
        access = get_roll_for(_person(request), session_id)
        wish = MarksWish(data=request.data)
        wish.is_valid(raise_exception=True)
        given = wish.validated_data
        wishes = [marking.Wish(one["enrolment"], one["revision"]) for one in given["learners"]]
        batch = marking.mark(
            session=access.session,
            wishes=wishes,
            mark=given["mark"],
            reason=given["reason"],
            actor=_person(request),
            cohort_ids=access.cohort_ids,
            now=timezone.now(),
        )
        return Response(MarksAnswer({"batch": batch, "marked": len({o["enrolment"] for o in given["learners"]})}).data)


class Undo(APIView):
    """`POST`: take back what was marked at once."""

    @extend_schema(operation_id="attendance_undo", tags=["attendance"], request=None, responses=UndoneAnswer)
    def post(self, request: Request, batch: UUID) -> Response:
        made = Evidence.objects.filter(batch=batch).first()
        if made is None:
            raise NotFound
        access = get_roll_for(_person(request), made.session_id)
        count = marking.undo(
            batch=batch, actor=_person(request), cohort_ids=access.cohort_ids, now=timezone.now()
        )  # fmt: skip
        return Response(UndoneAnswer({"undone": count}).data)


class TermView(APIView):
    """`GET`: a cohort's term, for its staff: every learner's mark in every class."""

    @extend_schema(operation_id="attendance_term", tags=["attendance"], responses=TermAnswer)
    def get(self, request: Request, cohort_id: int) -> Response:
        cohort = get_cohort_for(_person(request), cohort_id)
        found = selectors.grid(cohort)
        classes = [{"id": one.pk, "title": one.title, "starts_at": one.starts_at} for one in found.sessions]
        learners = [
            {
                "enrolment": row.enrolment.pk,
                "name": row.enrolment.user.name,
                "marks": row.marks,
                "standing": _standing(row.standing),
            }
            for row in found.rows
        ]
        return Response(TermAnswer({"policy_version": found.version, "classes": classes, "learners": learners}).data)


def _person(request: Request) -> User:
    return request.user  # type: ignore[return-value]
