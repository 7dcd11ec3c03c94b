"""The REST API of courses."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.people.api import standing_of

from .models import Enrolment
from .selectors import CatalogueEntry, catalogue


class CourseSerializer(serializers.Serializer):
    """A course as it is given in one term."""

    slug = serializers.CharField(help_text="Names the course run in addresses.")
    code = serializers.CharField()
    name = serializers.CharField(help_text="In the language of Accept-Language.")
    summary = serializers.CharField()
    programme = serializers.CharField()
    term = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    is_published = serializers.BooleanField()
    seats = serializers.IntegerField()
    seats_left = serializers.IntegerField()
    cohort = serializers.CharField(allow_null=True, help_text="Mine, where I am enrolled.")
    mode = serializers.ChoiceField(Enrolment.Mode.choices, allow_null=True)


def _shown(entry: CatalogueEntry) -> dict[str, Any]:
    run = entry.run
    return {
        "slug": run.slug,
        "code": run.course.code,
        "name": run.course.name,
        "summary": run.course.summary,
        "programme": run.course.programme.name,
        "term": run.term.name,
        "starts_on": run.term.starts_on,
        "ends_on": run.term.ends_on,
        "is_published": run.is_published,
        "seats": entry.seats,
        "seats_left": entry.seats_left,
        "cohort": entry.enrolment.cohort.name if entry.enrolment else None,
        "mode": entry.enrolment.mode if entry.enrolment else None,
    }


class CourseListSerializer(serializers.Serializer):
    results = CourseSerializer(many=True)


class Courses(APIView):
    """Courses I may see, newest term first."""

    @extend_schema(operation_id="courses_list", responses=CourseListSerializer, tags=["courses"])
    def get(self, request: Request) -> Response:
        entries = catalogue(standing_of(request.user))
        return Response(CourseListSerializer({"results": [_shown(entry) for entry in entries]}).data)
