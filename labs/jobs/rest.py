"""REST: jobs, their logs, metrics and artifacts. Submitting is composed above, because a job may name a lab."""

from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput, NotFound
from campus.people.access import standing_of

from . import services
from .access import get_job_for, get_job_to_cancel, get_own_job, jobs_for
from .models import Artifact, Attempt, Dependency, Job, JobEvent, MetricPoint
from .streaming import file_response, log_response


class EventAnswer(serializers.ModelSerializer):
    class Meta:
        model = JobEvent
        fields = ("kind", "attempt", "facts", "at")


class AttemptAnswer(serializers.ModelSerializer):
    node = serializers.CharField(source="node.name")

    class Meta:
        model = Attempt
        fields = (
            "number", "node", "state", "outcome", "gpu_labels", "assigned_at", "claimed_at", "started_at", "ended_at",
            "run_s", "cpu_s", "peak_memory_bytes", "lost_s", "kept_s", "preempt_requested_at", "log_bytes",
            "log_is_truncated",
        )  # fmt: skip


class JobAnswer(serializers.ModelSerializer):
    """A job. Times in seconds, use in GPU-seconds of account (at `rate`). `wait` is set while it is queued.

    A `gpu_milli` below 1000 is a share of its one GPU, in thousandths.
    """

    owner = serializers.CharField(source="owner.email")
    environment: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)
    hold_s = serializers.IntegerField()
    wait = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id", "title", "state", "end_reason", "exit_code", "end_detail", "owner", "account", "environment",
            "entrypoint", "gpus", "gpu_milli", "gpu_memory_mib", "gpu_type", "wall_s", "rate", "hold_s", "charged_s",
            "attempts_made", "submitted_at", "started_at", "ended_at", "cancel_requested_at", "result", "wait",
            "rerun_of", "is_preemptible", "purpose", "preempted_count", "kept_s", "promised_p50_at", "promised_p90_at",
            "sweep", "sweep_index", "parameters",
        )  # fmt: skip

    def get_wait(self, job: Job) -> dict[str, Any] | None:
        if job.state != Job.State.QUEUED:
            return None
        return {
            "reason": job.wait_reason,
            "facts": job.wait_facts,
            "place": job.queue_place,
            "start_p50_at": job.start_p50_at,
            "start_p90_at": job.start_p90_at,
        }


class AfterAnswer(serializers.ModelSerializer):
    """A job that this one waits for, and what it must do."""

    job = serializers.IntegerField(source="after_id")
    state = serializers.CharField(source="after.state")

    class Meta:
        model = Dependency
        fields = ("job", "condition", "state")


class JobDetailAnswer(JobAnswer):
    """A job with its attempts and its timeline."""

    after = AfterAnswer(many=True, source="dependencies")
    attempts = AttemptAnswer(many=True)
    events = EventAnswer(many=True)
    data_sets: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True, many=True)

    class Meta(JobAnswer.Meta):
        fields: Any = (*JobAnswer.Meta.fields, "data_sets", "after", "attempts", "events")


class ArtifactAnswer(serializers.ModelSerializer):
    attempt = serializers.IntegerField(source="attempt.number")
    url = serializers.SerializerMethodField()

    class Meta:
        model = Artifact
        fields = ("id", "path", "size_bytes", "digest", "attempt", "url")

    def get_url(self, artifact: Artifact) -> str:
        return f"/api/v1/jobs/{artifact.attempt.job_id}/artifacts/{artifact.pk}/"


_ATTEMPT = OpenApiParameter("attempt", int, description="The last attempt when left out.")


class JobListView(ListAPIView):
    """`GET`: one's own jobs; with `whose=all` also those of everyone whom one teaches. Newest first."""

    serializer_class = JobAnswer
    queryset = Job.objects.none()

    def get_queryset(self) -> Any:
        query = self.request.query_params
        found = jobs_for(standing_of(self.request.user)).select_related("owner", "environment")
        if query.get("whose") != "all":
            found = found.filter(owner_id=self.request.user.pk)
        states = [state for state in query.get("state", "").split(",") if state]
        if set(states) - set(Job.State.values):
            words = _("Use one or several of: %(states)s.") % {"states": ", ".join(Job.State.values)}
            raise InvalidInput({"state": words})
        if query.get("sweep"):
            found = found.filter(sweep_id=_number(self.request, "sweep", 0))
        return found.filter(state__in=states) if states else found

    @extend_schema(
        tags=["jobs"],
        parameters=[
            OpenApiParameter("state", str, description="One or several states, joined by commas."),
            OpenApiParameter("whose", str, enum=["mine", "all"]),
            OpenApiParameter("sweep", int, description="Only the jobs of this sweep."),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class JobView(APIView):
    """`GET`: one job with its attempts and timeline."""

    @extend_schema(tags=["jobs"], responses={200: JobDetailAnswer})
    def get(self, request: Request, job_id: int) -> Response:
        return Response(job_answer(get_job_for(standing_of(request.user), job_id)))


def job_answer(job: Job) -> Any:
    """The job as the API shows it, in a fixed number of queries."""
    shown = Job.objects.select_related("owner", "environment").prefetch_related(
        "attempts__node", "events", "data_sets", "dependencies__after"
    )
    return JobDetailAnswer(shown.get(pk=job.pk)).data


class JobCancelView(APIView):
    """`POST`: stop a job. What ran until the stop is charged."""

    @extend_schema(tags=["jobs"], request=None, responses={200: JobDetailAnswer})
    def post(self, request: Request, job_id: int) -> Response:
        job = get_job_to_cancel(standing_of(request.user), job_id)
        return Response(job_answer(services.cancel(job_id=job.pk, actor=request.user)))


class JobRerunView(APIView):
    """`POST`: submit one's job again as it was."""

    @extend_schema(tags=["jobs"], request=None, responses={201: JobDetailAnswer})
    def post(self, request: Request, job_id: int) -> Response:
        job = get_own_job(standing_of(request.user), job_id)
        again = services.rerun(job_id=job.pk, actor=request.user)
        return Response(job_answer(again), status=status.HTTP_201_CREATED)


class JobLogView(APIView):
    """`GET`: the log as it was written, from byte `from` on."""

    @extend_schema(
        tags=["jobs"],
        parameters=[OpenApiParameter("from", int, description="The first byte wanted."), _ATTEMPT],
        responses={(200, "text/plain"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, job_id: int) -> StreamingHttpResponse:
        job = get_job_for(standing_of(request.user), job_id)
        attempt = _attempt_of(job, request)
        response = log_response(request, attempt, start=_number(request, "from", 0))
        response["X-Log-Bytes"] = str(attempt.log_bytes if attempt else 0)
        return response


class JobMetricsView(APIView):
    """`GET`: live metrics from number `from` on, at most 5,000 points an answer."""

    @extend_schema(
        tags=["jobs"],
        parameters=[OpenApiParameter("from", int, description="The first number wanted."), _ATTEMPT],
        responses={
            200: inline_serializer(
                "MetricsAnswer",
                {
                    "points": serializers.ListField(child=serializers.DictField()),
                    "next": serializers.IntegerField(),
                },
            )
        },
    )
    def get(self, request: Request, job_id: int) -> Response:
        job = get_job_for(standing_of(request.user), job_id)
        attempt, first = _attempt_of(job, request), _number(request, "from", 0)
        found = MetricPoint.objects.filter(attempt=attempt, seq__gte=first).order_by("seq")
        points = [{"seq": point.seq, "run_s": point.run_s, "values": point.values} for point in found[:5000]]
        return Response({"points": points, "next": points[-1]["seq"] + 1 if points else first})


class JobArtifactsView(APIView):
    """`GET`: the files that the job left."""

    @extend_schema(tags=["jobs"], responses={200: ArtifactAnswer(many=True)})
    def get(self, request: Request, job_id: int) -> Response:
        job = get_job_for(standing_of(request.user), job_id)
        found = services.published_artifacts(job).select_related("attempt")
        return Response(ArtifactAnswer(found, many=True).data)


class JobArtifactView(APIView):
    """`GET`: one file that the job left, as bytes."""

    @extend_schema(tags=["jobs"], responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, job_id: int, artifact_id: int) -> FileResponse:
        job = get_job_for(standing_of(request.user), job_id)
        found = services.published_artifacts(job).filter(pk=artifact_id).first() if artifact_id < 2**63 else None
        if found is None:
            raise NotFound
        name = found.path.rsplit("/", 1)[-1]
        return file_response(request, found.file.open("rb"), filename=name)


def _attempt_of(job: Job, request: Request) -> Attempt | None:
    """The attempt that `?attempt=` names, or the last. Raises NotFound for a number that there is none of."""
    attempts = Attempt.objects.filter(job=job).order_by("-number")
    number = _number(request, "attempt", 0)
    if not number:
        return attempts.first()
    found = attempts.filter(number=number).first() if number < 2**15 else None
    if found is None:
        raise NotFound
    return found


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise InvalidInput({name: _("Send a whole number of 0 or more.")})
    return int(text)


#: For the schema of the submission, which `campus.web` composes.
SUBMISSION_RESPONSES = {201: JobDetailAnswer, 200: OpenApiResponse(JobDetailAnswer, "The same idempotency key again.")}
