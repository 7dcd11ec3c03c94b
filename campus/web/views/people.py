"""People and their roles, and the audit trail."""

from functools import reduce
from operator import or_

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, NotAllowed, NotFound
from campus.core.form_errors import add_service_error
from campus.core.models import AuditEntry
from campus.people.access import standing_of
from campus.people.models import User
from campus.people.requests import SignedInRequest
from campus.people.services import grant_role, may_grant, revoke_role, set_active
from campus.web.audit_words import AREAS
from campus.web.forms import AppointForm, AuditFilter, GrantForm, PeopleFilter, ReasonForm
from campus.web.selectors import audit_for, people_for

PAGE = 50


@require_GET
def people(request: SignedInRequest) -> HttpResponse:
    """List the people whom this administrator looks after."""
    found = _filtered(_people_of(request), form := PeopleFilter(request.GET))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    return render(request, "web/people/list.html", {"page_obj": page, "form": form})


@require_http_methods(["GET", "POST"])
def person(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Show a person; POST appoints them."""
    shown = _person(request, user_id)
    standing = standing_of(request.user)
    form = GrantForm(request.POST or None, standing=standing)
    if request.method == "POST" and form.is_valid():
        try:
            grant_role(user=shown, actor=request.user, **form.cleaned_data)
            messages.success(request, _("The role was given."))
            return redirect("web:person", user_id)
        except CampusError as error:
            add_service_error(form, error)
    grants = [{"grant": one, "mine": may_grant(request.user, one.role, one.scope)} for one in shown.role_grants.all()]
    history = AuditEntry.objects.filter(subject=shown).select_related("subject")[:20]
    context = {
        "person": shown,
        "grants": grants,
        "form": form,
        "history": history,
        "may_close": standing.is_platform_admin and shown.pk != request.user.pk,
        "reason_form": ReasonForm(),
    }
    return render(request, "web/people/person.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def appoint(request: SignedInRequest) -> HttpResponse:
    """Give a role to somebody by their e-mail: a new colleague is on nobody's list yet."""
    standing = standing_of(request.user)
    if not standing.is_administering:
        raise NotAllowed
    form = AppointForm(request.POST or None, standing=standing)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            grant_role(user=given["email"], role=given["role"], scope=given["scope"], actor=request.user)
            messages.success(request, _("The role was given."))
            return redirect("web:person", given["email"].pk)
        except CampusError as error:
            add_service_error(form, error)
    context = {"form": form, "title": _("Appoint someone"), "save": _("Give the role"), "back": reverse("web:people")}
    return render(request, "web/form.html", context, status=400 if form.errors else 200)


@require_POST
def revoke(request: SignedInRequest, user_id: int, grant_id: int) -> HttpResponse:
    """Take a role away."""
    shown = _person(request, user_id)
    if not shown.role_grants.filter(pk=grant_id).exists():
        raise NotFound
    revoke_role(grant_id=grant_id, actor=request.user)
    messages.success(request, _("The role was taken away."))
    return redirect("web:person", user_id)


@require_POST
def activation(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Close a person's account, or open it again."""
    shown = _person(request, user_id)
    set_active(
        user=shown, is_active="open" in request.POST, actor=request.user, reason=request.POST.get("reason", "")[:300]
    )
    messages.success(request, _("Saved."))
    return redirect("web:person", user_id)


@require_GET
def audit(request: SignedInRequest) -> HttpResponse:
    """Show the audit trail that this administrator may read."""
    standing = standing_of(request.user)
    if not standing.is_administering:
        raise NotAllowed
    form = AuditFilter(request.GET)
    entries = audit_for(standing, request.user.pk)
    if form.is_valid():
        if wanted := form.cleaned_data["q"]:
            entries = entries.filter(
                Q(actor_label__icontains=wanted)
                | Q(object_label__icontains=wanted)
                | Q(subject__name__icontains=wanted)
            )
        if area := form.cleaned_data["area"]:
            begins = [Q(verb__startswith=verb) for verb in AREAS[area][1]]
            entries = entries.filter(reduce(or_, begins))
    page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
    return render(request, "web/people/audit.html", {"page_obj": page, "form": form})


def _people_of(request: SignedInRequest) -> QuerySet[User]:
    standing = standing_of(request.user)
    if not standing.is_administering:
        raise NotAllowed
    return people_for(standing)


def _person(request: SignedInRequest, user_id: int) -> User:
    found = _people_of(request).filter(pk=user_id).first()
    if found is None:
        raise NotFound
    return found


def _filtered(found: QuerySet[User], form: PeopleFilter) -> QuerySet[User]:
    if not form.is_valid():
        return found
    if wanted := form.cleaned_data["q"].strip():
        found = found.filter(
            Q(name__icontains=wanted) | Q(email__icontains=wanted) | Q(member_number__istartswith=wanted)
        )
    role = form.cleaned_data["role"]
    if role == "LEARNER":
        return found.filter(enrolments__state="ACTIVE").distinct()
    return found.filter(role_grants__role=role).distinct() if role else found
