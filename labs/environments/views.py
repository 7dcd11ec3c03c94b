"""Environments and data sets: what jobs may ask for, and for administrators adding and retiring it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, NotAllowed, NotFound
from campus.core.form_errors import add_service_error
from campus.people.api import standing_of
from campus.people.requests import SignedInRequest

from .domain.requirements import parse_requirements
from .forms import DataSetForm, EnvironmentForm
from .in_use import needed_by
from .models import DataSet, Environment
from .selectors import built_on, data_sets, environments
from .services import add_data_set, add_environment, set_offered

PAGE = 50


@require_GET
def environment_list(request: SignedInRequest) -> HttpResponse:
    """List the environments; administrators see retired ones too."""
    may_add = standing_of(request.user).is_administering
    page = Paginator(environments(with_retired=may_add), PAGE).get_page(request.GET.get("page"))
    built = built_on(one.digest for one in page)
    rows = [
        {"environment": one, "ready": [row.node for row in built.get(one.digest, []) if row.state == "READY"]}
        for one in page
    ]
    return render(request, "environments/list.html", {"page_obj": page, "rows": rows, "may_add": may_add})


@require_GET
def environment(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show an environment: its packages, and where it is built."""
    standing = standing_of(request.user)
    rows = environments(with_retired=standing.is_administering).defer(None)
    shown = rows.filter(slug=slug).first()
    if shown is None:
        raise NotFound
    context = {
        "environment": shown,
        "packages": parse_requirements(shown.requirements).packages,
        "built": built_on([shown.digest]).get(shown.digest, []),
        "needs": needed_by(shown) if standing.is_administering else [],
        "may_add": standing.is_administering,
        "may_retire": standing.is_platform_admin,
    }
    return render(request, "environments/environment.html", context)


@require_http_methods(["GET", "POST"])
def new_environment(request: SignedInRequest) -> HttpResponse:
    """Add an environment."""
    _require_administrator(request)
    form = EnvironmentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = add_environment(actor=request.user, **form.cleaned_data)
        except CampusError as error:
            _keep_text(form)
            add_service_error(form, error)
        else:
            words = _("%(name)s is offered. Nodes build it when a job first needs it.")
            messages.success(request, words % {"name": made.name})
            return redirect("environments:environment", made.slug)
    context = {"form": form, "python": settings.LABS_PYTHON}
    return render(request, "environments/new_environment.html", context, status=400 if form.errors else 200)


@require_GET
def data_set_list(request: SignedInRequest) -> HttpResponse:
    """List the data sets; administrators see retired ones too."""
    standing = standing_of(request.user)
    page = Paginator(data_sets(with_retired=standing.is_administering), PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "may_add": standing.is_administering, "may_retire": standing.is_platform_admin}
    return render(request, "environments/data_sets.html", context)


@require_http_methods(["GET", "POST"])
def new_data_set(request: SignedInRequest) -> HttpResponse:
    """Add a data set of one zip or of files."""
    _require_administrator(request)
    form = DataSetForm(request.POST or None)
    uploads = [one for one in request.FILES.getlist("files") if one.size or one.name]
    if request.method == "POST" and form.is_valid():
        try:
            made = add_data_set(actor=request.user, uploads=uploads, **form.cleaned_data)
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("%(name)s is offered. Nodes fetch it on first use.") % {"name": made.name})
            return redirect("environments:data-sets")
    context = {
        "form": form,
        "max_bytes": settings.LABS_DATA_SET_MAX_BYTES,
        "lost": [one.name for one in uploads][:5] if form.errors else [],
    }
    return render(request, "environments/new_data_set.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def retire_environment(request: SignedInRequest, slug: str) -> HttpResponse:
    """Ask, then stop offering an environment."""
    return _retire(request, _found(request, Environment, slug), "environments:list")


@require_POST
def offer_environment(request: SignedInRequest, slug: str) -> HttpResponse:
    """Offer a retired environment again."""
    return _offer(request, _found(request, Environment, slug), "environments:list")


@require_http_methods(["GET", "POST"])
def retire_data_set(request: SignedInRequest, slug: str) -> HttpResponse:
    """Ask, then stop offering a data set."""
    return _retire(request, _found(request, DataSet, slug), "environments:data-sets")


@require_POST
def offer_data_set(request: SignedInRequest, slug: str) -> HttpResponse:
    """Offer a retired data set again."""
    return _offer(request, _found(request, DataSet, slug), "environments:data-sets")


def _retire(request: SignedInRequest, target: Any, back: str) -> HttpResponse:
    if request.method == "GET":
        context = {
            "title": _("Retire %(name)s?") % {"name": target.name},
            "text": _("New jobs can no longer ask for it. Jobs that were submitted go on; it can be offered again."),
            "label": _("Retire"),
            "cancel_url": redirect(back).url,
        }
        return render(request, "core/confirm.html", context)
    try:
        set_offered(target=target, is_offered=False, actor=request.user)
    except CampusError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("%(name)s is retired.") % {"name": target.name})
    return redirect(back)


def _offer(request: SignedInRequest, target: Any, back: str) -> HttpResponse:
    set_offered(target=target, is_offered=True, actor=request.user)
    messages.success(request, _("%(name)s is offered again.") % {"name": target.name})
    return redirect(back)


def _found(request: SignedInRequest, model: Any, slug: str) -> Any:
    if not standing_of(request.user).is_platform_admin:
        raise NotAllowed
    found = model.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound
    return found


def _require_administrator(request: SignedInRequest) -> None:
    if not standing_of(request.user).is_administering:
        raise NotAllowed


def _keep_text(form: EnvironmentForm) -> None:
    """Let the page show a chosen file's text, since a page cannot keep the file."""
    form.data = form.data.copy()  # type: ignore[attr-defined]
    form.data["requirements"] = form.cleaned_data["requirements"]  # type: ignore[index]
