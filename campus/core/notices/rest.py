"""REST: one's own notices, and marking them as read."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import NotFound
from campus.core.models import Notice

from .kinds import words_of
from .services import open_notice, read_all


class NoticeAnswer(serializers.ModelSerializer):
    """`title` and `text` in the caller's language, from `kind` and `facts`."""

    title = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()

    class Meta:
        model = Notice
        fields = ("id", "kind", "title", "text", "facts", "url", "created_at", "read_at")
        read_only_fields = fields

    def get_title(self, notice: Notice) -> str:
        return words_of(notice.kind, notice.facts).title

    def get_text(self, notice: Notice) -> str:
        return words_of(notice.kind, notice.facts).text


class ReadAnswer(serializers.Serializer):
    read = serializers.IntegerField(help_text="How many were unread.")


class OpenedAnswer(serializers.Serializer):
    url = serializers.CharField(help_text="Where it leads, on the campus.")


class NoticeListView(ListAPIView):
    """`GET`: one's own notices, newest first."""

    serializer_class = NoticeAnswer
    queryset = Notice.objects.none()

    def get_queryset(self) -> Any:
        mine = Notice.objects.filter(recipient_id=self.request.user.pk).order_by("-id")
        return mine.filter(read_at=None) if self.request.query_params.get("unread") == "1" else mine

    @extend_schema(
        tags=["notices"], parameters=[OpenApiParameter("unread", str, enum=["1"], description="Only unread ones.")]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class ReadView(APIView):
    """`POST`: mark all of one's notices as read."""

    @extend_schema(tags=["notices"], request=None, responses={200: ReadAnswer})
    def post(self, request: Request) -> Response:
        return Response({"read": read_all(user_id=request.user.pk or 0)})


class ReadOneView(APIView):
    """`POST`: mark one of one's notices as read."""

    @extend_schema(operation_id="notices_read_one", tags=["notices"], request=None, responses={200: OpenedAnswer})
    def post(self, request: Request, notice_id: int) -> Response:
        url = open_notice(user_id=request.user.pk or 0, notice_id=notice_id)
        if url is None:
            raise NotFound
        return Response({"url": url})
