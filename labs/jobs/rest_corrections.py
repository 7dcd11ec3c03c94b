"""REST: staff correct what a job was charged."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.people.access import standing_of
from labs.quota.models import LedgerEntry

from . import services
from .access import get_job_to_correct


class CorrectionRequest(serializers.Serializer):
    seen_s = serializers.IntegerField(min_value=0, help_text="What the attempt stays charged now, as you saw it.")
    charged_s = serializers.IntegerField(min_value=0, help_text="What it should stay charged, in GPU-seconds.")
    attempt = serializers.IntegerField(min_value=1, max_value=32_000, required=False, help_text="The last.")
    reason = serializers.CharField(max_length=200)


class CorrectionAnswer(serializers.ModelSerializer):
    """The ledger line that corrects: CREDIT gives back, DEBIT charges."""

    class Meta:
        model = LedgerEntry
        fields = ("id", "job_id", "attempt", "kind", "gpu_seconds", "reason", "day", "at")


class JobCorrectionView(APIView):
    """`POST`: correct what a job that is over stays charged, by a line of its own. For administrators."""

    @extend_schema(tags=["jobs"], request=CorrectionRequest, responses={201: CorrectionAnswer})
    def post(self, request: Request, job_id: int) -> Response:
        job = get_job_to_correct(standing_of(request.user), job_id)
        given = CorrectionRequest(data=request.data)
        given.is_valid(raise_exception=True)
        entry = services.correct_charge(job_id=job.pk, actor=request.user, **given.validated_data)
        return Response(CorrectionAnswer(entry).data, status=status.HTTP_201_CREATED)
