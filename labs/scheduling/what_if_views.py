"""The what-if page: change something, and see what that would do to the waits, before anybody does it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from campus.core.errors import InvalidInput, NotAllowed
from campus.core.form_errors import add_service_error
from campus.people.access import standing_of
from campus.people.requests import SignedInRequest

from .what_if import Answer, Wish, answer
from .what_if_form import WhatIfForm
from .what_if_words import chart_of, headline, tried, words


@require_GET
def what_if(request: SignedInRequest) -> HttpResponse:
    """Show the form, and what would happen where something was asked. Changes nothing."""
    standing = standing_of(request.user)
    if not standing.is_teaching:
        raise NotAllowed
    form = WhatIfForm(request.GET or None, standing=standing)
    context: dict[str, Any] = {"form": form, "may_ask": not standing.is_administering}
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
        "chart": chart_of(found.rows) if len(found.rows) > 1 else None,
        "tried": tried(wish),
        "added": words(found.added) if found.added else None,
        "wish": wish,
    }
