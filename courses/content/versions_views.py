"""A lesson's versions: their list, one of them with what it changed, showing a draft, restoring; and its files."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import NotFound
from campus.people.requests import SignedInRequest

from .access import get_lesson_for, get_lesson_to_edit
from .domain.diff import compare
from .domain.markdown import render as render_markdown
from .models import Lesson, LessonFile
from .writing import get_version, newest_version, restore_version, show_version


@require_GET
def versions(request: SignedInRequest, lesson_id: int) -> HttpResponse:
    """List who saved what when, newest first."""
    lesson, access = get_lesson_to_edit(request.user, lesson_id)
    found = lesson.versions.select_related("author").defer("body")
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    rows = list(page) or [newest_version(lesson)]
    context = {"lesson": lesson, "run": access.run, "page": page, "versions": rows}
    return render(request, "content/versions.html", context)


@require_GET
def version(request: SignedInRequest, lesson_id: int, number: int) -> HttpResponse:
    """Show a version as readers would see it, or with `?show=changes` how it differs from another."""
    lesson, access = get_lesson_to_edit(request.user, lesson_id)
    shown = get_version(lesson, number)
    context: dict[str, Any] = {"lesson": lesson, "run": access.run, "version": shown}
    other = _other(request, lesson, number)
    if request.GET.get("show") == "changes" and other:
        before = get_version(lesson, other)
        context |= {"before": before, "lines": compare(before.body, shown.body)}
    else:
        html = render_markdown(shown.body, files=files_of(lesson))
        context["html"] = mark_safe(html)  # noqa: S308 - sanitised by an allow-list
    return render(request, "content/version.html", context | {"other": other})


@require_POST
def show(request: SignedInRequest, lesson_id: int, number: int) -> HttpResponse:
    """Let learners read a draft."""
    get_lesson_to_edit(request.user, lesson_id)
    show_version(lesson_id=lesson_id, number=number, actor=request.user)
    messages.success(request, _("Learners read version %(n)d now.") % {"n": number})
    return redirect("content:lesson", lesson_id)


@require_http_methods(["GET", "POST"])
def restore(request: SignedInRequest, lesson_id: int, number: int) -> HttpResponse:
    """Ask, then save an old text as the newest version."""
    lesson, _access = get_lesson_to_edit(request.user, lesson_id)
    old = get_version(lesson, number)
    if request.method == "POST":
        made = restore_version(lesson_id=lesson_id, number=number, actor=request.user)
        words = _("Version %(old)d is restored as version %(new)d.")
        messages.success(request, words % {"old": number, "new": made.version})
        return redirect("content:lesson", lesson_id)
    context = {
        "title": _("Restore version %(n)d?") % {"n": old.number},
        "text": _("Its text becomes the newest version, and learners read it at once. No version is lost."),
        "label": _("Restore"),
        "cancel_url": reverse("content:versions", args=[lesson_id]),
    }
    return render(request, "core/confirm.html", context)


@require_GET
def file(request: SignedInRequest, lesson_id: int, name: str) -> FileResponse:
    """Send a file of a lesson to those who may read the lesson: pictures to be shown, all else as a download."""
    lesson, _access = get_lesson_for(request.user, lesson_id)
    found = LessonFile.objects.filter(lesson=lesson, name=name).first()
    if found is None:
        raise NotFound
    response = FileResponse(
        found.file.open("rb"), as_attachment=not found.media_type, filename=found.name,
        content_type=found.media_type or "application/octet-stream",
    )  # fmt: skip
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=3600"  # a name never stands for other bytes
    return response


def files_of(lesson: Lesson) -> str:
    """Return the address below which a lesson's files lie."""
    return reverse("content:file", args=[lesson.pk, "x"]).removesuffix("x")


def _other(request: SignedInRequest, lesson: Lesson, number: int) -> int:
    """The version to compare with: `?with=`, or the one before; 0 where there is none."""
    asked = request.GET.get("with", "")
    if asked.isdecimal() and len(asked) < 9:
        return int(asked)
    before = lesson.versions.filter(number__lt=number).order_by("-number").values_list("number", flat=True).first()
    return before or 0
