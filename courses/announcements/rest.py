"""The REST API of announcements: what is announced to me; for who may write, drafts, publishing, withdrawing."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput, NotAllowed
from campus.core.rest import TimeField
from campus.people.api import standing_of
from campus.people.models import User
from campus.places.models import Campus
from courses.catalog.models import CourseRun

from .access import get_announcement_for, get_announcement_to_write
from .models import Announcement
from .selectors import announcements_for, counts_of, written_announcements
from .services import Wish, mark_read, publish, save_announcement, withdraw
from .words import place_name

Reach = Announcement.Reach


class AnnouncementAnswer(serializers.ModelSerializer):
    """An announcement. `brought` and `read` count people, for who may change it; else they are null."""

    place = serializers.SerializerMethodField(help_text="For whom, in words.")
    author = serializers.CharField(source="author.name", allow_null=True, default=None)
    is_new = serializers.BooleanField(default=False, help_text="It was brought to me and I did not read it yet.")
    brought = serializers.IntegerField(allow_null=True, default=None)
    read = serializers.IntegerField(allow_null=True, default=None)

    class Meta:
        model = Announcement
        fields = (
            "id", "title", "body", "reach", "place", "role", "state", "author", "publish_at", "published_at",
            "edited_at", "is_new", "brought", "read",
        )  # fmt: skip
        read_only_fields = fields

    def get_place(self, found: Announcement) -> str:
        return place_name(found)


class AnnouncementWish(serializers.Serializer):
    """`reach` says which of `cohort`, `course` and `campus` is to be named; EVERYONE needs none of them."""

    title = serializers.CharField(max_length=120)
    body = serializers.CharField(max_length=20_000, help_text="Markdown.")
    reach = serializers.ChoiceField(Reach.choices)
    cohort = serializers.IntegerField(min_value=1, max_value=2**62, required=False)
    course = serializers.SlugField(max_length=60, required=False, help_text="The course run's slug.")
    campus = serializers.SlugField(max_length=60, required=False, help_text="Its slug.")
    role = serializers.ChoiceField(Announcement.Role.choices, required=False, default=Announcement.Role.ALL)
    publish_at = TimeField(required=False, allow_null=True, default=None)


class AnnouncementChange(serializers.Serializer):
    """What is left out stays. Of what is published only `title` and `body` can change."""

    title = serializers.CharField(max_length=120, required=False)
    body = serializers.CharField(max_length=20_000, required=False, help_text="Markdown.")
    role = serializers.ChoiceField(Announcement.Role.choices, required=False)
    publish_at = TimeField(required=False, allow_null=True)


class PublishWish(serializers.Serializer):
    at_its_time = serializers.BooleanField(required=False, default=False, help_text="At `publish_at`; now, if not.")


class Announcements(ListAPIView):
    """`GET`: what is announced to me. `POST`: a draft, for who may write to these people."""

    serializer_class = AnnouncementAnswer
    queryset = Announcement.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        standing = standing_of(self.request.user)
        if self.request.query_params.get("written") == "1":
            return written_announcements(standing)
        return announcements_for(standing)

    @extend_schema(
        operation_id="announcements_list", tags=["announcements"],
        parameters=[OpenApiParameter("written", str, enum=["1"], description="What I may change, drafts too.")],
    )  # fmt: skip
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="announcements_create", tags=["announcements"], request=AnnouncementWish,
        responses={201: AnnouncementAnswer},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        if not standing_of(request.user).is_teaching:
            raise NotAllowed
        given = AnnouncementWish(data=request.data)
        given.is_valid(raise_exception=True)
        made = save_announcement(wish=_wish(given.validated_data), actor=_person(request))
        return _answer(request, made.pk, status.HTTP_201_CREATED)


class AnnouncementView(APIView):
    """One announcement. Reading it here does not mark it as read."""

    @extend_schema(operation_id="announcements_read", tags=["announcements"], responses=AnnouncementAnswer)
    def get(self, request: Request, announcement_id: int) -> Response:
        return _answer(request, announcement_id)

    @extend_schema(
        operation_id="announcements_change", tags=["announcements"], request=AnnouncementChange,
        responses=AnnouncementAnswer,
    )  # fmt: skip
    def patch(self, request: Request, announcement_id: int) -> Response:
        found = get_announcement_to_write(_person(request), announcement_id)
        given = AnnouncementChange(data=request.data)
        given.is_valid(raise_exception=True)
        kept = {name: getattr(found, name) for name in Wish.__dataclass_fields__}
        save_announcement(wish=Wish(**kept | given.validated_data), actor=_person(request), announcement_id=found.pk)
        return _answer(request, found.pk)


class MarkRead(APIView):
    """`POST`: note that I read it; once counts."""

    @extend_schema(operation_id="announcements_mark_read", tags=["announcements"], request=None, responses={204: None})
    def post(self, request: Request, announcement_id: int) -> Response:
        found, _writes = get_announcement_for(_person(request), announcement_id)
        mark_read(announcement_id=found.pk, user=_person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Publish(APIView):
    """`POST`: publish a draft now, or let it wait for its time. 409 where it was published before."""

    @extend_schema(
        operation_id="announcements_publish", tags=["announcements"], request=PublishWish, responses=AnnouncementAnswer
    )
    def post(self, request: Request, announcement_id: int) -> Response:
        found = get_announcement_to_write(_person(request), announcement_id)
        given = PublishWish(data=request.data)
        given.is_valid(raise_exception=True)
        publish(announcement_id=found.pk, actor=_person(request), at_its_time=given.validated_data["at_its_time"])
        return _answer(request, found.pk)


class Withdraw(APIView):
    """`POST`: take it from all pages; a draft goes altogether."""

    @extend_schema(operation_id="announcements_withdraw", tags=["announcements"], request=None, responses={204: None})
    def post(self, request: Request, announcement_id: int) -> Response:
        found = get_announcement_to_write(_person(request), announcement_id)
        withdraw(announcement_id=found.pk, actor=_person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _person(request: Request) -> User:
    return request.user  # type: ignore[return-value]


def _answer(request: Request, announcement_id: int, code: int = status.HTTP_200_OK) -> Response:
    found, writes = get_announcement_for(_person(request), announcement_id)
    shown: Any = announcements_for(standing_of(request.user)).filter(pk=found.pk).first() or found
    if writes:
        shown.brought, shown.read = counts_of(found)
    return Response(AnnouncementAnswer(shown).data, status=code)


def _wish(given: dict[str, Any]) -> Wish:
    reach, place = given["reach"], {}
    if reach != Reach.EVERYONE:
        place = _place(reach, given)
    return Wish(given["title"], given["body"], reach, given["role"], publish_at=given["publish_at"], **place)


def _place(reach: str, given: dict[str, Any]) -> dict[str, int]:
    """The id of the place that `reach` asks for. That one may write there is the service's question."""
    name = {Reach.COHORT: "cohort", Reach.RUN: "course", Reach.CAMPUS: "campus"}[Reach(reach)]
    if name not in given:
        raise InvalidInput({name: _("Name the place that it is for.")})
    if reach == Reach.COHORT:
        return {"cohort_id": given["cohort"]}
    places: QuerySet[Any] = CourseRun.objects.all() if reach == Reach.RUN else Campus.objects.all()
    found = places.filter(slug=given[name]).values_list("pk", flat=True).first()
    if found is None:
        raise InvalidInput({name: _("Name the place that it is for.")})
    return {f"{reach.lower()}_id": found}
