"""REST: classes, for other software of the campus (a room display, a stream's recorder) and for planners' scripts."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput, NotAllowed
from campus.core.rest import TimeField
from campus.people.api import standing_of
from courses.catalog.models import CourseRun

from .access import get_session_for, get_session_to_edit, plannable_cohorts
from .board import reader_of
from .models import ClassSession, Kind
from .services import ClassWish, PlaceWish, cancel_session, move_session, save_session
from .services.wishes import MOST_GPUS, MOST_SLOT

MOST = 1000
MOST_DAYS = 400


class PlaceAnswer(serializers.Serializer):
    cohort = serializers.IntegerField()
    cohort_name = serializers.CharField()
    campus = serializers.CharField(help_text="The campus's short name.")
    timezone = serializers.CharField(help_text="Whose clock the campus goes by.")
    room = serializers.IntegerField(allow_null=True, help_text="None: online.")
    room_name = serializers.CharField(allow_null=True)
    gpus = serializers.IntegerField()


class TeacherAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class ClassAnswer(serializers.Serializer):
    """A class, with where each cohort meets. `sequence` grows with each change."""

    id = serializers.IntegerField()
    uid = serializers.UUIDField(help_text="Its UID in calendars.")
    sequence = serializers.IntegerField()
    course_run = serializers.CharField(help_text="The run's short name.")
    kind = serializers.ChoiceField(Kind.choices)
    title = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    state = serializers.ChoiceField(ClassSession.State.choices)
    cancel_reason = serializers.CharField(allow_blank=True)
    replaces = serializers.IntegerField(allow_null=True, help_text="The class that this one makes up for.")
    stream_url = serializers.CharField(allow_null=True)
    places = PlaceAnswer(many=True)
    teachers = TeacherAnswer(many=True)


class ClassListAnswer(serializers.Serializer):
    results = ClassAnswer(many=True)


class SavedAnswer(ClassAnswer):
    advice = serializers.ListField(child=serializers.CharField(), help_text="What is odd but not forbidden.")


class PlaceRequest(serializers.Serializer):
    cohort = serializers.IntegerField(min_value=1, max_value=2**62)
    room = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True, default=None)
    gpus = serializers.IntegerField(min_value=0, max_value=MOST_GPUS, required=False, default=0)
    gpu_type = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    site = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True, default=None)


class ClassRequest(serializers.Serializer):
    course_run = serializers.SlugField(max_length=60)
    title = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(Kind.choices, required=False, default=Kind.LECTURE)
    starts_at = TimeField()
    ends_at = TimeField()
    places = PlaceRequest(many=True)
    teachers = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**62), required=False, default=list, max_length=50
    )
    stream = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    slot_minutes = serializers.IntegerField(
        min_value=5, max_value=MOST_SLOT, required=False, allow_null=True, default=None
    )
    replaces = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True, default=None)


class MoveRequest(serializers.Serializer):
    starts_at = TimeField()
    ends_at = TimeField(required=False)
    sequence = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, help_text="What you saw; another's change is not overwritten."
    )


class CancelRequest(serializers.Serializer):
    reason = serializers.CharField(max_length=300)


def shown(session: ClassSession) -> dict[str, Any]:
    """A whole session as the API says it."""
    return {
        "id": session.pk, "uid": session.uid, "sequence": session.sequence, "course_run": session.run.slug,
        "kind": session.kind, "title": session.title, "note": session.note, "starts_at": session.starts_at,
        "ends_at": session.ends_at, "state": session.state, "cancel_reason": session.cancel_reason,
        "replaces": session.replaces_id, "stream_url": session.stream.url if session.stream else None,
        "places": [
            {
                "cohort": place.cohort_id, "cohort_name": place.cohort.name, "campus": place.cohort.campus.slug,
                "timezone": place.cohort.campus.timezone, "room": place.room_id,
                "room_name": place.room.name if place.room else None, "gpus": place.gpus,
            }
            for place in session.places.all()
        ],
        "teachers": [{"id": row.user_id, "name": row.user.name} for row in session.teachers.all()],
    }  # fmt: skip


class Classes(APIView):
    """`GET` lists the classes that I may see, `POST` plans one."""

    @extend_schema(
        operation_id="classes_list", tags=["classes"], responses=ClassListAnswer,
        parameters=[
            OpenApiParameter("from", str, description="A time with its zone; now, when left out."),
            OpenApiParameter("until", str, description="A time with its zone; four weeks on, when left out."),
            OpenApiParameter("who", str, description="`mine`, or a cohort's number; all, when left out."),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        from_at = _time(request, "from", timezone.now())
        until_at = _time(request, "until", from_at + timedelta(weeks=4))
        if until_at - from_at > timedelta(days=MOST_DAYS):
            raise InvalidInput({"until": _("Ask for at most 400 days.")})
        reader = reader_of(_person(request), standing_of(_person(request)), request.query_params.get("who", ""))
        rows = reader.classes(from_at, until_at)[:MOST]
        return Response(ClassListAnswer({"results": [shown(row) for row in rows]}).data)

    @extend_schema(operation_id="classes_create", tags=["classes"], request=ClassRequest, responses={201: SavedAnswer})
    def post(self, request: Request) -> Response:
        standing = standing_of(_person(request))
        if not standing.is_teaching:
            raise NotAllowed
        given = ClassRequest(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        run = CourseRun.objects.filter(slug=fields["course_run"]).first()
        if run is None or not plannable_cohorts(standing, run).exists():
            raise InvalidInput({"course_run": _("Name a course run whose classes you plan.")})
        saved = save_session(
            run_id=run.pk, wish=_wish(fields), starts_at=fields["starts_at"], ends_at=fields["ends_at"],
            actor=_person(request),
        )  # fmt: skip
        return _answer(request, saved.session.pk, saved.advice, status.HTTP_201_CREATED)


class Class(APIView):
    """One class."""

    @extend_schema(operation_id="classes_read", tags=["classes"], responses=ClassAnswer)
    def get(self, request: Request, session_id: int) -> Response:
        return Response(ClassAnswer(shown(get_session_for(_person(request), session_id).session)).data)


class Move(APIView):
    """Move a class with all that it takes; 409 `timetable_clash` names every clash and free times."""

    @extend_schema(operation_id="classes_move", tags=["classes"], request=MoveRequest, responses=SavedAnswer)
    def post(self, request: Request, session_id: int) -> Response:
        get_session_to_edit(_person(request), session_id)
        given = MoveRequest(data=request.data)
        given.is_valid(raise_exception=True)
        saved = move_session(session_id=session_id, actor=_person(request), **given.validated_data)
        return _answer(request, session_id, saved.advice)


class Cancel(APIView):
    """Cancel a class; all that it takes is free at once. Twice changes nothing."""

    @extend_schema(operation_id="classes_cancel", tags=["classes"], request=CancelRequest, responses=ClassAnswer)
    def post(self, request: Request, session_id: int) -> Response:
        get_session_to_edit(_person(request), session_id)
        given = CancelRequest(data=request.data)
        given.is_valid(raise_exception=True)
        cancel_session(session_id=session_id, actor=_person(request), reason=given.validated_data["reason"])
        return Response(ClassAnswer(shown(get_session_for(_person(request), session_id).session)).data)


def _person(request: Request) -> Any:
    """Who asks: every call here is behind a token."""
    return request.user


def _answer(request: Request, session_id: int, advice: tuple[str, ...], code: int = status.HTTP_200_OK) -> Response:
    session = get_session_for(_person(request), session_id).session
    return Response(SavedAnswer(shown(session) | {"advice": list(advice)}).data, status=code)


def _wish(fields: dict[str, Any]) -> ClassWish:
    return ClassWish(
        title=fields["title"], kind=fields["kind"], note=fields["note"], stream_id=fields["stream"],
        slot_minutes=fields["slot_minutes"], replaces_id=fields["replaces"],
        teacher_ids=tuple(dict.fromkeys(fields["teachers"])),
        places=tuple(
            PlaceWish(place["cohort"], place["room"], place["gpus"], place["gpu_type"], place["site"])
            for place in fields["places"]
        ),
    )  # fmt: skip


def _time(request: Request, name: str, default: datetime) -> datetime:
    given = request.query_params.get(name, "")
    if not given:
        return default
    try:
        found = parse_datetime(given)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 2000 <= found.year < 2200:
        raise InvalidInput({name: _("Send a time with its zone, such as 2026-11-21T09:00+09:00.")})
    return found
