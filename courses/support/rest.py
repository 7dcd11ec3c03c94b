"""The REST API of support: the signals of a cohort, for its staff and nobody else."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.people.models import User
from courses.catalog.api import get_cohort_for

from .domain.signals import Kind
from .evidence import Looked, Overview, overview
from .words import signal_words

KINDS = [kind.value for kind in Kind]


class SignalAnswer(serializers.Serializer):
    """What asks for a look. There is no score."""

    kind = serializers.ChoiceField(KINDS)
    label: Any = serializers.CharField()
    text = serializers.CharField(help_text="What is known, in the language of Accept-Language.")
    threshold = serializers.CharField(help_text="From which figure on it is shown.")
    level = serializers.IntegerField(help_text="Grows when it gets worse by a step that is worth another look.")
    is_open = serializers.BooleanField(help_text="No staff noted it at this level yet.")


class SupportedLearnerAnswer(serializers.Serializer):
    enrolment = serializers.IntegerField()
    name = serializers.CharField()
    signals = SignalAnswer(many=True)


class SignalsAnswer(serializers.Serializer):
    """Learners with signals, by name."""

    cohort = serializers.IntegerField()
    learners = serializers.IntegerField(help_text="Enrolled in all.")
    results = SupportedLearnerAnswer(many=True)


class CohortSignals(APIView):
    """`GET`: who of a cohort may need help, with the figures that say so."""

    @extend_schema(
        operation_id="support_signals", tags=["support"], responses=SignalsAnswer,
        parameters=[
            OpenApiParameter("kind", str, enum=KINDS, description="One kind only."),
            OpenApiParameter("show", str, enum=["all"], description="Also what staff noted already."),
        ],
    )  # fmt: skip
    def get(self, request: Request, cohort_id: int) -> Response:
        cohort = get_cohort_for(_person(request), cohort_id)
        found = overview(cohort, timezone.now())
        kind, shows_all = request.query_params.get("kind", ""), request.query_params.get("show") == "all"
        rows = [
            {"enrolment": row.enrolment.pk, "name": row.enrolment.user.name, "signals": said}
            for row in found.rows
            if (said := _signals(row, found, kind, shows_all))
        ]
        return Response(
            SignalsAnswer({"cohort": cohort.pk, "learners": len(found.rows), "results": rows}).data
        )  # fmt: skip


def _signals(row: Looked, found: Overview, kind: str, shows_all: bool) -> list[dict[str, Any]]:
    shown = [one for one in (row.signals if shows_all else row.open) if kind in ("", one.kind.value)]
    return [
        {**signal_words(one, row.evidence, found.cohort).__dict__, "is_open": one in row.open} for one in shown
    ]  # fmt: skip


def _person(request: Request) -> User:
    return request.user  # type: ignore[return-value]
