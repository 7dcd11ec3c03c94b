"""Campuses, buildings, rooms, and who has a room when."""

from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, BigIntegerRangeField, DateTimeRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campus.core.models import BilingualName
from campus.people.models import Scope


def validate_timezone(value: str) -> None:
    """Refuse what is no IANA time zone."""
    if value not in available_timezones():
        raise ValidationError(_("%(value)s is no time zone; write it as Asia/Seoul."), params={"value": value})


class Campus(BilingualName):
    """A place where people learn. Its time zone decides what "a day" is there."""

    slug = models.SlugField(_("short name"), max_length=40, unique=True)
    timezone = models.CharField(_("time zone"), max_length=40, default="Asia/Seoul", validators=[validate_timezone])
    address = models.CharField(_("address"), max_length=200, blank=True)
    is_open = models.BooleanField(_("open"), default=True)
    scope = models.OneToOneField(Scope, on_delete=models.PROTECT, related_name="campus")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        verbose_name_plural = "campuses"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Building(BilingualName):
    campus = models.ForeignKey(Campus, on_delete=models.PROTECT, related_name="buildings")

    class Meta:
        ordering = ("campus_id", "name_ko")
        constraints = (models.UniqueConstraint(fields=("campus", "name_ko"), name="building_once_a_campus"),)


class Room(BilingualName):
    building = models.ForeignKey(Building, on_delete=models.PROTECT, related_name="rooms")
    floor = models.SmallIntegerField(_("floor"), default=1)
    capacity = models.PositiveIntegerField(_("capacity"), validators=[MinValueValidator(1)])
    equipment = ArrayField(models.CharField(max_length=60), default=list, blank=True, verbose_name=_("equipment"))
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ("building_id", "floor", "name_ko")
        constraints = (
            models.UniqueConstraint(fields=("building", "name_ko"), name="room_once_a_building"),
            models.CheckConstraint(condition=models.Q(capacity__gte=1), name="room_has_capacity"),
        )


def one_of(column: str) -> Func:
    """A number as the range of itself: their overlap is equality, and GiST needs no btree_gist for it."""
    return Func(F(column), F(column), Value("[]"), function="int8range", output_field=BigIntegerRangeField())


class Booking(models.Model):
    """A room for a time. `key` names who booked it, in the booker's words; it counts until it is given up."""

    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="bookings")
    period = DateTimeRangeField()
    purpose = models.CharField(max_length=160)
    key = models.CharField(max_length=80)
    given_up_at = models.DateTimeField(null=True, blank=True)
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("period", "id")
        constraints = (
            ExclusionConstraint(
                name="booking_room_once_at_a_time",
                expressions=((one_of("room"), RangeOperators.OVERLAPS), ("period", RangeOperators.OVERLAPS)),
                condition=Q(given_up_at=None),
            ),
            models.UniqueConstraint(
                fields=("room", "key"), condition=Q(given_up_at=None), name="booking_key_once_a_room"
            ),
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__lower_inf=False, period__upper_inf=False),
                name="booking_has_a_time",
            ),
        )
        indexes = (models.Index(fields=("key",), name="booking_key"),)

    def __str__(self) -> str:
        return f"{self.room}: {self.purpose}"
