"""A roster as a file, and inviting once more."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify
from django.utils.translation import get_language, ngettext
from django.views.decorators.http import require_GET, require_POST

from campus.core.errors import Conflict
from campus.core.spreadsheets import CSV, attachment
from campus.people.requests import SignedInRequest
from courses.catalog.access import get_cohort_to_enrol
from courses.catalog.domain.roster import roster_csv
from courses.catalog.models import Enrolment
from courses.catalog.services import invite_again


@require_GET
def export(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """Download who is enrolled, in the columns that an import takes."""
    cohort = get_cohort_to_enrol(request.user, cohort_id)
    enrolled = Enrolment.objects.filter(cohort=cohort, state=Enrolment.State.ACTIVE).order_by("user__name", "pk")
    rows = enrolled.values_list("user__email", "user__name", "mode", "user__member_number")
    content = roster_csv(rows, get_language() or "ko").encode("utf-8-sig")
    return attachment(content, CSV, f"{slugify(cohort.name) or f'cohort-{cohort.pk}'}.csv")


@require_POST
def invite(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """Invite those whose invitation has expired once more, or the one person who is named."""
    cohort = get_cohort_to_enrol(request.user, cohort_id)
    person = request.POST.get("person", "")
    user_id = int(person) if person.isdecimal() and len(person) < 16 else None
    try:
        count = invite_again(
            cohort_id=cohort.pk, user_id=user_id, actor=request.user, site_url=request.build_absolute_uri("/")
        )
    except Conflict as error:
        messages.error(request, str(error.message))
    else:
        words = ngettext("%(n)d invitation is on its way.", "%(n)d invitations are on their way.", count)
        messages.success(request, words % {"n": count})
    return redirect("catalog:roster", cohort.pk)
