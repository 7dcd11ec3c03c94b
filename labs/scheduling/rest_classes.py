"""REST: class reservations, for other software of the campus and for administrators' scripts."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput, NotAllowed, NotFound
from campus.people.access import ADMINISTERING, standing_of
from infra.pool.models import Site
from labs.quota.models import Account

from . import reservations
from .models import ClassReservation


class ReservationAnswer(serializers.ModelSerializer):
    class Meta:
        model = ClassReservation
        fields = (
            "id", "account", "site", "title", "gpus", "gpu_type", "start_at", "end_at", "release_after_s", "state",
            "used_at", "given_up_at", "key",
        )  # fmt: skip


class ReservationRequest(serializers.Serializer):
    account = serializers.IntegerField(min_value=1, max_value=2**62)
    site = serializers.IntegerField(min_value=1, max_value=2**62)
    title = serializers.CharField(max_length=160)
    gpus = serializers.IntegerField(min_value=1, max_value=30_000)
    gpu_type = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    start_at = serializers.DateTimeField()
    end_at = serializers.DateTimeField()
    release_after_s = serializers.IntegerField(
        min_value=60, max_value=6 * 3600, required=False, default=reservations.RELEASE_AFTER_S
    )
    key = serializers.CharField(max_length=80, required=False, allow_null=True, default=None)


def _require(request: Request, site_id: int, account_id: int | None = None) -> None:
    """Raises NotAllowed unless this person administers the site's campus and the account."""
    standing = standing_of(request.user)
    site = Site.objects.select_related("campus__scope").filter(pk=site_id).first()
    if not standing.is_administering or (site and not standing.holds(ADMINISTERING, site.campus.scope.path)):
        raise NotAllowed
    account = Account.objects.select_related("scope").filter(pk=account_id).first() if account_id else None
    if account is not None and not standing.holds(ADMINISTERING, account.scope.path):
        raise NotAllowed


class ReservationsView(APIView):
    """`GET` lists what is kept for classes, `POST` keeps GPUs for one."""

    @extend_schema(
        tags=["pool"],
        parameters=[OpenApiParameter("from", str), OpenApiParameter("until", str)],
        responses={200: ReservationAnswer(many=True)},
    )
    def get(self, request: Request) -> Response:
        if not standing_of(request.user).is_teaching:
            raise NotAllowed
        times: dict[str, Any] = {}
        for name in ("from", "until"):
            given = request.query_params.get(name, "")
            try:
                times[name] = parse_datetime(given) if given else None
            except ValueError:
                times[name] = None
            if given and (times[name] is None or times[name].tzinfo is None):
                raise InvalidInput({name: _("Send a time with its zone, such as 2026-11-21T09:00+09:00.")})
        found = reservations.reservations_of(from_at=times["from"], until_at=times["until"])
        return Response(ReservationAnswer(found[:1000], many=True).data)

    @extend_schema(tags=["pool"], request=ReservationRequest, responses={201: ReservationAnswer})
    def post(self, request: Request) -> Response:
        if not standing_of(request.user).is_administering:
            raise NotAllowed
        given = ReservationRequest(data=request.data)
        given.is_valid(raise_exception=True)
        wish = dict(given.validated_data)
        account_id, site_id = wish.pop("account"), wish.pop("site")
        _require(request, site_id, account_id)
        made = reservations.reserve_class(account_id=account_id, site_id=site_id, actor=request.user, **wish)
        return Response(ReservationAnswer(made).data, status=status.HTTP_201_CREATED)


class ReservationView(APIView):
    """`PATCH` moves a reservation, `DELETE` gives it up."""

    @extend_schema(tags=["pool"], request=ReservationRequest(partial=True), responses={200: ReservationAnswer})
    def patch(self, request: Request, reservation_id: int) -> Response:
        row = self._row(request, reservation_id)
        given = ReservationRequest(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changes = {name: given.validated_data[name] for name in given.validated_data if name in request.data}
        if "site" in changes:
            changes["site_id"] = changes.pop("site")
            _require(request, changes["site_id"])
        if surplus := changes.keys() & {"account", "key"}:
            raise InvalidInput(dict.fromkeys(surplus, _("This cannot change. Make a new reservation.")))
        moved = reservations.move_reservation(reservation_id=row.pk, actor=request.user, **changes)
        return Response(ReservationAnswer(moved).data)

    @extend_schema(tags=["pool"], responses={200: ReservationAnswer})
    def delete(self, request: Request, reservation_id: int) -> Response:
        row = self._row(request, reservation_id)
        done = reservations.cancel_reservation(reservation_id=row.pk, actor=request.user)
        return Response(ReservationAnswer(done).data)

    def _row(self, request: Request, reservation_id: int) -> ClassReservation:
        if not standing_of(request.user).is_administering:
            raise NotAllowed
        row = ClassReservation.objects.filter(pk=min(reservation_id, 2**62)).first()
        if row is None:
            raise NotFound
        _require(request, row.site_id)
        return row
