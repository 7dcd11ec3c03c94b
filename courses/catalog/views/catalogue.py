"""The catalogue, a course's page, and enrolling oneself."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, NotFound
from campus.people.api import standing_of
from campus.people.requests import SignedInRequest
from courses.catalog.access import RunAccess, get_run_for
from courses.catalog.domain.enrolment import Window, window
from courses.catalog.forms import ModeForm
from courses.catalog.models import Cohort, Enrolment
from courses.catalog.outline import news_of, outline_of
from courses.catalog.selectors import catalogue
from courses.catalog.services import change_mode, self_enrol, withdraw


@dataclass(frozen=True)
class Offer:
    """A cohort in the enrol box."""

    cohort: Cohort
    window: Window

    @property
    def seats_left(self) -> int:
        return self.cohort.seats - self.cohort.seats_taken

    @property
    def is_open(self) -> bool:
        return self.window is Window.OPEN and self.seats_left > 0


@login_not_required
@require_GET
def courses(request: HttpRequest) -> HttpResponse:
    """List the courses that are given."""
    standing = standing_of(request.user)
    entries = catalogue(standing)
    mine = [entry for entry in entries if entry.enrolment or entry.is_taught]
    context = {
        "mine": mine,
        "others": [entry for entry in entries if entry not in mine],
        "may_administer": standing.is_administering,
    }
    return render(request, "catalog/list.html", context)


@login_not_required
@require_GET
def run(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a course: its outline, where the reader stands, and seats to take; to staff also as a learner has it."""
    access = get_run_for(request.user, slug)
    if access.is_staff and request.GET.get("as") == "learner":
        access = access.as_learner()
    modules = outline_of(access)
    context = {
        "access": access,
        "run": access.run,
        "modules": modules,
        "news": news_of(access),
        "counts": _counts(modules),
        "offers": _offers(access, timezone.now()),
        "modes": Enrolment.Mode.choices,
    }
    return render(request, "catalog/run.html", context)


@require_POST
def enrol(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """Take a seat."""
    cohort = Cohort.objects.select_related("run").filter(pk=cohort_id, run__is_published=True).first()
    if cohort is None:
        raise NotFound
    try:
        self_enrol(cohort_id=cohort_id, user=request.user, mode=request.POST.get("mode", ""))
    except CampusError as error:
        if isinstance(error, NotFound):
            raise
        said = [str(text) for texts in getattr(error, "fields", {}).values() for text in texts]
        messages.error(request, " ".join(said) or str(error.message))
    else:
        messages.success(request, _("You have a seat in %(name)s.") % {"name": cohort.name})
    return redirect("catalog:run", cohort.run.slug)


@require_http_methods(["GET", "POST"])
def leave(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Give one's own seat back."""
    enrolment = _own(request, enrolment_id)
    back = reverse("catalog:run", args=[enrolment.run.slug])
    if request.method == "POST":
        withdraw(enrolment_id=enrolment.pk, actor=request.user)
        messages.success(request, _("You have left %(name)s. Your results stay.") % {"name": enrolment.cohort.name})
        return redirect(back)
    context = {
        "title": _("Leave %(name)s?") % {"name": enrolment.cohort.name},
        "text": _(
            "Your seat is free for somebody else at once, and GPU time that you did not use goes back. "
            "Your jobs that wait are cancelled; one that runs finishes."
        ),
        "label": _("Leave the course"),
        "cancel_url": back,
        "tone": "danger",
    }
    return render(request, "core/confirm.html", context)


@require_POST
def switch_mode(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Change one's own mode."""
    enrolment = _own(request, enrolment_id)
    form = ModeForm(request.POST)
    if form.is_valid():
        change_mode(enrolment_id=enrolment.pk, mode=form.cleaned_data["mode"], actor=request.user)
        messages.success(request, _("Saved."))
    return redirect("catalog:run", enrolment.run.slug)


def _own(request: SignedInRequest, enrolment_id: int) -> Enrolment:
    rows = Enrolment.objects.select_related("run", "cohort").filter(pk=enrolment_id, user=request.user)
    enrolment = rows.filter(state=Enrolment.State.ACTIVE).first()
    if enrolment is None:
        raise NotFound
    return enrolment


def _offers(access: RunAccess, now: datetime) -> list[Offer]:
    if access.enrolment is not None or access.is_staff or access.is_preview or not access.run.is_published:
        return []
    return [
        Offer(cohort, window(cohort.self_enrolment_opens_at, cohort.self_enrolment_closes_at, now))
        for cohort in access.cohorts
    ]


def _counts(modules: list) -> dict[str, int]:
    lessons = [entry for module in modules for entry in module.lessons]
    labs = [entry for module in modules for entry in module.labs]
    return {
        "lessons": len(lessons),
        "lessons_done": sum(entry.is_done for entry in lessons),
        "labs": len(labs),
        "labs_done": sum(bool(entry.progress and entry.progress.is_done) for entry in labs),
    }
