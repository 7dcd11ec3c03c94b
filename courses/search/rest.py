"""The REST API of searching."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.people.api import standing_of

from .asking import asked
from .domain.words import Marked
from .finding import Answer, find


class PartAnswer(serializers.Serializer):
    """A part of a text, and whether it was asked for."""

    text = serializers.CharField()
    is_hit = serializers.BooleanField()


class HitAnswer(serializers.Serializer):
    kind = serializers.CharField()
    title = PartAnswer(many=True)
    snippet = PartAnswer(many=True)
    url = serializers.CharField()
    course = serializers.CharField(help_text="Empty for what belongs to no course, as is `term`.")
    term = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="When a class begins, or something was announced.")


class KindAnswer(serializers.Serializer):
    kind = serializers.CharField()
    count = serializers.IntegerField()


class SearchAnswer(serializers.Serializer):
    """A page of twenty, best first. `counts` are of all kinds, whichever was asked for."""

    total = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    counts = KindAnswer(many=True)
    results = HitAnswer(many=True)


def _parts(marked: Marked) -> list[dict[str, Any]]:
    return [{"text": text, "is_hit": is_hit} for text, is_hit in marked]


def _shown(answer: Answer) -> dict[str, Any]:
    results = [
        {
            "kind": hit.source.kind, "title": _parts(hit.title), "snippet": _parts(hit.snippet), "url": hit.url,
            "course": hit.course, "term": hit.term, "at": hit.at,
        }
        for hit in answer.hits
    ]  # fmt: skip
    counts = [{"kind": one.source.kind, "count": one.count} for one in answer.counts]
    return {"total": answer.total, "page": answer.page, "pages": answer.pages, "counts": counts, "results": results}


class SearchView(APIView):
    """What I may see that answers a question, in Korean or English."""

    @extend_schema(
        operation_id="search",
        tags=["search"],
        responses=SearchAnswer,
        parameters=[
            OpenApiParameter("q", str, description="Words; each must be found."),
            OpenApiParameter(
                "kind",
                str,
                description="One kind only: lesson, material, lab, assignment, class, announcement, course, module.",
            ),
            OpenApiParameter("page", int),
        ],
    )
    def get(self, request: Request) -> Response:
        question, kind, page = asked(request.query_params)
        answer = find(standing=standing_of(request.user), question=question, kind=kind, page=page)
        return Response(SearchAnswer(_shown(answer)).data)
