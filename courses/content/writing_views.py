"""Writing lessons: the editor with its preview, drafts, files, and what another wrote meanwhile."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from campus.core.errors import CampusError, Conflict, TooLarge
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.catalog.api import form_page

from .access import get_lesson_to_edit, get_module_to_edit
from .domain.diff import compare
from .domain.files import MOST_BYTES, markdown_for
from .domain.markdown import render as render_markdown
from .filing import add_file
from .forms import LessonForm
from .models import Lesson
from .versions_views import files_of
from .writing import change_lesson, newest_version, open_lesson

MAX_PREVIEW = 200_000


@require_http_methods(["GET", "POST"])
def new_lesson(request: SignedInRequest, module_id: int) -> HttpResponse:
    """Write a new lesson."""
    module, access = get_module_to_edit(request.user, module_id)

    def save(fields: dict[str, Any]) -> str:
        fields.pop("seen")
        return reverse("content:lesson", args=[open_lesson(module_id=module_id, actor=request.user, **fields).pk])

    back = reverse("catalog:run", args=[access.run.slug])
    form = LessonForm(request.POST or None)
    return form_page(
        request, form, save, title=_("Add a lesson"), back=back, hint=module.title, template="content/lesson_form.html",
        **_drawn(form, None),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def edit_lesson(request: SignedInRequest, lesson_id: int) -> HttpResponse:
    """Change a lesson: save it for learners or as a draft, or add files and go on writing."""
    shown, _access = get_lesson_to_edit(request.user, lesson_id)
    back = reverse("content:lesson", args=[lesson_id])
    is_draft = "draft" in request.POST
    theirs: dict[str, Any] = {}

    def save(fields: dict[str, Any]) -> str:
        seen = fields.pop("seen")
        try:
            change_lesson(lesson_id=lesson_id, fields=fields, actor=request.user, seen=seen, is_draft=is_draft)
        except Conflict as error:  # now they know: saving again is meant
            _show_theirs(theirs, form, shown, error)
            raise
        return back

    if request.method == "POST" and "upload" in request.POST:
        return _with_files(request, shown, back)
    form = LessonForm(request.POST or None, instance=shown)
    done = _("Saved as a draft. Learners go on reading the version before.") if is_draft else ""
    return form_page(
        request, form, save, title=_("Change the lesson"), back=back, hint=shown.module.title, done=done,
        template="content/lesson_form.html", conflict=theirs, **_drawn(form, shown),
    )  # fmt: skip


@require_POST
def preview(request: SignedInRequest) -> HttpResponse:
    """Return the HTML of a text that is being written. What anyone may send themselves harms nobody."""
    text = request.POST.get("body") or request.POST.get("brief", "")
    if len(text) > MAX_PREVIEW:
        raise TooLarge
    lesson = request.GET.get("lesson", "")
    files = reverse("content:file", args=[int(lesson), "x"])[:-1] if lesson.isdecimal() and len(lesson) < 18 else ""
    html = mark_safe(render_markdown(text, files=files))  # noqa: S308 - sanitised by an allow-list
    return render(request, "content/_preview.html", {"html": html})


def _show_theirs(context: dict[str, Any], form: LessonForm, lesson: Lesson, error: Conflict) -> None:
    """Put beside the form what the other wrote, and how the text in the form differs from it."""
    lesson.refresh_from_db()
    newest = newest_version(lesson)
    form.data = form.data.copy()  # type: ignore[attr-defined]
    form.data["seen"] = str(error.facts["version"])  # type: ignore[index]
    context |= {"theirs": newest, "lines": compare(newest.body, form.cleaned_data["body"])}


def _with_files(request: SignedInRequest, lesson: Lesson, back: str) -> HttpResponse:
    """Keep the files that were sent, name them at the end of the text as it was typed, and go on writing."""
    typed = request.POST.copy()
    form = LessonForm(typed, instance=lesson)
    form.is_valid()
    body = typed.get("body", "")
    try:
        made = [add_file(lesson_id=lesson.pk, upload=one, actor=request.user) for one in request.FILES.getlist("files")]
    except CampusError as error:
        add_service_error(form, error)
    else:
        named = [line for one in made if (line := markdown_for(one.name, one.media_type)) not in body]
        typed["body"] = "\n\n".join([body.rstrip(), *named]).lstrip() + ("\n" if named else "")
    context: dict[str, Any] = {"title": _("Change the lesson"), "back": back, "hint": lesson.module.title}
    context |= {"form": form, **_drawn(form, lesson)}
    return render(request, "content/lesson_form.html", context, status=400 if form.errors else 200)


def _drawn(form: LessonForm, lesson: Lesson | None) -> dict[str, Any]:
    """What the editor shows beside the form: the text as readers will see it, and the lesson's files."""
    body, files = form["body"].value() or "", files_of(lesson) if lesson else ""
    return {
        "lesson": lesson,
        "files": [(one, markdown_for(one.name, one.media_type)) for one in lesson.files.all()] if lesson else [],
        "html": mark_safe(render_markdown(body[:MAX_PREVIEW], files=files)),  # noqa: S308 - sanitised by an allow-list
        "max_bytes": MOST_BYTES,
    }
