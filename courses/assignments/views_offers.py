"""Time offered after an outage: who was touched, with the evidence; granting to all or some with one click."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from campus.core.errors import InvalidInput
from campus.people.requests import SignedInRequest

from .access import get_assignment_to_edit
from .models import Assignment
from .offer_list import offers_for
from .offering import decline_offers, find_offers, grant_offers, policy_of


@require_http_methods(["GET", "POST"])
def offers(request: SignedInRequest, assignment_id: int) -> HttpResponse:
    """Show what is offered to whom and why; grant, decline, or look for evidence anew."""
    shown, access = get_assignment_to_edit(request.user, assignment_id)
    found = offers_for(shown, access)
    error = None
    if request.method == "POST":
        what = request.POST.get("what", "")
        allowed = {one.offer.pk for one in found.open}
        chosen = _ids(request, "shown" if what == "grant-all" else "offer")
        try:
            _decide(request, shown, what, [pk for pk in chosen if pk in allowed])
        except InvalidInput as raised:
            error = raised
        else:
            return redirect("assignments:offers", assignment_id)
    context = {
        "assignment": shown, "run": access.run, "found": found, "policy": policy_of(shown),
        "error": error, "reason": request.POST.get("reason", ""),
    }  # fmt: skip
    return render(request, "assignments/offers.html", context, status=400 if error else 200)


def _ids(request: SignedInRequest, name: str) -> list[int]:
    return [int(text) for text in request.POST.getlist(name) if text.isdecimal() and len(text) < 16]


def _decide(request: SignedInRequest, assignment: Assignment, what: str, offer_ids: list[int]) -> None:
    """Do what the button says. Raises InvalidInput, Conflict."""
    actor = request.user
    if what == "look":
        find_offers(assignment_id=assignment.pk)
        messages.success(request, _("Looked: what was found stands below."))
        return
    if what not in ("grant", "grant-all", "decline"):
        raise InvalidInput({"what": _("Choose what to do.")})
    if not offer_ids:
        raise InvalidInput({"offer": _("Choose at least one learner.")})
    if what == "decline":
        reason = request.POST.get("reason", "")
        count = decline_offers(assignment=assignment, offer_ids=offer_ids, actor=actor, reason=reason)
        words = ngettext("%(n)d offer is declined.", "%(n)d offers are declined.", count)
    else:
        count = len(grant_offers(assignment=assignment, offer_ids=offer_ids, actor=actor))
        words = ngettext("%(n)d learner has more time now.", "%(n)d learners have more time now.", count)
    messages.success(request, words % {"n": count})
