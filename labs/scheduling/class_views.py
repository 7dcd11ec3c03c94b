"""Pages on which administrators keep GPUs for classes and lend them, and their staff see what is kept."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import CampusError, InvalidInput, NotAllowed, NotFound
from campus.core.form_errors import add_service_error
from campus.people.access import ADMINISTERING, Standing, standing_of
from campus.people.requests import SignedInRequest
from infra.pool.models import Gpu, Site

from . import class_board, lending, reservations
from .class_forms import LendingForm, OwnerForm, ReservationForm, SiteLimitsForm
from .models import ClassReservation, SiteLending, SiteOwner

_NAMES = {"account_id": "account", "site_id": "site", "release_after_s": "release_minutes", "borrower_id": "borrower"}


@require_GET
def classes(request: SignedInRequest) -> HttpResponse:
    """Show each site's week: which GPUs are kept for whom, whose they are, and when they are lent."""
    standing = _staff(request)
    monday = class_board.monday_of(request.GET.get("week", ""), timezone.localdate())
    context = {
        "weeks": class_board.weeks(standing, monday),
        "monday": monday,
        "sunday": monday + timedelta(days=6),
        "before": (monday - timedelta(days=7)).isoformat(),
        "after": (monday + timedelta(days=7)).isoformat(),
        "may_edit": standing.is_administering,
    }
    return render(request, "scheduling/classes.html", context)


@require_http_methods(["GET", "POST"])
def new_class(request: SignedInRequest) -> HttpResponse:
    """Keep GPUs for a class."""
    standing = _administrator(request)
    form = _reservation_form(request, standing, {"start_at": _next_hour(1), "end_at": _next_hour(3)})

    def save(given: dict[str, Any]) -> str:
        made = reservations.reserve_class(account_id=given["account"].pk, actor=request.user, **form.wish())
        return _week_of(made)

    return _form_page(request, form, save, _("Keep GPUs for a class"))


@require_http_methods(["GET", "POST"])
def move_class(request: SignedInRequest, reservation_id: int) -> HttpResponse:
    """Change time, place or size of what is kept."""
    standing = _administrator(request)
    row = _editable(standing, reservation_id)
    initial = {name: getattr(row, name) for name in ("title", "gpus", "gpu_type", "start_at", "end_at")}
    initial |= {"site": row.site_id, "account": row.account_id, "release_minutes": row.release_after_s // 60}
    form = _reservation_form(request, standing, initial)
    del form.fields["account"]

    def save(_given: dict[str, Any]) -> str:
        return _week_of(reservations.move_reservation(reservation_id=row.pk, actor=request.user, **form.wish()))

    return _form_page(request, form, save, row.title)


@require_http_methods(["GET", "POST"])
def cancel_class(request: SignedInRequest, reservation_id: int) -> HttpResponse:
    """Give up what is kept."""
    row = _editable(_administrator(request), reservation_id)
    if request.method == "POST":
        reservations.cancel_reservation(reservation_id=row.pk, actor=request.user)
        messages.success(request, _("The GPUs of “%(title)s” are everybody's again.") % {"title": row.title})
        return redirect(_week_of(row))
    return _confirm(request, _("Give up “%(title)s”?") % {"title": row.title}, _("Give it up"))


@require_http_methods(["GET", "POST"])
def site_owner(request: SignedInRequest, site_id: int) -> HttpResponse:
    """Say whose a site's GPUs are."""
    standing, site = _editable_site(request, site_id)
    owner = SiteOwner.objects.filter(site=site).first()
    accounts = class_board.accounts_for_classes(standing)
    form = OwnerForm(request.POST or None, accounts=accounts, initial={"account": owner and owner.account_id})
    if request.method == "POST" and not request.POST:
        form = OwnerForm({}, accounts=accounts)

    def save(given: dict[str, Any]) -> str:
        account = given["account"]
        lending.set_owner(site_id=site.pk, account_id=account.pk if account else None, actor=request.user)
        return reverse("scheduling:classes")

    return _form_page(request, form, save, site.name)


@require_http_methods(["GET", "POST"])
def site_limits(request: SignedInRequest, site_id: int) -> HttpResponse:
    """Say how much power a site may draw, and whether its nodes are given jobs."""
    _standing, site = _editable_site(request, site_id)
    initial = {"power_cap_w": site.power_cap_w, "is_closed": not site.is_open}
    full_load_w = Gpu.objects.filter(node__site=site).aggregate(watts=Sum("watts"))["watts"] or 0
    given_now = request.POST if request.method == "POST" else None
    form = SiteLimitsForm(given_now, initial=initial, full_load_w=full_load_w)

    def save(given: dict[str, Any]) -> str:
        is_open = not given["is_closed"]
        lending.limit_site(site_id=site.pk, power_cap_w=given["power_cap_w"], is_open=is_open, actor=request.user)
        return reverse("scheduling:classes")

    return _form_page(request, form, save, site.name)


@require_http_methods(["GET", "POST"])
def new_lending(request: SignedInRequest, site_id: int) -> HttpResponse:
    """Lend a site's GPUs by hour and limit."""
    standing, site = _editable_site(request, site_id)
    del standing
    accounts = class_board.accounts_to_lend_to()
    form = LendingForm(request.POST or None, accounts=accounts, initial={"first_day": timezone.localdate()})

    def save(given: dict[str, Any]) -> str:
        borrower = given.pop("borrower")
        lending.lend(site_id=site.pk, borrower_id=borrower.pk if borrower else None, actor=request.user, **given)
        return reverse("scheduling:classes")

    return _form_page(request, form, save, _("Lend GPUs of %(site)s") % {"site": site.name})


@require_http_methods(["GET", "POST"])
def end_lending(request: SignedInRequest, lending_id: int) -> HttpResponse:
    """End a lending."""
    _administrator(request)
    found = SiteLending.objects.filter(pk=lending_id).first() if lending_id < 2**63 else None
    if found is None:
        raise NotFound
    _editable_site(request, found.site_id)
    if request.method == "POST":
        lending.end_lending(lending_id=found.pk, actor=request.user)
        return redirect("scheduling:classes")
    return _confirm(request, _("End this lending?"), _("End it"))


# ---- what they share ------------------------------------------------------------------------------------------------


def _staff(request: SignedInRequest) -> Standing:
    standing = standing_of(request.user)
    if not standing.is_teaching:
        raise NotAllowed
    return standing


def _administrator(request: SignedInRequest) -> Standing:
    standing = standing_of(request.user)
    if not standing.is_administering:
        raise NotAllowed
    return standing


def _editable(standing: Standing, reservation_id: int) -> ClassReservation:
    found = ClassReservation.objects.select_related("site__campus__scope").filter(pk=min(reservation_id, 2**62)).first()
    if found is None:
        raise NotFound
    if not standing.holds(ADMINISTERING, found.site.campus.scope.path):
        raise NotAllowed
    return found


def _editable_site(request: SignedInRequest, site_id: int) -> tuple[Standing, Site]:
    standing = _administrator(request)
    site = Site.objects.select_related("campus__scope").filter(pk=min(site_id, 2**62)).first()
    if site is None:
        raise NotFound
    if not standing.holds(ADMINISTERING, site.campus.scope.path):
        raise NotAllowed
    return standing, site


def _reservation_form(request: SignedInRequest, standing: Standing, initial: dict[str, Any]) -> ReservationForm:
    sites, accounts = class_board.sites_for(standing), class_board.accounts_for_classes(standing)
    given = request.POST if request.method == "POST" else None
    return ReservationForm(given, sites=sites, accounts=accounts, initial=initial)


def _form_page(
    request: SignedInRequest, form: forms.Form, save: Callable[[dict[str, Any]], str], title: str
) -> HttpResponse:
    back = reverse("scheduling:classes")
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(save(dict(form.cleaned_data)))
        except InvalidInput as error:
            error.fields = {_NAMES.get(name, name): texts for name, texts in error.fields.items()}
            add_service_error(form, error)
        except CampusError as error:
            add_service_error(form, error)
    status = 400 if form.errors else 200
    return render(request, "scheduling/form.html", {"form": form, "title": title, "back": back}, status=status)


def _confirm(request: SignedInRequest, title: str, label: str) -> HttpResponse:
    words = {"title": title, "text": _("What runs goes on; those who wait may start at once."), "label": label}
    return render(request, "core/confirm.html", words | {"cancel_url": reverse("scheduling:classes"), "tone": "danger"})


def _week_of(row: ClassReservation) -> str:
    return f"{reverse('scheduling:classes')}?week={timezone.localdate(row.start_at).isoformat()}"


def _next_hour(ahead: int) -> Any:
    return timezone.localtime().replace(minute=0, second=0, microsecond=0) + timedelta(hours=ahead)
