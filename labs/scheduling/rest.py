"""REST: what a job would hold and when it would start."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .forecasts import forecast
from .views import because, wishes_of


class ForecastAnswer(serializers.Serializer):
    """GPU-seconds, and times by which half (P50) and nine tenths (P90) of such jobs start."""

    hold_s = serializers.IntegerField()
    gpu_seconds = serializers.IntegerField(help_text="What it runs at most on its GPUs; hold_s is what that costs.")
    available_s = serializers.IntegerField(help_text="What is left for it, in the tightest account above it.")
    is_affordable = serializers.BooleanField()
    start_p50_at = serializers.DateTimeField(allow_null=True)
    start_p90_at = serializers.DateTimeField(allow_null=True)
    starts_now = serializers.BooleanField()
    place = serializers.IntegerField()
    reason = serializers.CharField(help_text="Why it would wait; empty where it would start at once.")
    because = serializers.CharField(help_text="The same in words.")
    run_p50_s = serializers.FloatField()
    run_p90_s = serializers.FloatField()


class ForecastView(APIView):
    """`GET`: plan the queue as it stands with one more job in it."""

    @extend_schema(
        tags=["jobs"],
        parameters=[
            OpenApiParameter("gpus", int),
            OpenApiParameter("gpu_milli", int, description="Thousandths of one GPU; all of it when left out."),
            OpenApiParameter("gpu_memory_mib", int, description="The least memory of each GPU, or of the share."),
            OpenApiParameter("gpu_type", str),
            OpenApiParameter("wall_s", int),
            OpenApiParameter("campus", int, description="Where it should rather run."),
            OpenApiParameter("account", int, description="One's newest open account when left out."),
            OpenApiParameter("work_key", str),
        ],
        responses={200: ForecastAnswer},
    )
    def get(self, request: Request) -> Response:
        found = forecast(user=request.user, **wishes_of(request.query_params, request.user))
        body = ForecastAnswer(found).fields.keys()
        values = {name: because(found) if name == "because" else getattr(found, name) for name in body}
        return Response(ForecastAnswer(values).data)
