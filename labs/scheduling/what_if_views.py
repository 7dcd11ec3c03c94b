"""The what-if page: change something, and see what that would do to the waits, before anybody does it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from campus.core import formats
from campus.core.errors import InvalidInput, NotAllowed
from campus.core.form_errors import add_service_error
from campus.people.access import standing_of
from campus.people.requests import SignedInRequest

from .domain.what_if import Effect
from .what_if import Answer, Row, Wish, answer
from .what_if_form import WhatIfForm


@require_GET
def what_if(request: SignedInRequest) -> HttpResponse:
    """Show the form, and what would happen where something was asked. Changes nothing."""
    standing = standing_of(request.user)
    if not standing.is_teaching:
        raise NotAllowed
    form = WhatIfForm(request.GET or None, standing=standing)
    context: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        wish = form.wish()
        try:
            found = answer(standing=standing, basis=form.cleaned_data["basis"], wish=wish)
            context |= shown(found, wish)
        except InvalidInput as error:
            add_service_error(form, error)
    return render(request, "scheduling/what_if.html", context, status=400 if form.errors else 200)


def shown(found: Answer, wish: Wish) -> dict[str, Any]:
    """What the template needs of an answer."""
    return {
        "answer": found,
        "headline": headline(found.whole, is_changed=not wish.is_empty),
        "rows": [{"row": row, "words": words(row.effect)} for row in found.rows],
        "chart": _chart(found.rows) if found.rows else None,
        "chart_title": headline(found.whole, is_changed=not wish.is_empty),
        "added": words(found.added) if found.added else None,
        "wish": wish,
    }


def headline(effect: Effect, *, is_changed: bool) -> str:
    """What the change does, in one sentence."""
    if not effect.jobs:
        return _("No job waits, so nobody's wait would change")
    mean = _wait(effect.mean_after_s)
    if not is_changed:
        return _("%(jobs)d jobs, %(mean)s of waiting on average") % {"jobs": effect.jobs, "mean": mean}
    if not effect.sooner and not effect.later:
        return _("Nobody's wait would change: %(mean)s on average") % {"mean": mean}
    parts = []
    if effect.sooner:
        parts.append(ngettext("%(n)d job starts sooner", "%(n)d jobs start sooner", effect.sooner))
        parts[-1] %= {"n": effect.sooner}
    if effect.later:
        parts.append(ngettext("%(n)d job starts later", "%(n)d jobs start later", effect.later))
        parts[-1] %= {"n": effect.later}
    facts = {"what": ", ".join(parts), "before": _wait(effect.mean_before_s), "after": mean}
    return _("%(what)s: %(before)s of waiting on average becomes %(after)s") % facts


def words(effect: Effect) -> dict[str, Any]:
    """An effect's figures in words; `tone` says whether it is for the better."""
    before, after = effect.mean_before_s, effect.mean_after_s
    change = "" if before is None or after is None else formats.duration(after - before)
    stuck_more = effect.not_started_after - effect.not_started_before
    is_better = effect.sooner > effect.later
    return {
        "before": _wait(before),
        "after": _wait(after),
        "change": change if effect.sooner or effect.later else "",
        "longest": _wait(effect.longest_after_s),
        "stuck": effect.not_started_after,
        "tone": "neutral" if effect.sooner == effect.later else "ok" if is_better and stuck_more <= 0 else "warn",
        "icon": "minus" if effect.sooner == effect.later else "arrow-down" if is_better else "arrow-up",
    }


def _wait(seconds: float | None) -> str:
    return "—" if seconds is None else formats.duration(seconds)


def _chart(rows: list[Row]) -> dict[str, Any]:
    def minutes(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds / 60, 1)

    return {
        "kind": "bar",
        "x": [row.name for row in rows],
        "x_name": _("Cohort"),
        "series": [
            {"name": _("as it is"), "values": [minutes(row.effect.mean_before_s) for row in rows]},
            {"name": _("with the change"), "values": [minutes(row.effect.mean_after_s) for row in rows]},
        ],
    }
