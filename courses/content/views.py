"""Lessons: reading and marking as done; adding and changing modules."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import NotAllowed
from campus.people.requests import SignedInRequest
from courses.catalog.api import form_page, get_run_for

from .access import get_lesson_for, get_module_to_edit, require_readable
from .domain.markdown import render as render_markdown
from .forms import ModuleForm
from .selectors import neighbours, outline
from .services import change_module, complete_lesson, open_module
from .versions_views import files_of


@require_GET
def lesson(request: SignedInRequest, lesson_id: int) -> HttpResponse:
    """Show a lesson, with what comes before and after it."""
    shown, access = get_lesson_for(request.user, lesson_id)
    if access.is_staff and request.GET.get("as") == "learner":
        access = access.as_learner()
        require_readable(access, shown)
    parts = outline(access)
    before, after = neighbours(parts, shown.pk)
    context = {
        "lesson": shown,
        "access": access,
        "run": access.run,
        "modules": parts,
        "locks": next((part.lock_words for part in parts if part.module.pk == shown.module_id), []),
        "before": before,
        "after": after,
        "is_done": any(entry.is_done for part in parts for entry in part.lessons if entry.lesson.pk == shown.pk),
        "html": mark_safe(render_markdown(shown.body, files=files_of(shown))),  # noqa: S308 - sanitised by an allow-list
    }
    return render(request, "content/lesson.html", context)


@require_POST
def done(request: SignedInRequest, lesson_id: int) -> HttpResponse:
    """Mark a lesson as done, and go on to the next; or take the mark back."""
    shown, access = get_lesson_for(request.user, lesson_id)
    is_done = request.POST.get("done") == "yes"
    complete_lesson(lesson=shown, access=access, is_done=is_done)
    _before, after = neighbours(outline(access), shown.pk)
    if is_done and after is not None:
        return redirect("content:lesson", after.pk)
    return redirect("catalog:run", access.run.slug) if is_done else redirect("content:lesson", shown.pk)


@require_http_methods(["GET", "POST"])
def new_module(request: SignedInRequest, slug: str) -> HttpResponse:
    """Add a module to a run."""
    access = get_run_for(request.user, slug)
    if not access.may_edit:
        raise NotAllowed
    back = reverse("catalog:run", args=[slug])

    def save(fields: dict[str, Any]) -> str:
        open_module(run_id=access.run.pk, actor=request.user, **fields)
        return back

    return form_page(
        request, ModuleForm(request.POST or None, run=access.run), save, title=_("Add a module"), back=back
    )


@require_http_methods(["GET", "POST"])
def edit_module(request: SignedInRequest, module_id: int) -> HttpResponse:
    """Change a module."""
    module, access = get_module_to_edit(request.user, module_id)
    back = reverse("catalog:run", args=[access.run.slug])

    def save(fields: dict[str, Any]) -> str:
        change_module(module_id=module_id, fields=fields, actor=request.user)
        return back

    form = ModuleForm(request.POST or None, instance=module, run=module.run)
    return form_page(request, form, save, title=_("Change the module"), back=back)
