"""The REST API of materials: those of a course with my progress, one of them, what a player reports; for staff, who."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput, NotFound
from campus.people.models import User
from courses.catalog.api import RunAccess, get_run_for
from courses.content.api import locked_modules
from courses.content.models import Lesson

from .access import get_material_for, get_run_to_follow, get_version_for, newest_version
from .domain import intervals
from .domain.progress import Progress
from .following import table_of
from .models import Material, MaterialVersion, WatchCredit
from .progress import of_materials
from .services.watching import finish_pct_of, pieces_of, report

WHY = ["NOT_OPENED", "OPENED", "NOT_WATCHED", "WATCHED_PART", "WATCHED", "WATCHED_BEFORE"]
SPAN = "Pairs of seconds, [from, until)."


class ProgressAnswer(serializers.Serializer):
    percent = serializers.IntegerField(help_text="Whole percent, rounded down.")
    finished_at = serializers.DateTimeField(allow_null=True)
    why = serializers.ChoiceField(WHY)


class MaterialAnswer(serializers.Serializer):
    """A material. `progress` is mine; null for staff."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Material.Kind.choices)
    title = serializers.CharField()
    module = serializers.IntegerField()
    module_title = serializers.CharField()
    minutes = serializers.IntegerField()
    is_published = serializers.BooleanField()
    progress = ProgressAnswer(allow_null=True)


class MaterialListAnswer(serializers.Serializer):
    results = MaterialAnswer(many=True)


class CaptionAnswer(serializers.Serializer):
    language = serializers.CharField()
    url = serializers.CharField(help_text="WebVTT.")


class ChapterAnswer(serializers.Serializer):
    at_s = serializers.FloatField()
    title = serializers.CharField()


class MaterialVersionAnswer(serializers.Serializer):
    """The newest version. A video has `duration_s`; one elsewhere has `hls_url` in place of `file_url`."""

    number = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    media_type = serializers.CharField(allow_blank=True)
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField(allow_blank=True)
    duration_s = serializers.FloatField(allow_null=True)
    file_url = serializers.CharField(allow_null=True, help_text="Answers byte ranges.")
    hls_url = serializers.CharField(allow_blank=True)
    captions = CaptionAnswer(many=True)
    chapters = ChapterAnswer(many=True)
    at = serializers.DateTimeField()


class SpansField(serializers.ListField):
    """Pieces of a video."""

    child = serializers.ListField(child=serializers.FloatField())


class WatchedAnswer(serializers.Serializer):
    """What counts of the newest version of a video, for one learner."""

    percent = serializers.IntegerField()
    finish_pct = serializers.IntegerField(help_text="So much finishes it.")
    is_finished = serializers.BooleanField()
    position_s = serializers.FloatField(help_text="Where they left off.")
    watched = SpansField(help_text=SPAN)
    missing = SpansField(help_text=SPAN)
    refused_s = serializers.FloatField(help_text="Of the last report: faster than it can be watched.")


class MaterialDetailAnswer(MaterialAnswer):
    """A material with its newest version, and what I watched of it."""

    description = serializers.CharField(allow_blank=True, help_text="Markdown.")
    version = MaterialVersionAnswer(allow_null=True)
    watched = WatchedAnswer(allow_null=True, help_text="For learners, of a video.")


class WatchedReport(serializers.Serializer):
    """What a player played since its last report; the server alone says what of it counts."""

    tab = serializers.UUIDField(help_text="One for each page or player.")
    number = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="Of this report; the same sent again counts once."
    )
    intervals = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        max_length=intervals.MOST_CLAIMS, help_text=SPAN,
    )  # fmt: skip
    position = serializers.FloatField(help_text="Seconds.")


class FollowedCellAnswer(ProgressAnswer):
    material = serializers.IntegerField()


class FollowedAnswer(serializers.Serializer):
    enrolment = serializers.IntegerField()
    name = serializers.CharField()
    cohort = serializers.CharField()
    finished = serializers.IntegerField(help_text="Materials.")
    materials = FollowedCellAnswer(many=True)


class FollowedListAnswer(serializers.Serializer):
    """The learners of one's cohorts, each with the published materials in the course's order."""

    results = FollowedAnswer(many=True)


class Materials(APIView):
    """`GET`: the materials of a course that are open to me, in its order."""

    @extend_schema(
        operation_id="materials_list", tags=["materials"], responses=MaterialListAnswer,
        parameters=[OpenApiParameter("lesson", int, description="Those of this lesson's module only.")],
    )  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        access = get_run_for(_person(request), slug)
        if not access.may_read:
            raise NotFound
        shown = Material.objects.filter(module__run=access.run).exclude(module__in=locked_modules(access))
        if not access.is_staff:
            shown = shown.filter(is_published=True, module__is_published=True)
        if lesson := request.query_params.get("lesson", ""):
            shown = shown.filter(module=_module_of(access, lesson))
        found = list(shown.select_related("module").defer("description").order_by("module__position", "position"))
        known = _progress(access, found)
        rows = [_material(one, known.get(one.pk)) for one in found]
        return Response(MaterialListAnswer({"results": rows}).data)


class MaterialView(APIView):
    """`GET`: one material with its newest version. Looking at it here opens nothing; fetching its file does."""

    @extend_schema(operation_id="materials_read", tags=["materials"], responses=MaterialDetailAnswer)
    def get(self, request: Request, material_id: int) -> Response:
        material, access = get_material_for(_person(request), material_id)
        version, mine = newest_version(material), access.enrolment
        watched = None
        if version is not None and mine is not None and material.kind == Material.Kind.VIDEO:
            watched = _watched(version, WatchCredit.objects.filter(version=version, enrolment=mine).first())
        answer = {
            **_material(material, _progress(access, [material]).get(material.pk)),
            "description": material.description,
            "version": _version(version) if version else None,
            "watched": watched,
        }
        return Response(MaterialDetailAnswer(answer).data)


class Watched(APIView):
    """`POST`: what was played; at most the time that passed counts, at double speed. Learners only."""

    @extend_schema(operation_id="materials_watched", tags=["materials"], request=WatchedReport, responses=WatchedAnswer)
    def post(self, request: Request, material_id: int, number: int) -> Response:
        version, access = get_version_for(_person(request), material_id, number)
        if version.material.kind != Material.Kind.VIDEO:
            raise InvalidInput(message=_("Only videos are watched."))
        given = WatchedReport(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        reported = report(
            version=version, enrolment=access.enrolment, tab=said["tab"], number=said["number"],
            said=said["intervals"], position_s=said["position"],
        )  # fmt: skip
        return Response(WatchedAnswer(_watched(version, reported.credit, reported.refused_ms)).data)


class Followed(APIView):
    """`GET`: how far the learners of one's cohorts are with every material."""

    @extend_schema(operation_id="materials_learners", tags=["materials"], responses=FollowedListAnswer)
    def get(self, request: Request, slug: str) -> Response:
        table = table_of(get_run_to_follow(_person(request), slug))
        rows = [
            {
                "enrolment": row.enrolment.pk, "name": row.enrolment.user.name, "cohort": row.enrolment.cohort.name,
                "finished": row.finished,
                "materials": [{"material": one.material.pk, **_shown(one.progress)} for one in row.cells],
            }
            for row in table.rows
        ]  # fmt: skip
        return Response(FollowedListAnswer({"results": rows}).data)


def _person(request: Request) -> User:
    return request.user  # type: ignore[return-value]


def _module_of(access: RunAccess, lesson: str) -> int:
    """The module of a lesson of this run that the reader may see. Raises NotFound."""
    lessons = Lesson.objects.filter(module__run=access.run)
    if not access.is_staff:
        lessons = lessons.filter(is_published=True, module__is_published=True)
    is_number = lesson.isascii() and lesson.isdecimal() and len(lesson) < 19
    found = lessons.filter(pk=int(lesson)).values_list("module_id", flat=True).first() if is_number else None
    if found is None:
        raise NotFound
    return found


def _progress(access: RunAccess, materials: list[Material]) -> dict[int, Progress]:
    """The reader's own, by material; none for staff. Two queries at most."""
    mine = access.enrolment
    if mine is None or not materials:
        return {}
    return {material_id: one for (_enrolment_id, material_id), one in of_materials(materials, [mine.pk]).items()}


def _shown(progress: Progress) -> dict[str, Any]:
    return {"percent": int(progress.share * 100), "finished_at": progress.finished_at, "why": progress.why}


def _material(one: Material, progress: Progress | None) -> dict[str, Any]:
    return {
        "id": one.pk, "kind": one.kind, "title": one.title, "module": one.module_id, "module_title": one.module.title,
        "minutes": one.minutes, "is_published": one.is_published, "progress": _shown(progress) if progress else None,
    }  # fmt: skip


def _version(version: MaterialVersion) -> dict[str, Any]:
    place = (version.material_id, version.number)
    return {
        "number": version.number, "name": version.name, "media_type": version.media_type, "sha256": version.sha256,
        "size_bytes": version.size_bytes, "hls_url": version.hls_url, "at": version.at,
        "duration_s": version.duration_s if version.duration_ms else None,
        "file_url": reverse("materials:file", args=place) if version.file else None,
        "captions": [
            {"language": one.language, "url": reverse("materials:vtt", args=(*place, one.language))}
            for one in version.captions.defer("cues", "transcript")
        ],
        "chapters": [{"at_s": one.at_ms / 1000, "title": one.title} for one in version.chapters.all()],
    }  # fmt: skip


def _watched(version: MaterialVersion, credit: WatchCredit | None, refused_ms: int = 0) -> dict[str, Any]:
    pieces = pieces_of(credit)
    return {
        "percent": credit.percent if credit else 0,
        "finish_pct": finish_pct_of(version.material),
        "is_finished": credit is not None and credit.finished_at is not None,
        "position_s": credit.position_ms / 1000 if credit else 0,
        "watched": _spans(pieces),
        "missing": _spans(intervals.gaps(pieces, version.duration_ms or 0)),
        "refused_s": refused_ms / 1000,
    }


def _spans(pieces: tuple[intervals.Piece, ...]) -> list[list[float]]:
    return [[start / 1000, end / 1000] for start, end in pieces]
