"""REST: the accounts one may see, and allocating to them."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput
from campus.people.access import standing_of

from .access import accounts_for, get_account_to_allocate
from .models import Account, Allocation
from .services import allocate


class AccountAnswer(serializers.ModelSerializer):
    """Balances in whole GPU-seconds."""

    available_s = serializers.IntegerField(read_only=True, help_text="What this account alone could still hold.")

    class Meta:
        model = Account
        fields = (
            "id", "kind", "name", "parent", "path", "allocated_s", "granted_s", "held_s", "used_s", "available_s",
            "overcommit_pct", "is_open",
        )  # fmt: skip
        read_only_fields = fields


class AllocateRequest(serializers.Serializer):
    gpu_seconds = serializers.IntegerField(
        min_value=-(10**15), max_value=10**15, help_text="To add; a negative number takes back."
    )
    reason = serializers.CharField(max_length=300)


class AllocationAnswer(serializers.ModelSerializer):
    account = AccountAnswer()

    class Meta:
        model = Allocation
        fields = ("id", "account", "delta_s", "before_s", "after_s", "reason", "at")


class AccountListView(ListAPIView):
    """`GET`: one's own accounts, and those of which one is staff; newest first."""

    serializer_class = AccountAnswer
    queryset = Account.objects.none()

    def get_queryset(self) -> Any:
        found = accounts_for(standing_of(self.request.user)).order_by("-id")
        kind = self.request.query_params.get("kind", "")
        parent = self.request.query_params.get("parent", "")
        if kind and kind not in Account.Kind.values:
            raise InvalidInput({"kind": _("Use one of: %(kinds)s.") % {"kinds": ", ".join(Account.Kind.values)}})
        if parent and not parent.isdecimal():
            raise InvalidInput({"parent": _("Use the id of an account.")})
        found = found.filter(kind=kind) if kind else found
        return found.filter(parent_id=int(parent)) if parent else found

    @extend_schema(
        tags=["quota"],
        parameters=[
            OpenApiParameter("kind", str, enum=Account.Kind.values, description="Only accounts of this kind."),
            OpenApiParameter("parent", int, description="Only accounts right below this one."),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class AllocateView(APIView):
    """`POST`: give an account more GPU-seconds of its parent's, or take some back. For administrators."""

    @extend_schema(tags=["quota"], request=AllocateRequest, responses={201: AllocationAnswer})
    def post(self, request: Request, account_id: int) -> Response:
        account = get_account_to_allocate(standing_of(request.user), account_id)
        given = AllocateRequest(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Any = request.user
        delta_s, reason = given.validated_data["gpu_seconds"], given.validated_data["reason"]
        try:
            with transaction.atomic():
                allocation = allocate(account_id=account.pk, delta_s=delta_s, reason=reason, actor=actor)
        except InvalidInput as error:
            error.fields = {"gpu_seconds" if name == "delta_s" else name: v for name, v in error.fields.items()}
            raise
        allocation.refresh_from_db()
        return Response(AllocationAnswer(allocation).data, status=status.HTTP_201_CREATED)
