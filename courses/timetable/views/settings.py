"""Holidays and streams, for administrators."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import NotAllowed, NotFound
from campus.people.api import ADMINISTERING, Standing, standing_of
from campus.people.requests import SignedInRequest
from campus.places.models import Campus
from courses.catalog.api import form_page
from courses.timetable.forms import HolidayForm, StreamForm
from courses.timetable.models import ClassSession, Holiday, Stream
from courses.timetable.services import add_holiday, remove_holiday, save_stream


@require_GET
def settings(request: SignedInRequest) -> HttpResponse:
    """List holidays to come, with the classes that still stand on them, and the streams."""
    standing = _administrator(request)
    today = timezone.localdate()
    holidays = list(Holiday.objects.select_related("campus__scope").filter(on__gte=today - timedelta(days=30)))
    standing_there = _classes_on([holiday.on for holiday in holidays])
    context = {
        "holidays": [
            {"holiday": one, "may_remove": _may(standing, one.campus),
             "classes": sum(n for day, campus, n in standing_there
                            if day == one.on and one.campus_id in (None, campus))}
            for one in holidays
        ],
        "streams": Stream.objects.all(),
        "today": today,
    }  # fmt: skip
    return render(request, "timetable/settings.html", context)


@require_http_methods(["GET", "POST"])
def new_holiday(request: SignedInRequest) -> HttpResponse:
    """Mark a day as without classes."""
    standing = _administrator(request)
    scopes = standing.scope_ids(ADMINISTERING)
    campuses = Campus.objects.filter(scope__path__overlap=scopes)
    form = HolidayForm(
        request.POST if request.method == "POST" else None, campuses=campuses, everywhere=standing.is_platform_admin
    )

    def save(given: dict[str, Any]) -> str:
        campus = given.pop("campus")
        add_holiday(actor=request.user, campus_id=campus.pk if campus else None, **given)
        return reverse("timetable:settings")

    hint = _(
        "Series leave the day out when they are planned. Classes that stand there already stay until you move them."
    )
    return form_page(request, form, save, title=_("Add a holiday"), back=reverse("timetable:settings"), hint=hint)


@require_http_methods(["GET", "POST"])
def remove(request: SignedInRequest, holiday_id: int) -> HttpResponse:
    """Make a holiday a day like others."""
    standing = _administrator(request)
    holiday = Holiday.objects.select_related("campus__scope").filter(pk=min(holiday_id, 2**62)).first()
    if holiday is None:
        raise NotFound
    if not _may(standing, holiday.campus):
        raise NotAllowed
    if request.method == "POST":
        remove_holiday(holiday_id=holiday.pk, actor=request.user)
        return redirect("timetable:settings")
    words = {
        "title": _("Remove “%(name)s”?") % {"name": holiday.name}, "label": _("Remove"), "tone": "danger",
        "text": _("Classes may be planned on that day again. Series that left it out are not changed by this."),
        "cancel_url": reverse("timetable:settings"),
    }  # fmt: skip
    return render(request, "core/confirm.html", words)


@require_http_methods(["GET", "POST"])
def edit_stream(request: SignedInRequest, stream_id: int | None = None) -> HttpResponse:
    """Add a stream, or change one."""
    _administrator(request)
    stream = Stream.objects.filter(pk=min(stream_id, 2**62)).first() if stream_id is not None else Stream()
    if stream is None:
        raise NotFound
    form = StreamForm(request.POST if request.method == "POST" else None, instance=stream)

    def save(given: dict[str, Any]) -> str:
        save_stream(actor=request.user, stream_id=stream_id, **given)
        return reverse("timetable:settings")

    title = _("Add a stream") if stream_id is None else _("Change the stream")
    return form_page(request, form, save, title=title, back=reverse("timetable:settings"))


def _administrator(request: SignedInRequest) -> Standing:
    standing = standing_of(request.user)
    if not standing.is_administering:
        raise NotAllowed
    return standing


def _may(standing: Standing, campus: Campus | None) -> bool:
    return standing.holds(ADMINISTERING, campus.scope.path) if campus else standing.is_platform_admin


def _classes_on(days: list[date]) -> list[tuple[date, int, int]]:
    """Day, campus and how many classes are planned there. One query."""
    rows = (
        ClassSession.objects.filter(Q(starts_at__date__in=days), state=ClassSession.State.PLANNED)
        .values_list("starts_at__date", "places__cohort__campus_id")
        .annotate(Count("pk", distinct=True))
        .order_by()
    )
    return list(rows)
