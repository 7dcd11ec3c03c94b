"""Who may need help in a cohort, one learner's signals with what was done, writing to them, thresholds."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campus.core.errors import InvalidInput, NotAllowed, NotFound
from campus.people.api import INSTRUCTING, standing_of
from campus.people.requests import SignedInRequest
from courses.catalog.api import form_page, get_cohort_for

from .access import get_learner_for_staff, get_message_for
from .domain.signals import Kind
from .evidence import Looked, Overview, overview, thresholds_of
from .forms import MessageForm, ThresholdsForm, beginning_of
from .models import SupportMessage, SupportNote, SupportSettings
from .services import note_signal, save_thresholds, write_to
from .words import KINDS, SOURCES, SignalWords, signal_words

PAGE = 50


@require_safe
def cohort_support(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """List learners with signals by name; `?kind=` shows one kind, `?show=all` also what staff noted already."""
    cohort = get_cohort_for(request.user, cohort_id)
    found = overview(cohort, timezone.now())
    kind, shows_all = request.GET.get("kind", ""), request.GET.get("show") == "all"
    counts = Counter(one.kind.value for row in found.rows for one in _raised(row, shows_all))
    rows = [row for row in found.rows if any(kind in ("", one.kind.value) for one in _raised(row, shows_all))]
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "cohort": cohort,
        "page": page,
        "rows": [{"looked": row, "words": _words(row, found, shows_all)} for row in page],
        "kinds": [(one.value, KINDS[one], counts[one.value]) for one in Kind if found.thresholds.of(one)],
        "sources": [(KINDS[one], SOURCES[one]) for one in Kind],
        "kind": kind,
        "shows_all": shows_all,
        "learners": len(found.rows),
        "may_set": _may_set(request, cohort),
    }
    return render(request, "support/cohort.html", context)


def _raised(row: Looked, shows_all: bool) -> Any:
    return row.signals if shows_all else row.open


def _words(row: Looked, found: Overview, shows_all: bool) -> list[SignalWords]:
    return [signal_words(one, row.evidence, found.cohort) for one in _raised(row, shows_all)]


def _may_set(request: HttpRequest, cohort: Any) -> bool:
    return standing_of(request.user).holds(INSTRUCTING, cohort.scope.path)


@require_safe
def learner(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Show a learner's signals with their evidence, what staff noted, and what they wrote."""
    return _learner_page(request, enrolment_id)


def _learner_page(request: SignedInRequest, enrolment_id: int, status: int = 200, **more: Any) -> HttpResponse:
    enrolment = get_learner_for_staff(request.user, enrolment_id)
    found = overview(enrolment.cohort, timezone.now())
    row = next((row for row in found.rows if row.enrolment.pk == enrolment.pk), None)
    if row is None:
        raise NotFound
    still = {one.kind.value for one in row.open}
    notes = list(SupportNote.objects.filter(enrolment=enrolment).select_related("author"))
    context = {
        "enrolment": enrolment,
        "cohort": enrolment.cohort,
        "signals": [{"words": words, "is_open": words.kind in still} for words in _words(row, found, True)],
        "notes": [{"note": one, "label": KINDS[Kind(one.kind)]} for one in notes],
        "messages_sent": SupportMessage.objects.filter(enrolment=enrolment).select_related("author"),
        "acts": SupportNote.Act.choices,
    }
    return render(request, "support/learner.html", context | more, status=status)


@require_POST
def note(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Note what was done about a signal."""
    enrolment = get_learner_for_staff(request.user, enrolment_id)
    level = request.POST.get("level", "")
    try:
        note_signal(
            enrolment=enrolment, kind=request.POST.get("kind", ""), level=int(level) if level.isdecimal() else 0,
            act=request.POST.get("act", ""), text=request.POST.get("text", ""), actor=request.user,
        )  # fmt: skip
    except InvalidInput as error:
        said = " ".join(str(text) for texts in error.fields.values() for text in texts)
        return _learner_page(request, enrolment_id, status=400, refused=said)
    messages.success(request, _("Noted. The signal comes back when it gets worse."))
    return redirect("support:learner", enrolment.pk)


@require_http_methods(["GET", "POST"])
def write(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Write to a learner, beginning with a text in their language."""
    enrolment = get_learner_for_staff(request.user, enrolment_id)
    to = enrolment.user
    beginning = beginning_of(
        name=to.name, language=to.language, course=str(enrolment.cohort.run.course.name), author=request.user.name,
        email=request.user.email,
    )  # fmt: skip
    form = MessageForm(request.POST or None, initial=beginning)
    back = reverse("support:learner", args=[enrolment.pk])

    def save(said: dict[str, Any]) -> str:
        write_to(enrolment=enrolment, title=said["title"], body=said["body"], actor=request.user)
        return back

    return form_page(
        request, form, save, title=_("Write to %(name)s") % {"name": to.name}, back=back, done=_("Sent."),
        template="support/write.html", enrolment=enrolment, cohort=enrolment.cohort,
    )  # fmt: skip


@require_safe
def message(request: SignedInRequest, message_id: int) -> HttpResponse:
    """Show a message to whom it is for, or to their staff."""
    found = get_message_for(request.user, message_id)
    context = {"message": found, "is_staff": found.enrolment.user_id != request.user.pk}
    return render(request, "support/message.html", context)


@require_http_methods(["GET", "POST"])
def thresholds(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """Set from which figures on the signals of the cohort's run are shown; instructors do."""
    cohort = get_cohort_for(request.user, cohort_id)
    if not _may_set(request, cohort):
        raise NotAllowed
    kept = SupportSettings.objects.filter(run=cohort.run).first()
    form = ThresholdsForm(
        request.POST or None, instance=kept, initial={} if kept else dict(thresholds_of(cohort.run_id).__dict__)
    )
    back = reverse("support:cohort", args=[cohort.pk])

    def save(said: dict[str, Any]) -> str:
        save_thresholds(run=cohort.run, fields=said, actor=request.user)
        return back

    return form_page(
        request, form, save, title=_("When signals are shown"), back=back,
        hint=_("For all cohorts of “%(course)s”. 0 turns a signal off.") % {"course": cohort.run.course.name},
    )  # fmt: skip
