"""The sponsors with what they gave, and what a GPU-second costs by type."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campus.core.errors import CampusError, NotAllowed
from campus.core.form_errors import add_service_error
from infra.pool.models import Gpu
from labs.quota.forms_grants import RateForm, SponsorForm
from labs.quota.selectors_desk import administered
from labs.quota.selectors_grants import sponsors_with_grants
from labs.quota.services import add_sponsor, rates_now, set_rate

from .desk import require_administrator


@require_http_methods(["GET", "POST"])
def sponsors(request: HttpRequest) -> HttpResponse:
    """Who gives GPU time from outside, and what is left of it where one administers; add one."""
    standing = require_administrator(request)
    form = SponsorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            with transaction.atomic():
                made = add_sponsor(actor=actor, **form.cleaned_data)
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("“%(name)s” is added.") % {"name": made.name})
            return redirect("quota:sponsors")
    context = {"form": form, "given": sponsors_with_grants(administered(standing))}
    return render(request, "quota/sponsors.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def rates(request: HttpRequest) -> HttpResponse:
    """What a second costs by GPU type, now and later; the platform's administrators set it."""
    standing = require_administrator(request)
    if request.method == "POST" and not standing.is_platform_admin:
        raise NotAllowed
    types = Gpu.objects.exclude(gpu_type="").order_by("gpu_type").values_list("gpu_type", flat=True).distinct()
    form = RateForm(request.POST or None, gpu_types=types)
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            with transaction.atomic():
                set_rate(actor=actor, **form.cleaned_data)
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("The rate is set."))
            return redirect("quota:rates")
    context = {"form": form, "rates": rates_now(), "may_set": standing.is_platform_admin}
    return render(request, "quota/rates.html", context, status=400 if form.errors else 200)
