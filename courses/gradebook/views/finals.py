"""Publishing final grades, and answering what learners ask."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.people.requests import SignedInRequest
from courses.gradebook.access import get_book_for, get_book_to_edit
from courses.gradebook.forms import AnswerForm
from courses.gradebook.models import RegradeRequest
from courses.gradebook.publishing import lines_html, preview
from courses.gradebook.selectors import questions_of, questions_page
from courses.gradebook.services import answer_regrade, publish_finals


@require_http_methods(["GET", "POST"])
def finals(request: SignedInRequest, slug: str) -> HttpResponse:
    """Preview what publishing would show to whom; publish."""
    access = get_book_to_edit(request.user, slug)
    if request.method == "POST":
        try:
            count = publish_finals(run=access.run, cohort_ids=access.cohort_ids, actor=request.user)
        except Conflict as error:
            messages.error(request, str(error.message))
        else:
            words = ngettext("%(count)d grade was published.", "%(count)d grades were published.", count)
            messages.success(request, words % {"count": count})
        return redirect("gradebook:finals", slug)
    seen = preview(access)
    context = {"run": access.run, "access": access, "preview": seen, "rows": lines_html(seen.lines)}
    return render(request, "gradebook/finals.html", context)


@require_GET
def questions(request: SignedInRequest, slug: str) -> HttpResponse:
    """List what learners asked about their marks."""
    access = get_book_for(request.user, slug)
    page = questions_page(access, request.GET.get("page"))
    context = {"run": access.run, "access": access, "page_obj": page, "questions": _with_forms(page)}
    return render(request, "gradebook/questions.html", context)


@require_POST
def answer(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """Answer one."""
    access = get_book_for(request.user, slug)
    asked = questions_of(access).filter(pk=pk).first()
    if asked is None:
        raise NotFound
    form = AnswerForm(request.POST, auto_id=_ids_of(asked))
    if form.is_valid():
        try:
            answer_regrade(request_id=pk, cohort_ids=access.cohort_ids, actor=request.user, **form.cleaned_data)
        except (Conflict, InvalidInput) as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("The learner was told."))
        return redirect("gradebook:questions", slug)
    context = {"run": access.run, "access": access, "questions": [(asked, form)], "answering": pk}
    return render(request, "gradebook/questions.html", context, status=400)


def _with_forms(asked: Iterable[RegradeRequest]) -> list[tuple[RegradeRequest, AnswerForm]]:
    return [(one, AnswerForm(auto_id=_ids_of(one))) for one in asked]


def _ids_of(asked: RegradeRequest) -> str:
    """A page has a form for each question: labels must find the fields of their own."""
    return f"answer-{asked.pk}-%s"
