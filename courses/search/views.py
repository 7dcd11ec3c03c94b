"""The page that answers questions."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from campus.people.api import standing_of
from campus.people.requests import SignedInRequest

from .asking import asked
from .finding import find


@require_GET
def search(request: SignedInRequest) -> HttpResponse:
    """Show what answers `?q=`, of one `kind` or all."""
    question, kind, page = asked(request.GET)
    answer = find(standing=standing_of(request.user), question=question, kind=kind, page=page)
    context = {"question": question, "kind": kind, "answer": answer}
    return render(request, "search/search.html", context)
