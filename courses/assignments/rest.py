"""The REST API of labs: what one needs to know to submit a run."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .domain.progress import LabState
from .selectors import DueLab, my_labs

STATES = {state: state.value.removeprefix("LAB_") for state in LabState}


class LabProgressSerializer(serializers.Serializer):
    """How far I am with a lab."""

    state = serializers.ChoiceField(sorted(STATES.values()))
    runs = serializers.IntegerField()
    best = serializers.FloatField(allow_null=True, help_text="My best value of the lab's metric.")
    last_job = serializers.IntegerField(allow_null=True)


class LabSerializer(serializers.Serializer):
    """A lab of a course I am enrolled in."""

    id = serializers.IntegerField(help_text="Give it as `lab` when you submit a job.")
    title = serializers.CharField()
    course = serializers.CharField(help_text="The course run's slug.")
    module = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="For me, extensions included.")
    environment = serializers.CharField()
    data_sets = serializers.ListField(child=serializers.CharField())
    entrypoint = serializers.CharField()
    starter_files = serializers.ListField(child=serializers.CharField())
    gpus = serializers.IntegerField()
    max_gpus = serializers.IntegerField()
    gpu_milli = serializers.IntegerField(help_text="Thousandths of a GPU; less than 1000 is a share of one.")
    max_gpu_milli = serializers.IntegerField()
    gpu_memory_mib = serializers.IntegerField(
        allow_null=True, help_text="The least memory of each GPU, or of the share."
    )
    gpu_type = serializers.CharField()
    wall_s = serializers.IntegerField()
    max_wall_s = serializers.IntegerField()
    main_metric = serializers.CharField()
    progress = LabProgressSerializer()


class LabListSerializer(serializers.Serializer):
    results = LabSerializer(many=True)


def _shown(entry: DueLab) -> dict[str, Any]:
    lab, runs = entry.lab, entry.progress.runs
    return {
        "id": lab.pk,
        "title": lab.title,
        "course": lab.module.run.slug,
        "module": lab.module.title,
        "due_at": entry.due_at,
        "environment": lab.environment.slug,
        "data_sets": [data_set.slug for data_set in lab.data_sets.all()],
        "entrypoint": lab.entrypoint,
        "starter_files": sorted(lab.starter.files),
        "gpus": lab.gpus,
        "max_gpus": lab.max_gpus,
        "gpu_milli": lab.gpu_milli,
        "max_gpu_milli": lab.max_gpu_milli,
        "gpu_memory_mib": lab.gpu_memory_mib,
        "gpu_type": lab.gpu_type,
        "wall_s": lab.wall_s,
        "max_wall_s": lab.max_wall_s,
        "main_metric": lab.main_metric,
        "progress": {
            "state": STATES[entry.progress.state],
            "runs": runs.runs,
            "best": entry.progress.best,
            "last_job": runs.last_job_id,
        },
    }


class Labs(APIView):
    """Labs of the courses I am enrolled in, soonest due first, with what a run gets and how far I am."""

    @extend_schema(operation_id="labs_list", responses=LabListSerializer, tags=["labs"])
    def get(self, request: Request) -> Response:
        entries = my_labs(int(request.user.pk or 0), timezone.now())
        return Response(LabListSerializer({"results": [_shown(entry) for entry in entries]}).data)
