"""REST: requests for more GPU time, and when an account runs out."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput
from campus.people.access import standing_of

from .access import get_account_for
from .access_requests import (
    decided_by,
    get_account_to_ask_for,
    get_own_request,
    get_request_for,
    get_request_to_decide,
    requests_for,
)
from .forecasts import answer_of, outlook_of
from .models import QuotaRequest
from .rest_names import renamed
from .services import requests as services

FIELDS = {"wanted_s": "gpu_seconds", "given_s": "gpu_seconds"}


class RequestAnswer(serializers.ModelSerializer):
    """Amounts in GPU-seconds. `raised_for` is the request below that this one was made for."""

    gpu_seconds = serializers.IntegerField(source="wanted_s", read_only=True)
    given_gpu_seconds = serializers.IntegerField(source="given_s", read_only=True, allow_null=True)
    asker = serializers.CharField(source="asker.name", read_only=True)
    decided_by = serializers.CharField(source="decided_by.name", read_only=True, allow_null=True, default=None)

    class Meta:
        model = QuotaRequest
        fields = (
            "id", "account", "asker", "gpu_seconds", "until", "reason", "state", "raised_for", "asked_at",
            "decided_by", "decided_at", "given_gpu_seconds", "given_until", "answer",
        )  # fmt: skip
        read_only_fields = fields


class AskRequest(serializers.Serializer):
    account = serializers.IntegerField(min_value=1, max_value=2**62)
    gpu_seconds = serializers.IntegerField(min_value=1, max_value=10**15, help_text="On top of what the account has.")
    until = serializers.DateField(help_text="The last day on which it is needed.")
    reason = serializers.CharField(max_length=services.ASKED_LENGTH)


class ApproveRequest(serializers.Serializer):
    gpu_seconds = serializers.IntegerField(
        required=False, min_value=1, max_value=10**15, help_text="A part of it; the whole when left out."
    )
    until = serializers.DateField(
        required=False,
        allow_null=True,
        help_text="Given until the end of that day, as a grant; for good when left out.",
    )
    answer = serializers.CharField(required=False, default="", allow_blank=True, max_length=services.REASON_LENGTH)


class AnswerRequest(serializers.Serializer):
    answer = serializers.CharField(required=False, default="", allow_blank=True, max_length=services.REASON_LENGTH)


class AccountForecastAnswer(serializers.Serializer):
    """`runs_out`: even in quiet weeks; `may_run_out`: in busy ones; `lasts`: not even then. `until`: the term's end."""

    verdict = serializers.ChoiceField(["unused", "too_early", "empty", "runs_out", "may_run_out", "lasts", "none"])
    earliest_on = serializers.DateField(allow_null=True)
    latest_on = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True)
    week_s = serializers.IntegerField(help_text="GPU-seconds of a usual week.")
    weeks = serializers.IntegerField(help_text="How many whole weeks it is made from.")


class RequestListView(ListAPIView):
    """`GET`: the requests that one may see, newest first. `POST`: ask for more for an account of one's own."""

    serializer_class = RequestAnswer
    queryset = QuotaRequest.objects.none()

    def get_queryset(self) -> Any:
        standing = standing_of(self.request.user)
        found = requests_for(standing).order_by("-id")
        state = self.request.query_params.get("state", "")
        if state and state not in QuotaRequest.State.values:
            raise InvalidInput({"state": "Use one of: " + ", ".join(QuotaRequest.State.values) + "."})
        if self.request.query_params.get("to_decide") == "1":
            found = found.filter(decided_by(standing), state=QuotaRequest.State.OPEN)
        return found.filter(state=state) if state else found

    @extend_schema(
        tags=["quota"],
        parameters=[
            OpenApiParameter("state", str, enum=QuotaRequest.State.values),
            OpenApiParameter("to_decide", str, enum=["1"], description="Only open ones that one may decide."),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(tags=["quota"], request=AskRequest, responses={201: RequestAnswer})
    def post(self, request: Request) -> Response:
        given = AskRequest(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        account = get_account_to_ask_for(standing_of(request.user), said["account"])
        asker: Any = request.user
        with renamed(FIELDS):
            made = services.ask(
                account_id=account.pk, asker=asker, wanted_s=said["gpu_seconds"], until=said["until"],
                reason=said["reason"],
            )  # fmt: skip
        made.refresh_from_db()
        return Response(RequestAnswer(made).data, status=status.HTTP_201_CREATED)


class RequestView(APIView):
    """`GET`: one request."""

    @extend_schema(tags=["quota"], responses={200: RequestAnswer})
    def get(self, request: Request, request_id: int) -> Response:
        return Response(RequestAnswer(get_request_for(standing_of(request.user), request_id)).data)


class ApproveView(APIView):
    """`POST`: give the whole or a part, for good or `until` a day; it is moved down from as far up as one may."""

    @extend_schema(tags=["quota"], request=ApproveRequest, responses={200: RequestAnswer})
    def post(self, request: Request, request_id: int) -> Response:
        standing = standing_of(request.user)
        found = get_request_to_decide(standing, request_id)
        given = ApproveRequest(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Any = request.user
        with renamed(FIELDS):
            done = services.approve(
                request_id=found.pk, actor=actor, standing=standing, answer=given.validated_data["answer"],
                given_s=given.validated_data.get("gpu_seconds"), until=given.validated_data.get("until"),
            )  # fmt: skip
        return Response(RequestAnswer(done).data)


class DeclineView(APIView):
    """`POST`: say no, and why (`answer`)."""

    @extend_schema(tags=["quota"], request=AnswerRequest, responses={200: RequestAnswer})
    def post(self, request: Request, request_id: int) -> Response:
        found = get_request_to_decide(standing_of(request.user), request_id)
        actor: Any = request.user
        done = services.decline(request_id=found.pk, actor=actor, answer=_answer(request))
        return Response(RequestAnswer(done).data)


class PassUpView(APIView):
    """`POST`: where one has too little to give, ask for it further up; answers with the new request."""

    @extend_schema(tags=["quota"], request=AnswerRequest, responses={201: RequestAnswer})
    def post(self, request: Request, request_id: int) -> Response:
        standing = standing_of(request.user)
        found = get_request_to_decide(standing, request_id)
        actor: Any = request.user
        raised = services.pass_up(request_id=found.pk, actor=actor, standing=standing, note=_answer(request))
        raised.refresh_from_db()
        return Response(RequestAnswer(raised).data, status=status.HTTP_201_CREATED)


class WithdrawView(APIView):
    """`POST`: take one's own request back."""

    @extend_schema(tags=["quota"], request=None, responses={200: RequestAnswer})
    def post(self, request: Request, request_id: int) -> Response:
        found = get_own_request(standing_of(request.user), request_id)
        actor: Any = request.user
        return Response(RequestAnswer(services.withdraw(request_id=found.pk, actor=actor)).data)


class AccountForecastView(APIView):
    """`GET`: when an account runs out at the pace of its last weeks; `none` for one that has nothing to run out."""

    @extend_schema(tags=["quota"], responses={200: AccountForecastAnswer})
    def get(self, request: Request, account_id: int) -> Response:
        outlook = outlook_of(get_account_for(standing_of(request.user), account_id))
        none = {"verdict": "none", "earliest_on": None, "latest_on": None, "until": None, "week_s": 0, "weeks": 0}
        return Response(answer_of(outlook.forecast) if outlook else none)


def _answer(request: Request) -> str:
    given = AnswerRequest(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["answer"])
