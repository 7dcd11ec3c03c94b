"""A cohort's roster: who is in it, enrolling by hand, importing a class list."""

import base64
import binascii
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, Conflict, InvalidInput, NotAllowed, NotFound
from campus.core.form_errors import add_service_error
from campus.people.api import ADMINISTERING, standing_of
from campus.people.models import User
from campus.people.requests import SignedInRequest
from courses.catalog.access import get_cohort_for, get_cohort_to_enrol, may_enrol_others
from courses.catalog.forms import AddPersonForm, ModeForm, RosterFileForm
from courses.catalog.invitations import waiting_in
from courses.catalog.models import Cohort, Enrolment
from courses.catalog.selectors import roster, roster_counts
from courses.catalog.services import ImportResult, change_mode, import_roster, preview_roster, withdraw
from courses.catalog.texts import EFFECTS, words_of

PAGE_SIZE = 50
SHOWN_ROWS = 500
EXAMPLE = "이메일,이름,수강 방식,학번\nhaneul@example.kr,김하늘,대면,2026001\nada@example.com,Ada Lovelace,online,\n"


@require_GET
def people(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """List who is in a cohort."""
    cohort = get_cohort_for(request.user, cohort_id)
    wanted = request.GET.get("q", "").replace("\0", "").strip()  # which PostgreSQL takes in no text
    rows = roster(cohort)
    if wanted:
        rows = rows.filter(user__name__icontains=wanted) | rows.filter(user__email__icontains=wanted)
    state = request.GET.get("show", "")
    if state == "withdrawn":
        rows = rows.filter(state=Enrolment.State.WITHDRAWN)
    elif state in ("onsite", "online"):
        rows = rows.filter(state=Enrolment.State.ACTIVE, mode=state.upper())
    else:
        rows = rows.exclude(state=Enrolment.State.WITHDRAWN)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    waiting = waiting_in(cohort, timezone.now())
    context = {
        "cohort": cohort,
        "page_obj": page,
        "rows": [(row, waiting.get(row.user_id)) for row in page],
        "expired": sum(invitation.is_expired for invitation in waiting.values()),
        "shows": _shows(cohort, state),
        "show": state,
        "q": wanted,
        "may_administer": standing_of(request.user).holds(ADMINISTERING, cohort.scope.path[:-1]),
        "may_enrol": may_enrol_others(request.user, cohort),
    }
    return render(request, "catalog/roster.html", context)


@require_http_methods(["GET", "POST"])
def add(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """Enrol one person by hand; the same rules as an import of one row."""
    cohort = get_cohort_to_enrol(request.user, cohort_id)
    form = AddPersonForm(request.POST or None, initial={"mode": Enrolment.Mode.ONSITE})
    if request.method == "POST" and form.is_valid():
        try:
            result = _import_one(request, cohort, form.cleaned_data)
        except CampusError as error:
            add_service_error(form, error)
        else:
            known = User.objects.get(email=form.cleaned_data["email"].lower())
            text = (
                _("%(name)s is enrolled and gets an invitation by mail.")
                if result.created
                else _("%(name)s is enrolled.")
            )
            messages.success(request, text % {"name": known.name})
            return redirect("catalog:roster", cohort.pk)
    context = {
        "form": form,
        "title": _("Enrol a person"),
        "cohort": cohort,
        "back": reverse("catalog:roster", args=[cohort.pk]),
        "hint": _("People we do not know yet get a mail with a link to choose a password."),
    }
    return render(request, "catalog/form.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def upload(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """Take a class list, show what importing it would do, then do exactly that."""
    cohort = get_cohort_to_enrol(request.user, cohort_id)
    if request.method == "POST" and "digest" in request.POST:
        return _confirm(request, cohort)
    form = RosterFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        raw = form.raw()
        if raw:
            return _preview(request, cohort, raw)
        form.add_error("file", _("Choose a file, or paste rows."))
    context = {"cohort": cohort, "form": form, "example": EXAMPLE}
    return render(request, "catalog/import.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def remove(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Withdraw somebody."""
    enrolment = _of_my_cohort(request, enrolment_id)
    back = reverse("catalog:roster", args=[enrolment.cohort_id])
    if request.method == "POST":
        withdraw(enrolment_id=enrolment.pk, actor=request.user)
        messages.success(request, _("%(name)s is withdrawn. The seat is free.") % {"name": enrolment.user.name})
        return redirect(back)
    context = {
        "title": _("Withdraw %(name)s?") % {"name": enrolment.user.name},
        "text": _("The seat becomes free and unused GPU time goes back to the cohort. Jobs that wait are cancelled; "
                  "one that runs finishes. Results and ledger stay; the person can be enrolled again."),
        "label": _("Withdraw"),
        "cancel_url": back,
        "tone": "danger",
    }  # fmt: skip
    return render(request, "core/confirm.html", context)


@require_POST
def set_mode(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Change somebody's mode."""
    enrolment = _of_my_cohort(request, enrolment_id)
    form = ModeForm(request.POST)
    if form.is_valid():
        change_mode(enrolment_id=enrolment.pk, mode=form.cleaned_data["mode"], actor=request.user)
        messages.success(request, _("Saved."))
    return redirect("catalog:roster", enrolment.cohort_id)


def _shows(cohort: Cohort, current: str) -> list[dict[str, Any]]:
    """The roster's cuts, each with how many are in it."""
    counts = roster_counts(cohort)
    names = {"": _("Enrolled"), "onsite": _("On site"), "online": _("Online"), "withdrawn": _("Withdrawn")}
    return [
        {
            "label": f"{name} {counts[key or 'active']}",
            "url": f"?show={key}" if key else "?",
            "is_active": key == current,
        }
        for key, name in names.items()
    ]


def _of_my_cohort(request: SignedInRequest, enrolment_id: int) -> Enrolment:
    enrolment = Enrolment.objects.select_related("user", "cohort").filter(pk=enrolment_id).first()
    if enrolment is None:
        raise NotFound
    get_cohort_to_enrol(request.user, enrolment.cohort_id)
    return enrolment


def _preview(request: SignedInRequest, cohort: Cohort, raw: bytes, problem: str = "") -> HttpResponse:
    preview = preview_roster(cohort_id=cohort.pk, raw=raw)
    rows = [
        {"planned": planned, "words": words, "tone": tone, "icon": icon}
        for planned in preview.plan.rows[:SHOWN_ROWS]
        for words, tone, icon in [EFFECTS[planned.effect]]
    ]
    counts = [(EFFECTS[effect][0], preview.plan.count(effect)) for effect in EFFECTS]
    context = {
        "cohort": cohort,
        "preview": preview,
        "plan": preview.plan,
        "rows": rows,
        "counts": [(words, count) for words, count in counts if count],
        "errors": [(error, words_of(error)) for error in preview.plan.errors],
        "bad_lines": len({error.line for error in preview.plan.errors}),
        "content": base64.b64encode(raw).decode() if preview.roster.is_readable else "",
        "may_import": preview.roster.is_readable and preview.plan.changing and not preview.plan.is_short_of_seats,
        "problem": problem,
    }
    bad = bool(problem) or not preview.roster.is_readable
    return render(request, "catalog/import_preview.html", context, status=400 if bad else 200)


def _confirm(request: SignedInRequest, cohort: Cohort) -> HttpResponse:
    try:
        raw = base64.b64decode(request.POST.get("content", ""), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput({"content": _("The preview was damaged on its way. Choose the file again.")}) from None
    try:
        result = import_roster(
            cohort_id=cohort.pk,
            raw=raw,
            digest=request.POST["digest"],
            only_valid=request.POST.get("only_valid") == "yes",
            actor=request.user,
            site_url=request.build_absolute_uri("/"),
        )
    except (NotFound, NotAllowed):
        raise
    except CampusError as error:
        texts = [str(text) for group in getattr(error, "fields", {}).values() for text in group]
        return _preview(request, cohort, raw, problem=" ".join(texts) or str(error.message))
    messages.success(request, _said(result))
    return redirect("catalog:roster", cohort.pk)


def _said(result: ImportResult) -> str:
    said = [
        ngettext("%(n)d person enrolled.", "%(n)d people enrolled.", result.enrolled) % {"n": result.enrolled},
        ngettext("%(n)d mode changed.", "%(n)d modes changed.", result.changed) % {"n": result.changed}
        if result.changed
        else "",
        ngettext("%(n)d invitation is on its way.", "%(n)d invitations are on their way.", result.created)
        % {"n": result.created}
        if result.created
        else "",
    ]
    return " ".join(text for text in said if text)


def _import_one(request: SignedInRequest, cohort: Cohort, person: dict[str, str]) -> ImportResult:
    """Import a class list of one. Raises what makes it impossible, in words."""
    quoted = ['"' + person[key].replace('"', '""') + '"' for key in ("email", "name", "mode")]
    raw = ("email,name,mode\n" + ",".join(quoted) + "\n").encode()
    preview = preview_roster(cohort_id=cohort.pk, raw=raw)
    if preview.plan.errors:
        error = preview.plan.errors[0]
        raise InvalidInput({error.column or "": words_of(error)})
    if not preview.plan.changing:
        raise Conflict(_("%(name)s is enrolled already.") % {"name": person["name"]})
    return import_roster(
        cohort_id=cohort.pk,
        raw=raw,
        digest=preview.digest,
        actor=request.user,
        site_url=request.build_absolute_uri("/"),
    )
