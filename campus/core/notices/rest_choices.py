"""REST: how one is told of what, by topic."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput
from campus.core.models import NoticeSettings, Way

from .choices import Chosen, choices_of, save_choices
from .phones import phone_topics
from .topics import offered_to

MOST_TOPICS = 200


class TopicAnswer(serializers.Serializer):
    """A topic and how I am told of it."""

    topic = serializers.CharField()
    label: Any = serializers.CharField(help_text="In the language of Accept-Language.")
    group = serializers.CharField()
    way = serializers.ChoiceField(Way.choices)
    to_phone = serializers.BooleanField()
    must = serializers.BooleanField(help_text="It always comes by e-mail and on the site.")
    may_phone = serializers.BooleanField(help_text="Some of it may go to a phone.")


class ChoicesAnswer(serializers.Serializer):
    digest_hour = serializers.IntegerField(help_text="0 to 23, campus time.")
    phone = serializers.CharField(allow_blank=True, help_text="E.164; proven by a code, on the page of choices.")
    topics = TopicAnswer(many=True)


class TopicWish(serializers.Serializer):
    topic = serializers.CharField(max_length=60)
    way = serializers.ChoiceField(Way.choices)
    to_phone = serializers.BooleanField(required=False, default=False)


class ChoicesWish(serializers.Serializer):
    """Topics that are left out stay as they are; one that must come comes, whatever is asked."""

    digest_hour = serializers.IntegerField(min_value=0, max_value=23)
    topics = serializers.ListField(child=TopicWish(), max_length=MOST_TOPICS)


class ChoicesView(APIView):
    """How I am told of what."""

    @extend_schema(operation_id="notices_choices", tags=["notices"], responses=ChoicesAnswer)
    def get(self, request: Request) -> Response:
        return Response(ChoicesAnswer(_answer(request)).data)

    @extend_schema(
        operation_id="notices_choose", tags=["notices"], request=ChoicesWish, responses=ChoicesAnswer
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        given = ChoicesWish(data=request.data)
        given.is_valid(raise_exception=True)
        said, offered = given.validated_data, offered_to(request._request)
        for one in said["topics"]:
            if one["topic"] not in offered:
                raise InvalidInput({"topics": _("There is no topic “%(topic)s” for you.") % {"topic": one["topic"]}})
        save_choices(
            user_id=_id(request), digest_hour=said["digest_hour"],
            chosen={one["topic"]: Chosen(one["way"], one["to_phone"]) for one in said["topics"]},
        )  # fmt: skip
        return Response(ChoicesAnswer(_answer(request)).data)


def _id(request: Request) -> int:
    return request.user.pk or 0


def _answer(request: Request) -> dict[str, Any]:
    chosen, phones = choices_of(_id(request)), phone_topics()
    kept = NoticeSettings.objects.filter(user_id=_id(request)).first() or NoticeSettings()
    topics = [
        {
            "topic": name, "label": topic.label, "group": topic.group, "way": chosen[name].way, "must": topic.must,
            "to_phone": chosen[name].to_phone, "may_phone": name in phones,
        }
        for name, topic in offered_to(request._request).items()
    ]  # fmt: skip
    return {"digest_hour": kept.digest_hour, "phone": kept.phone, "topics": topics}
