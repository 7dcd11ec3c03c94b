"""REST: submitting jobs, of a lab or of none. Here, because a job knows no labs and a lab knows no jobs' API."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from campus.core.parsing import CampusJSONParser
from labs.jobs.models import Sweep
from labs.jobs.rest import SUBMISSION_RESPONSES, JobListView, job_answer
from labs.jobs.rest_sweeps import SWEEP_RESPONSES, SweepListView, sweep_answer

from .submissions import DEFAULT_GPUS, DEFAULT_WALL_S, KEY_HEADER, submit_from, sweep_from

_SHARED: dict[str, Any] = {
    "lab": serializers.IntegerField(required=False, help_text="Id of a lab of yours; it brings environment and data."),
    "environment": serializers.CharField(required=False, help_text="Slug; plain Python where it and lab are left out."),
    "title": serializers.CharField(required=False, max_length=160),
    "entrypoint": serializers.CharField(required=False, help_text="The file to run; the only one, or main.py."),
    "gpus": serializers.IntegerField(required=False, help_text=f"The lab's own, or {DEFAULT_GPUS}."),
    "gpu_milli": serializers.IntegerField(
        required=False,
        help_text="Thousandths of one GPU, in steps of 125: 250 is a quarter of it. The lab's own, or 1000, all of it.",
    ),
    "gpu_memory_mib": serializers.IntegerField(
        required=False,
        help_text="The least memory in MiB of each GPU, or of the share. Any when left out, and for a share its part.",
    ),
    "gpu_type": serializers.CharField(required=False, allow_blank=True, help_text="Any when left out."),
    "wall_s": serializers.IntegerField(required=False, help_text=f"Seconds; the lab's own, or {DEFAULT_WALL_S}."),
    "data_sets": serializers.ListField(child=serializers.CharField(), required=False, help_text="Slugs."),
    "account": serializers.IntegerField(required=False, help_text="Id of your quota account; the newest open one."),
    "preferred_campus": serializers.IntegerField(required=False, help_text="Id; where it runs if that is no later."),
    "preemptible": serializers.BooleanField(
        required=False, help_text="It may be asked to save into CAMPUS_CHECKPOINT_DIR and make room, and goes on later."
    ),
    "idempotency_key": serializers.CharField(required=False, max_length=80, help_text="The same key, the same job."),
}
_AFTER = serializers.ListField(
    child=inline_serializer(
        "AfterJob",
        {
            "job": serializers.IntegerField(help_text="A job of yours."),
            "condition": serializers.ChoiceField(["afterok", "afterany"], required=False),
        },
    ),
    required=False,
    help_text="Start only after these have succeeded (afterok, the default) or ended (afterany).",
)
_SHARED["after"] = _AFTER
_OF_RUN = {name: field for name, field in _SHARED.items() if name != "lab"}
_OF_SWEEP: dict[str, Any] = {
    "grid": serializers.DictField(
        child=serializers.ListField(), required=False, help_text="Parameter to its values; every combination runs."
    ),
    "points": serializers.ListField(
        child=serializers.DictField(), required=False, help_text="Instead of a grid: the parameters of each run."
    ),
    "metric": serializers.CharField(required=False, help_text="The value of metrics.json that finds the best run."),
    "direction": serializers.ChoiceField(Sweep.Direction.choices, required=False),
    "max_running": serializers.IntegerField(
        required=False, help_text="So many of its runs at once; all when left out."
    ),
}
_FILES = serializers.DictField(child=serializers.CharField(), help_text="Path to text.")
_ZIP = serializers.FileField(help_text="The files as one zip archive.")


class JobsView(JobListView):
    """`GET` lists jobs. `POST` submits one: as JSON with `files`, or as a form with a `zip`."""

    parser_classes = (CampusJSONParser, MultiPartParser)

    @extend_schema(
        tags=["jobs"],
        parameters=[
            OpenApiParameter(
                KEY_HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER, description="Instead of idempotency_key."
            )
        ],
        request={
            "application/json": inline_serializer("JobSubmission", {**_SHARED, "files": _FILES}),
            "multipart/form-data": inline_serializer("JobUpload", {**_SHARED, "zip": _ZIP}),
        },
        responses=SUBMISSION_RESPONSES,
    )
    def post(self, request: Request) -> Response:
        job, is_new = submit_from(request)
        return Response(job_answer(job), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class SweepsView(SweepListView):
    """`GET` lists sweeps. `POST` submits one: the fields of a job (no lab), and a `grid` or `points`."""

    parser_classes = (CampusJSONParser, MultiPartParser)

    @extend_schema(
        tags=["sweeps"],
        parameters=[
            OpenApiParameter(
                KEY_HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER, description="Instead of idempotency_key."
            )
        ],
        request={
            "application/json": inline_serializer("SweepSubmission", {**_OF_RUN, **_OF_SWEEP, "files": _FILES}),
            "multipart/form-data": inline_serializer("SweepUpload", {**_OF_RUN, **_OF_SWEEP, "zip": _ZIP}),
        },
        responses=SWEEP_RESPONSES,
    )
    def post(self, request: Request) -> Response:
        sweep, is_new = sweep_from(request)
        return Response(sweep_answer(sweep), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
