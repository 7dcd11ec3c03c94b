"""REST: sweeps and their runs. Submitting is composed above, beside that of jobs."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.people.access import standing_of

from . import services
from .access import get_own_sweep, get_sweep_for, get_sweep_to_cancel, sweeps_for
from .models import Job, Sweep
from .sweep_page import best_run, with_progress


class SweepAnswer(serializers.ModelSerializer):
    """A sweep. `runs` counts its places; `grid` is empty where its points were listed."""

    owner = serializers.CharField(source="owner.email")

    class Meta:
        model = Sweep
        fields = (
            "id", "title", "owner", "account", "runs", "names", "grid", "metric", "direction", "max_running",
            "submitted_at",
        )  # fmt: skip


class SweepListAnswer(SweepAnswer):
    """A sweep in the list, with how many of its places are open and how many have succeeded."""

    open_runs = serializers.IntegerField()
    succeeded_runs = serializers.IntegerField()

    class Meta(SweepAnswer.Meta):
        fields: Any = (*SweepAnswer.Meta.fields, "open_runs", "succeeded_runs")


class RunAnswer(serializers.ModelSerializer):
    """The newest job of a place."""

    job = serializers.IntegerField(source="pk")
    place = serializers.IntegerField(source="sweep_index")
    hold_s = serializers.IntegerField()

    class Meta:
        model = Job
        fields = ("place", "job", "state", "end_reason", "parameters", "result", "charged_s", "hold_s")


class SweepDetailAnswer(SweepAnswer):
    """A sweep with its runs in order, how many are in which state, and the job of the best run."""

    best = serializers.IntegerField(allow_null=True)
    states = serializers.DictField(child=serializers.IntegerField())
    jobs = RunAnswer(many=True)

    class Meta(SweepAnswer.Meta):
        fields: Any = (*SweepAnswer.Meta.fields, "best", "states", "jobs")


class SweepListView(ListAPIView):
    """`GET`: one's own sweeps; with `whose=all` also those of everyone whom one teaches. Newest first."""

    serializer_class = SweepListAnswer
    queryset = Sweep.objects.none()

    def get_queryset(self) -> Any:
        found = with_progress(sweeps_for(standing_of(self.request.user)).select_related("owner"))
        if self.request.query_params.get("whose") != "all":
            found = found.filter(owner_id=self.request.user.pk)
        return found.order_by("-id")

    @extend_schema(tags=["sweeps"], parameters=[OpenApiParameter("whose", str, enum=["mine", "all"])])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


def sweep_answer(sweep: Sweep) -> Any:
    """The sweep as the API shows it; two queries."""
    shown: Any = Sweep.objects.select_related("owner").get(pk=sweep.pk)
    shown_jobs = services.newest_runs(sweep.pk)
    answer = SweepAnswer(shown).data
    states: dict[str, int] = {}
    for job in shown_jobs:
        states[job.state] = states.get(job.state, 0) + 1
    return answer | {
        "best": best_run(shown, shown_jobs),
        "states": states,
        "jobs": RunAnswer(shown_jobs, many=True).data,
    }


class SweepView(APIView):
    """`GET`: one sweep with its runs, their parameters and results."""

    @extend_schema(tags=["sweeps"], responses={200: SweepDetailAnswer})
    def get(self, request: Request, sweep_id: int) -> Response:
        return Response(sweep_answer(get_sweep_for(standing_of(request.user), sweep_id)))


class SweepCancelView(APIView):
    """`POST`: stop every run that is not over. What ran until the stop is charged."""

    answer = inline_serializer("SweepCancelled", {"cancelled": serializers.IntegerField()})

    @extend_schema(tags=["sweeps"], request=None, responses={200: answer})
    def post(self, request: Request, sweep_id: int) -> Response:
        sweep = get_sweep_to_cancel(standing_of(request.user), sweep_id)
        return Response({"cancelled": services.cancel_sweep(sweep_id=sweep.pk, actor=request.user)})


class SweepRerunView(APIView):
    """`POST`: run again, in their places, what failed or ran out of time; all or none."""

    @extend_schema(tags=["sweeps"], request=None, responses={201: SweepDetailAnswer})
    def post(self, request: Request, sweep_id: int) -> Response:
        sweep = get_own_sweep(standing_of(request.user), sweep_id)
        services.rerun_failed(sweep_id=sweep.pk, actor=request.user)
        return Response(sweep_answer(sweep), status=status.HTTP_201_CREATED)


#: For the schema of the submission, which `campus.web` composes.
SWEEP_RESPONSES = {201: SweepDetailAnswer, 200: OpenApiResponse(SweepDetailAnswer, "The same idempotency key again.")}
