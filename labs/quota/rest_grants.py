"""REST: grants that end, sponsors, lending and rates."""

from datetime import date
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import NotAllowed, NotFound
from campus.people.access import standing_of

from .access import get_account_for, get_account_to_allocate, looks_after
from .models import Grant, Lending, Rate, Sponsor
from .selectors_grants import grants_below, sponsor_uses
from .services import add_sponsor, end_grant, give_grant, lend, rates_now, recall, set_rate

MOST_S = 10**15


class GrantAnswer(serializers.ModelSerializer):
    """A grant. Whole GPU-seconds; `left_s` is what nobody has drawn."""

    sponsor = serializers.CharField(source="sponsor.name", default=None)
    left_s = serializers.IntegerField()

    class Meta:
        model = Grant
        fields = (
            "id", "account", "label", "sponsor", "state", "begins_at", "ends_at", "planned_s", "seconds", "used_s",
            "held_s", "left_s", "returned_s", "carried_s", "carry_pct", "carry_most_s", "carry_until_at",
            "carried_from",
        )  # fmt: skip


class GrantRequest(serializers.Serializer):
    gpu_seconds = serializers.IntegerField(min_value=1, max_value=MOST_S)
    label = serializers.CharField(max_length=120)  # type: ignore[assignment]  # the API's name for it
    begins_at = serializers.DateTimeField(required=False, help_text="Now, when left out.")
    ends_at = serializers.DateTimeField()
    sponsor: Any = serializers.PrimaryKeyRelatedField(queryset=Sponsor.objects.all(), required=False)
    carry_pct = serializers.IntegerField(min_value=0, max_value=100, default=0)
    carry_most_s = serializers.IntegerField(min_value=0, max_value=MOST_S, required=False)
    carry_until_at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(max_length=300, default="", allow_blank=True)


class ReasonRequest(serializers.Serializer):
    reason = serializers.CharField(max_length=300)


class GrantsView(APIView):
    """`GET`: grants of an account and of those below it. `POST`: give one. For administrators."""

    @extend_schema(tags=["quota"], responses={200: GrantAnswer(many=True)})
    def get(self, request: Request, account_id: int) -> Response:
        account = get_account_for(standing_of(request.user), account_id)
        return Response(GrantAnswer(grants_below(account), many=True).data)

    @extend_schema(tags=["quota"], request=GrantRequest, responses={201: GrantAnswer})
    def post(self, request: Request, account_id: int) -> Response:
        account = get_account_to_allocate(standing_of(request.user), account_id)
        given = GrantRequest(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Any = request.user
        with transaction.atomic():
            grant = give_grant(account_id=account.pk, actor=actor, **given.validated_data)
        return Response(GrantAnswer(grant).data, status=status.HTTP_201_CREATED)


class GrantEndView(APIView):
    """`POST`: end a grant before its time. For administrators."""

    @extend_schema(tags=["quota"], request=ReasonRequest, responses={200: GrantAnswer})
    def post(self, request: Request, grant_id: int) -> Response:
        found = Grant.objects.filter(pk=grant_id).first() if grant_id < 2**63 else None
        if found is None:
            raise NotFound
        get_account_to_allocate(standing_of(request.user), found.account_id)
        given = ReasonRequest(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Any = request.user
        with transaction.atomic():
            grant = end_grant(grant_id=found.pk, actor=actor, reason=given.validated_data["reason"])
        return Response(GrantAnswer(grant).data)


class SponsorUseAnswer(serializers.Serializer):
    """What a sponsor gave below an account, and what was used of it, in whole GPU-seconds."""

    sponsor = serializers.CharField(source="sponsor.name")
    kind = serializers.CharField(source="sponsor.kind")
    given_s = serializers.IntegerField()
    used_s = serializers.IntegerField()
    held_s = serializers.IntegerField()
    left_s = serializers.IntegerField()
    days = serializers.DictField(child=serializers.IntegerField(), help_text="Use by day.")


class SponsorsView(APIView):
    """`GET`: each sponsor's hours below an account, and their use by day. For its staff."""

    @extend_schema(
        tags=["quota"],
        parameters=[OpenApiParameter("from", date), OpenApiParameter("to", date)],
        responses={200: SponsorUseAnswer(many=True)},
    )
    def get(self, request: Request, account_id: int) -> Response:
        standing = standing_of(request.user)
        account = get_account_for(standing, account_id)
        if not looks_after(standing, account):
            raise NotAllowed
        asked = DaysRequest(data=request.query_params)
        asked.is_valid(raise_exception=True)
        uses = sponsor_uses(account, asked.validated_data.get("from"), asked.validated_data.get("to"))
        return Response(SponsorUseAnswer(uses, many=True).data)


class SponsorRequest(serializers.Serializer):
    name_ko = serializers.CharField(max_length=120)
    name_en = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    kind = serializers.ChoiceField(Sponsor.Kind.choices, default=Sponsor.Kind.COMPANY)


class SponsorAnswer(serializers.ModelSerializer):
    """Who gives GPU time from outside."""

    class Meta:
        model = Sponsor
        fields = ("id", "name_ko", "name_en", "kind")


class SponsorListView(APIView):
    """`GET`: every sponsor. `POST`: add one. For administrators."""

    @extend_schema(tags=["quota"], operation_id="quota_sponsors_known", responses={200: SponsorAnswer(many=True)})
    def get(self, request: Request) -> Response:
        if not standing_of(request.user).is_administering:
            raise NotAllowed
        return Response(SponsorAnswer(Sponsor.objects.all(), many=True).data)

    @extend_schema(tags=["quota"], request=SponsorRequest, responses={201: SponsorAnswer})
    def post(self, request: Request) -> Response:
        if not standing_of(request.user).is_administering:
            raise NotAllowed
        given = SponsorRequest(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Any = request.user
        with transaction.atomic():
            made = add_sponsor(actor=actor, **given.validated_data)
        return Response(SponsorAnswer(made).data, status=status.HTTP_201_CREATED)


class DaysRequest(serializers.Serializer):
    to = serializers.DateField(required=False)

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(required=False), **super().get_fields()}


class LendingAnswer(serializers.ModelSerializer):
    """A lending: what siblings may use of what its lender does not need."""

    class Meta:
        model = Lending
        fields = (
            "id", "lender", "borrower", "limit_s", "out_s", "spent_s", "from_at", "until_at", "recalled_at",
            "closed_at", "reason",
        )  # fmt: skip


class LendingRequest(serializers.Serializer):
    limit_s = serializers.IntegerField(min_value=1, max_value=MOST_S)
    from_at = serializers.DateTimeField(required=False)
    until_at = serializers.DateTimeField()
    borrower = serializers.IntegerField(min_value=1, required=False, source="borrower_id")
    reason = serializers.CharField(max_length=300)


class LendingsView(APIView):
    """`GET`: what an account lends. `POST`: lend to the accounts beside it. For administrators."""

    @extend_schema(tags=["quota"], responses={200: LendingAnswer(many=True)})
    def get(self, request: Request, account_id: int) -> Response:
        account = get_account_for(standing_of(request.user), account_id)
        return Response(LendingAnswer(account.lendings.order_by("-id"), many=True).data)

    @extend_schema(tags=["quota"], request=LendingRequest, responses={201: LendingAnswer})
    def post(self, request: Request, account_id: int) -> Response:
        account = get_account_to_allocate(standing_of(request.user), account_id)
        given = LendingRequest(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Any = request.user
        with transaction.atomic():
            lending = lend(account_id=account.pk, actor=actor, **given.validated_data)
        return Response(LendingAnswer(lending).data, status=status.HTTP_201_CREATED)


class LendingRecallView(APIView):
    """`POST`: end a lending now. For administrators."""

    @extend_schema(tags=["quota"], request=ReasonRequest, responses={200: LendingAnswer})
    def post(self, request: Request, lending_id: int) -> Response:
        found = Lending.objects.filter(pk=lending_id).first() if lending_id < 2**63 else None
        if found is None:
            raise NotFound
        get_account_to_allocate(standing_of(request.user), found.lender_id)
        given = ReasonRequest(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Any = request.user
        with transaction.atomic():
            lending = recall(lending_id=found.pk, actor=actor, reason=given.validated_data["reason"])
        return Response(LendingAnswer(lending).data)


class RateAnswer(serializers.ModelSerializer):
    """A rate: seconds of account for a second on one GPU. An empty type is a job that leaves it open."""

    class Meta:
        model = Rate
        fields = ("id", "gpu_type", "rate", "from_at")


class RateRequest(serializers.Serializer):
    gpu_type = serializers.CharField(max_length=60, allow_blank=True)
    rate = serializers.DecimalField(max_digits=7, decimal_places=3)
    from_at = serializers.DateTimeField(required=False)


class RatesView(APIView):
    """`GET`: the rates that count now or later. `POST`: set one. For platform administrators."""

    @extend_schema(tags=["quota"], responses={200: RateAnswer(many=True)})
    def get(self, request: Request) -> Response:
        return Response(RateAnswer(rates_now(), many=True).data)

    @extend_schema(tags=["quota"], request=RateRequest, responses={201: RateAnswer})
    def post(self, request: Request) -> Response:
        if not standing_of(request.user).is_platform_admin:
            raise NotAllowed
        given = RateRequest(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Any = request.user
        with transaction.atomic():
            rate = set_rate(actor=actor, **given.validated_data)
        return Response(RateAnswer(rate).data, status=status.HTTP_201_CREATED)
