"""REST: use by day and by group, of oneself or of an account that one may see."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput
from campus.people.access import Standing, standing_of
from labs.quota.access import get_account_for, looks_after
from labs.quota.api import zone_of
from labs.quota.models import Account

from .domain.folding import GroupUse, Use
from .domain.periods import Period
from .groupings import groupings_for
from .parameters import exact_period_of
from .selectors import balances_of, grouped, today_in, use_by_account, use_by_day


class UseAnswer(serializers.Serializer):
    """Whole GPU-seconds; `used_s` is what stayed charged."""

    charged_s = serializers.IntegerField()
    refunded_s = serializers.IntegerField()
    used_s = serializers.IntegerField()
    jobs = serializers.IntegerField()


class DayUseAnswer(UseAnswer):
    day = serializers.DateField()


class GroupUseAnswer(UseAnswer):
    group = serializers.CharField(allow_null=True)


class BalanceAnswer(serializers.Serializer):
    """An account's balance now, in whole GPU-seconds."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    allocated_s = serializers.IntegerField()
    used_s = serializers.IntegerField()
    held_s = serializers.IntegerField()
    available_s = serializers.IntegerField()


class UsageAnswer(serializers.Serializer):
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    timezone = serializers.CharField(help_text="The zone whose days these are.")
    accounts = BalanceAnswer(many=True)
    total = UseAnswer()
    days = DayUseAnswer(many=True, help_text="Days without use are left out.")
    by = serializers.CharField(allow_null=True)
    groups = GroupUseAnswer(many=True)


class UsageView(APIView):
    """`GET`: one's own use, or that below `account`, which staff may also group."""

    @extend_schema(
        tags=["usage"],
        responses=UsageAnswer,
        parameters=[
            OpenApiParameter("account", int, description="An account one may see; one's own when left out."),
            OpenApiParameter("from", str, description="First day, as 2026-11-01; 30 days in all when left out."),
            OpenApiParameter("to", str, description="Last day; today when left out."),
            OpenApiParameter("by", str, description="campus, programme, course, cohort or learner; staff only."),
        ],
    )
    def get(self, request: Request) -> Response:
        standing = standing_of(request.user)
        accounts, chosen = _accounts(request, standing)
        zone = zone_of(accounts[0].scope.path) if accounts else settings.TIME_ZONE
        period = exact_period_of(request.query_params, today_in(zone))
        days = use_by_day([account.pk for account in accounts], period)
        groups = _groups(request.query_params.get("by", ""), standing, chosen, period)
        return Response(
            {
                "first_day": period.first,
                "last_day": period.last,
                "timezone": zone,
                "accounts": BalanceAnswer(accounts, many=True).data,
                "total": UseAnswer(sum(days.values(), Use())).data,
                "days": [{"day": day, **UseAnswer(days[day]).data} for day in sorted(days)],
                "by": request.query_params.get("by") or None,
                "groups": [{"group": entry.group, **UseAnswer(entry.use).data} for entry in groups],
            }
        )


def _accounts(request: Request, standing: Standing) -> tuple[Sequence[Account], Account | None]:
    wished = request.query_params.get("account", "")
    if not wished:
        user: Any = request.user
        return [balance.account for balance in balances_of(user)], None
    if not wished.isdecimal() or len(wished) > 18:
        raise InvalidInput({"account": _("Use the id of an account.")})
    account = get_account_for(standing, int(wished))
    return [account], account


def _groups(by: str, standing: Standing, account: Account | None, period: Period) -> list[GroupUse]:
    if not by:
        return []
    if account is None or not looks_after(standing, account):
        raise InvalidInput({"by": _("Only the use of an account that you look after can be grouped.")})
    fitting = {grouping.key: grouping for grouping in groupings_for(account.kind)}
    if by not in fitting:
        raise InvalidInput({"by": _("Use one of: %(kinds)s.") % {"kinds": ", ".join(fitting) or "–"}})
    return grouped(use_by_account(account, period), fitting[by])
