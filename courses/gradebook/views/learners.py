"""What a learner sees: the grade so far, why, and asking about a mark."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import CampusError, NotFound
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.gradebook.access import get_own_row
from courses.gradebook.books import book_of
from courses.gradebook.explaining import why
from courses.gradebook.forms import RegradeForm
from courses.gradebook.models import GradeItem, PublishedGrade, RegradeRequest
from courses.gradebook.services import ask_regrade


@require_GET
def grades(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show one's own grade with all that it comes from."""
    enrolment = get_own_row(request.user, slug)
    book = book_of(enrolment.run, enrolment_id=enrolment.pk)
    asked = RegradeRequest.objects.filter(enrolment=enrolment).select_related("answered_by").order_by("pk")
    context = {
        "run": enrolment.run, "enrolment": enrolment, "why": why(book, enrolment.pk, for_learner=True), "book": book,
        "asked": {one.item_id: one for one in asked},
        "published": PublishedGrade.objects.filter(enrolment=enrolment, is_current=True).first(),
    }  # fmt: skip
    return render(request, "gradebook/grades.html", context)


@require_http_methods(["GET", "POST"])
def ask(request: SignedInRequest, slug: str, item_id: int) -> HttpResponse:
    """Ask that a mark be looked at again."""
    enrolment = get_own_row(request.user, slug)
    item = GradeItem.objects.filter(pk=item_id, category__run=enrolment.run, is_published=True).first()
    if item is None:
        raise NotFound
    form = RegradeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ask_regrade(enrolment=enrolment, item_id=item_id, text=form.cleaned_data["text"])
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("Your question is with the staff of your cohort."))
            return redirect("gradebook:grades", slug)
    context = {"run": enrolment.run, "item": item, "form": form}
    return render(request, "gradebook/ask.html", context, status=400 if form.errors else 200)
