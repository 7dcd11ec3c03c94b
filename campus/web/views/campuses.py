"""Campuses, buildings and rooms, for everyone to look up and for administrators to change."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Prefetch, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import CampusError, NotAllowed, NotFound
from campus.core.form_errors import add_service_error
from campus.people.access import ADMINISTERING, standing_of
from campus.people.requests import SignedInRequest
from campus.places.api import add_building, save_room, update_campus
from campus.places.forms import BuildingForm, CampusForm, NewCampusForm, RoomForm
from campus.places.models import Building, Campus, Room
from campus.web.services import open_whole_campus


@require_GET
def campuses(request: SignedInRequest) -> HttpResponse:
    """List the campuses with what each holds."""
    rows = Campus.objects.annotate(
        building_count=Count("buildings", distinct=True),
        room_count=Count("buildings__rooms", distinct=True),
    )
    seats = dict(Room.objects.values_list("building__campus_id").annotate(Sum("capacity")).order_by())
    nodes = dict(Campus.objects.values_list("id").annotate(Count("sites__nodes")).order_by())
    entries = [{"campus": row, "places": seats.get(row.pk, 0), "nodes": nodes.get(row.pk, 0)} for row in rows]
    may_open = standing_of(request.user).is_platform_admin
    return render(request, "web/campuses/list.html", {"entries": entries, "may_open": may_open})


@require_GET
def campus(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show one campus: its buildings, rooms, and the sites of its pool."""
    shown = _campus(slug)
    buildings = shown.buildings.prefetch_related(Prefetch("rooms", Room.objects.order_by("floor", "name_ko")))
    may_edit = standing_of(request.user).holds(ADMINISTERING, shown.scope.path)
    sites = shown.sites.annotate(node_count=Count("nodes"))
    context = {"campus": shown, "buildings": buildings, "may_edit": may_edit, "sites": sites}
    return render(request, "web/campuses/campus.html", context)


@require_http_methods(["GET", "POST"])
def new_campus(request: SignedInRequest) -> HttpResponse:
    """Open a campus."""
    if not standing_of(request.user).is_platform_admin:
        raise NotAllowed

    def save(fields: dict[str, Any]) -> str:
        opened = open_whole_campus(actor=request.user, **fields)
        messages.success(request, _("%(name)s is open. Allocate GPU time to it next.") % {"name": opened.name})
        return reverse("web:campus", args=[opened.slug])

    form = NewCampusForm(request.POST or None, initial={"timezone": "Asia/Seoul"})
    hint = _("Opening a campus also opens its quota account and its place in the GPU pool.")
    return _form_page(request, form, save, title=_("Open a campus"), hint=hint, back=reverse("web:campuses"))


@require_http_methods(["GET", "POST"])
def edit_campus(request: SignedInRequest, slug: str) -> HttpResponse:
    """Change a campus."""
    shown = _editable(request, slug)

    def save(fields: dict[str, Any]) -> str:
        update_campus(campus_id=shown.pk, actor=request.user, fields=fields)
        return _campus_url(shown)

    form = CampusForm(request.POST or None, instance=Campus.objects.get(pk=shown.pk))
    return _form_page(request, form, save, title=shown.name, back=_campus_url(shown))


@require_http_methods(["GET", "POST"])
def new_building(request: SignedInRequest, slug: str) -> HttpResponse:
    """Add a building to a campus."""
    shown = _editable(request, slug)

    def save(fields: dict[str, Any]) -> str:
        add_building(campus_id=shown.pk, actor=request.user, **fields)
        return _campus_url(shown)

    form = BuildingForm(request.POST or None)
    return _form_page(request, form, save, title=_("Add a building"), back=_campus_url(shown))


@require_http_methods(["GET", "POST"])
def new_room(request: SignedInRequest, slug: str, building_id: int) -> HttpResponse:
    """Add a room to a building."""
    return _room(request, slug, building_id, None)


@require_http_methods(["GET", "POST"])
def edit_room(request: SignedInRequest, slug: str, room_id: int) -> HttpResponse:
    """Change a room."""
    room = Room.objects.filter(pk=room_id, building__campus__slug=slug).first()
    if room is None:
        raise NotFound
    return _room(request, slug, room.building_id, room)


def _room(request: SignedInRequest, slug: str, building_id: int, room: Room | None) -> HttpResponse:
    shown = _editable(request, slug)
    building = Building.objects.filter(pk=building_id, campus=shown).first()
    if building is None:
        raise NotFound

    def save(fields: dict[str, Any]) -> str:
        save_room(building_id=building_id, actor=request.user, room_id=room.pk if room else None, **fields)
        return _campus_url(shown)

    form = RoomForm(request.POST or None, instance=room)
    title = room.name if room else _("Add a room to %(building)s") % {"building": building.name}
    return _form_page(request, form, save, title=title, back=_campus_url(shown))


def _campus(slug: str) -> Campus:
    found = Campus.objects.select_related("scope").filter(slug=slug).first()
    if found is None:
        raise NotFound
    return found


def _editable(request: SignedInRequest, slug: str) -> Campus:
    found = _campus(slug)
    if not standing_of(request.user).holds(ADMINISTERING, found.scope.path):
        raise NotAllowed
    return found


def _campus_url(shown: Campus) -> str:
    return reverse("web:campus", args=[shown.slug])


def _form_page(
    request: SignedInRequest, form: forms.BaseForm, save: Any, *, title: str, back: str, hint: str = ""
) -> HttpResponse:
    """Show `form`; when it is right, `save(cleaned_data)` does it and says where to go next."""
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(save(dict(form.cleaned_data)))
        except CampusError as error:
            add_service_error(form, error)
    context = {"form": form, "title": title, "hint": hint, "back": back}
    return render(request, "web/form.html", context, status=400 if form.errors else 200)
