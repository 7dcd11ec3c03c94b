"""The REST API of assignments: what is due, handing in, and what became of a version. Nothing of hidden tests."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from courses.catalog.models import Enrolment
from labs.jobs.api import parse_submission

from .access import get_assignment_for, get_submission_for
from .models import Assignment, Submission
from .submitting import TEXT_FILE, receipt_of, submit_work
from .views_work import results_for_learner
from .work_lists import Work, WorkState, open_to, work_of

STATES = {state: state.value.removeprefix("WORK_") for state in WorkState}


class AssignmentAnswer(serializers.Serializer):
    """An assignment as I have it. `points` are mine once they are published."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    course = serializers.CharField(help_text="The course run's slug.")
    kind = serializers.ChoiceField(Assignment.Kind.choices)
    lab = serializers.IntegerField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True, help_text="For me, extensions included.")
    closes_at = serializers.DateTimeField(allow_null=True)
    deadline_rule = serializers.CharField(help_text="What moved the deadline; COURSE where nothing did.")
    state = serializers.ChoiceField(sorted(STATES.values()))
    versions = serializers.IntegerField(help_text="How many I handed in.")
    points = serializers.DecimalField(max_digits=8, decimal_places=2, allow_null=True)
    out_of = serializers.DecimalField(max_digits=8, decimal_places=2)


class AssignmentListAnswer(serializers.Serializer):
    results = AssignmentAnswer(many=True)


class HandInBody(serializers.Serializer):
    """What is handed in: `files` (path to text, or uploads), `text` for a text, `job` for a lab."""

    files = serializers.DictField(child=serializers.CharField(), required=False)
    text = serializers.CharField(required=False)
    job = serializers.IntegerField(required=False)


class VisibleTestAnswer(serializers.Serializer):
    name = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(["passed", "failed", "silent"])
    message = serializers.CharField()


class TestRunAnswer(serializers.Serializer):
    """Visible tests in full; of the hidden ones only how many there are and passed."""

    state = serializers.CharField()
    visible = VisibleTestAnswer(many=True)
    hidden = serializers.IntegerField()
    hidden_passed = serializers.IntegerField()


class SubmissionAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    assignment = serializers.IntegerField()
    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 over the files.")
    submitted_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    receipt = serializers.CharField(help_text="Proves what arrived when: /receipts/ID/RECEIPT/.")
    tests = TestRunAnswer(allow_null=True)


def _assignment(one: Work) -> dict[str, Any]:
    return {
        "id": one.assignment.pk,
        "title": one.assignment.title,
        "course": one.assignment.module.run.slug,
        "kind": one.assignment.kind,
        "lab": one.assignment.lab_id,
        "due_at": one.deadline.due_at,
        "closes_at": one.deadline.closes_at,
        "deadline_rule": one.deadline.rule.value,
        "state": STATES[one.state or WorkState.TO_DO],
        "versions": one.versions,
        "points": one.score.adjusted if one.score else None,
        "out_of": one.assignment.points,
    }


def _submission(one: Submission) -> dict[str, Any]:
    return {
        "id": one.pk,
        "assignment": one.assignment_id,
        "number": one.number,
        "digest": one.digest,
        "submitted_at": one.submitted_at,
        "due_at": one.due_at,
        "receipt": receipt_of(one),
        "tests": results_for_learner(one),
    }


class AssignmentListView(APIView):
    """Assignments of the courses I am enrolled in, with my deadlines and results."""

    @extend_schema(operation_id="assignments_list", responses=AssignmentListAnswer, tags=["assignments"])
    def get(self, request: Request) -> Response:
        mine = Enrolment.objects.filter(
            user_id=request.user.pk or 0, state=Enrolment.State.ACTIVE, run__is_published=True
        )
        enrolments = list(mine)
        now = timezone.now()
        rows = open_to(enrolments, now).select_related("module__run").order_by("module__position", "position")
        found = work_of(list(rows), enrolments, now)
        return Response(AssignmentListAnswer({"results": [_assignment(one) for one in found]}).data)


class HandInView(APIView):
    """`POST`: hand in a version. The same files again are refused and use no attempt."""

    @extend_schema(tags=["assignments"], request=HandInBody, responses={201: SubmissionAnswer})
    def post(self, request: Request, assignment_id: int) -> Response:
        shown, _access = get_assignment_for(request.user, assignment_id)
        files, job_id = None, None
        said = request.data if hasattr(request.data, "get") else {}
        if shown.kind == Assignment.Kind.LAB:
            job = str(said.get("job", ""))
            job_id = int(job) if job.isascii() and job.isdigit() and len(job) < 16 else None
        elif shown.kind == Assignment.Kind.TEXT and "files" not in said:
            files = {TEXT_FILE: str(said.get("text", "")).encode("utf-8", "replace")}
        else:
            files = parse_submission(request).files
        made = submit_work(assignment_id=shown.pk, user=request.user, files=files, job_id=job_id)  # type: ignore[arg-type]
        return Response(SubmissionAnswer(_submission(made)).data, status=status.HTTP_201_CREATED)


class SubmissionView(APIView):
    """`GET`: a version of mine, or of a learner whom I grade, with what its tests said."""

    @extend_schema(tags=["assignments"], responses=SubmissionAnswer)
    def get(self, request: Request, submission_id: int) -> Response:
        found, _access, _is_grader = get_submission_for(request.user, submission_id)
        return Response(SubmissionAnswer(_submission(found)).data)
