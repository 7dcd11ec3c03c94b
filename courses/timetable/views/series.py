"""A weekly series: planning, changing, ending."""

from datetime import time
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from campus.core.errors import CampusError, NotFound
from campus.core.form_errors import add_service_error
from campus.core.formats import campus_date
from campus.people.requests import SignedInRequest
from courses.timetable.forms import CancelForm, SeriesForm, blank, initial_of
from courses.timetable.models import ClassSeries, SeriesProposal
from courses.timetable.planning import get_plannable
from courses.timetable.services import end_series, save_series
from courses.timetable.services.series import SavedSeries
from courses.timetable.services.wishes import require_planner

from .classes import given_with_slot, plan_page

_PROPOSED = ("title", "kind", "weekdays", "starts", "ends", "from_on", "until_on", "slot_minutes")


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest, slug: str) -> HttpResponse:
    """Plan a weekly series: from nothing, or from a proposal of the term before (`?proposal=`)."""
    run, cohorts = get_plannable(request.user, slug)
    proposals = list(SeriesProposal.objects.filter(run=run))
    chosen = next((one for one in proposals if str(one.pk) == request.GET.get("proposal")), None)
    initial = blank(cohorts, run.term.starts_on) | {
        "from_on": run.term.starts_on, "until_on": run.term.ends_on, "starts": time(10), "ends": time(12)
    }  # fmt: skip
    if chosen:
        initial |= {name: getattr(chosen, name) for name in _PROPOSED}
    form = SeriesForm(given_with_slot(request, cohorts), run=run, cohorts=cohorts, initial=initial)

    def save() -> str:
        with transaction.atomic():
            saved = save_series(run_id=run.pk, wish=form.wish(), when=form.when(), actor=request.user)
            if chosen:
                chosen.delete()
        return _saved(request, saved)

    back = reverse("timetable:week")
    return plan_page(
        request, form, save, title=_("Plan a weekly series"), back=back, run=run, is_series=True, proposals=proposals,
        chosen=chosen,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, series_id: int) -> HttpResponse:
    """Change a series: its classes to come follow, but those that were changed by hand."""
    series, run, cohorts = _editable(request, series_id)
    form = SeriesForm(
        given_with_slot(request, cohorts), run=run, cohorts=cohorts, initial=initial_of(series, cohorts[0].campus.zone)
    )

    def save() -> str:
        saved = save_series(run_id=run.pk, wish=form.wish(), when=form.when(), actor=request.user, series_id=series.pk)
        return _saved(request, saved)

    by_hand = series.sessions.filter(is_changed_by_hand=True).count()
    return plan_page(
        request, form, save, title=_("Change the series"), back=reverse("timetable:week"), run=run, series=series,
        is_series=True, by_hand=by_hand,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def end(request: SignedInRequest, series_id: int) -> HttpResponse:
    """Cancel all classes of a series that are to come."""
    series, _run, _cohorts = _editable(request, series_id)
    form = CancelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            count = end_series(series_id=series.pk, actor=request.user, reason=form.cleaned_data["reason"])
        except CampusError as error:
            add_service_error(form, error)
        else:
            words = ngettext("%(count)d class is cancelled.", "%(count)d classes are cancelled.", count)
            messages.success(request, words % {"count": count})
            return redirect("timetable:week")
    context = {"form": form, "series": series, "back": reverse("timetable:series", args=[series.pk])}
    return render(request, "timetable/cancel.html", context, status=400 if form.errors else 200)


def _editable(request: SignedInRequest, series_id: int) -> tuple[ClassSeries, Any, Any]:
    """Raises NotFound for strangers, NotAllowed for those who see the run and do not plan it."""
    rows = ClassSeries.objects.select_related("run").prefetch_related("places", "teachers")
    series = rows.filter(pk=min(series_id, 2**62)).first()
    if series is None:
        raise NotFound
    found = get_plannable(request.user, series.run.slug)
    require_planner(request.user, [place.cohort_id for place in series.places.all()])
    return series, *found


def _saved(request: SignedInRequest, saved: SavedSeries) -> str:
    words = ngettext("%(count)d class is planned.", "%(count)d classes are planned.", saved.planned)
    said = [words % {"count": saved.planned}]
    if saved.holidays:
        days = ", ".join(campus_date(day) for day in saved.holidays[:8])
        said.append(_("None on holidays: %(days)s.") % {"days": days})
    if saved.kept_by_hand:
        words = ngettext(
            "%(count)d class that was changed by hand stays as it is.",
            "%(count)d classes that were changed by hand stay as they are.", saved.kept_by_hand,
        )  # fmt: skip
        said.append(words % {"count": saved.kept_by_hand})
    messages.success(request, " ".join(said))
    first = saved.series.sessions.filter(state="PLANNED").order_by("-starts_at").values_list("starts_at", flat=True)
    coming = min(first, default=None)
    return reverse("timetable:week") + (f"?day={coming.date().isoformat()}" if coming else "")
