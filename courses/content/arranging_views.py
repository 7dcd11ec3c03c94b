"""Putting a course in order: one page with a row for each module, lesson and lab, and a page that asks before deleting.

A row moves by its buttons, or by dragging, which sends the same form.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import Conflict, NotAllowed
from campus.people.requests import SignedInRequest
from courses.catalog.api import RunAccess, get_run_for, outline_of

from .access import get_lesson_to_edit, get_module_to_edit
from .arranging import (
    Part,
    delete_lesson,
    delete_module,
    lesson_parts,
    module_parts,
    move_lesson,
    move_module,
    why_not,
)
from .domain.order import DOWN, UP
from .models import Lesson
from .order_page import order_rows
from .services import change_module
from .writing import change_lesson


@require_GET
def order(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show a course's modules, lessons and labs in their order."""
    access = get_run_for(request.user, slug)
    if not access.may_edit:
        raise NotAllowed
    # The row that was just moved keeps the focus, so that the keyboard can move it on.
    rows = order_rows(outline_of(access), request.GET.get("moved", ""), request.GET.get("by", ""))
    return render(request, "content/order.html", {"run": access.run, "rows": rows})


@require_POST
def move_module_to(request: SignedInRequest, module_id: int) -> HttpResponse:
    """Move a module."""
    _module, access = get_module_to_edit(request.user, module_id)
    return back_to_order(request, access, "module", module_id, move_module)


@require_POST
def move_lesson_to(request: SignedInRequest, lesson_id: int) -> HttpResponse:
    """Move a lesson."""
    _lesson, access = get_lesson_to_edit(request.user, lesson_id)
    return back_to_order(request, access, "lesson", lesson_id, move_lesson)


@require_http_methods(["GET", "POST"])
def remove_module(request: SignedInRequest, module_id: int) -> HttpResponse:
    """Ask, then delete a module with what is in it, or hide it."""
    module, access = get_module_to_edit(request.user, module_id)
    return removal_page(
        request, access, module.title, module_parts(module), contents=True, is_hidden=not module.is_published,
        delete=lambda: delete_module(module_id=module_id, actor=request.user),
        hide=lambda: change_module(module_id=module_id, fields={"is_published": False}, actor=request.user),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def remove_lesson(request: SignedInRequest, lesson_id: int) -> HttpResponse:
    """Ask, then delete a lesson, or hide it."""
    lesson, access = get_lesson_to_edit(request.user, lesson_id)
    return removal_page(
        request, access, lesson.title, lesson_parts(Lesson.objects.filter(pk=lesson_id)),
        is_hidden=not lesson.is_published,
        delete=lambda: delete_lesson(lesson_id=lesson_id, actor=request.user),
        hide=lambda: change_lesson(lesson_id=lesson_id, fields={"is_published": False}, actor=request.user),
    )  # fmt: skip


def back_to_order(
    request: SignedInRequest, access: RunAccess, kind: str, pk: int, move: Callable[..., None]
) -> HttpResponse:
    """Move what was asked for, then show the order again with that row in focus."""
    to = request.POST.get("to", "")
    try:
        move(**{f"{kind}_id": pk}, to=to, actor=request.user)
    except Conflict as error:
        messages.error(request, str(error.message))
    focus = f"?moved={kind}-{pk}" + (f"&by={to}" if to in (UP, DOWN) else "")
    return redirect(reverse("content:order", args=[access.run.slug]) + focus)


def removal_page(
    request: SignedInRequest,
    access: RunAccess,
    title: str,
    parts: Sequence[Part],
    *,
    is_hidden: bool,
    delete: Callable[[], Any],
    hide: Callable[[], Any],
    contents: bool = False,
) -> HttpResponse:
    """Ask before `delete`; where learners have used it, say so and offer `hide`. `contents`: the parts lie in it."""
    back = reverse("content:order", args=[access.run.slug])
    if request.method == "POST" and "hide" in request.POST:
        hide()
        messages.success(request, _("“%(title)s” is hidden. Learners no longer see it.") % {"title": title})
        return redirect(back)
    refusal = why_not(title, parts)
    if request.method == "POST" and not refusal:
        try:
            delete()
        except Conflict as error:  # somebody used it between this page and the lock
            refusal = str(error.message)
        else:
            messages.success(request, _("“%(title)s” is deleted.") % {"title": title})
            return redirect(back)
    context = {
        "title": title,
        "parts": parts if contents else [],
        "used": [part for part in parts if part.use],
        "refusal": refusal,
        "is_hidden": is_hidden,
        "back": back,
    }
    return render(request, "content/delete.html", context, status=409 if request.method == "POST" else 200)
