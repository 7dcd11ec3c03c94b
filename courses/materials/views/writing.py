"""Writing materials: adding one, changing it, its captions and chapters, its place."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, InvalidInput, NotFound
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.catalog.api import RunAccess, form_page
from courses.content.api import back_to_order, get_module_to_edit, removal_page
from courses.materials.access import get_material_to_edit, newest_version
from courses.materials.domain import chapters as chapter_lines
from courses.materials.forms import CaptionForm, ChaptersForm, MaterialForm
from courses.materials.models import Material
from courses.materials.module_parts import material_parts
from courses.materials.services import authoring, wording


@require_GET
def choose(request: SignedInRequest, module_id: int) -> HttpResponse:
    """Ask what kind of material is to be added."""
    module, access = get_module_to_edit(request.user, module_id)
    return render(request, "materials/choose.html", {"module": module, "run": access.run})


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest, module_id: int, kind: str) -> HttpResponse:
    """Add a material with its first version."""
    module, access = get_module_to_edit(request.user, module_id)
    kind = kind.upper()
    if kind not in Material.Kind.values:
        raise NotFound
    form = MaterialForm(request.POST or None, request.FILES or None, kind=kind)

    def save(_fields: dict[str, Any]) -> str:
        content = form.content()
        if content is None:
            raise InvalidInput({"upload": _("Choose a file.")})
        made = authoring.open_material(
            module_id=module_id, kind=kind, content=content, actor=request.user, **form.facts()
        )
        return reverse("materials:edit" if kind == Material.Kind.VIDEO else "materials:material", args=[made.pk])

    titles = {"VIDEO": _("Add a video"), "FILE": _("Add a file"), "NOTEBOOK": _("Add a notebook")}
    back = reverse("catalog:run", args=[access.run.slug])
    return form_page(
        request, form, save, title=titles[kind], back=back, hint=module.title, template="materials/form.html",
        run=access.run,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, material_id: int) -> HttpResponse:
    """Change a material, or give it a new version."""
    material, access = get_material_to_edit(request.user, material_id)
    sent = request.method == "POST"
    form = MaterialForm(
        request.POST if sent else None, request.FILES if sent else None, instance=material, kind=material.kind
    )
    if sent and form.is_valid():
        try:
            authoring.save_material(
                material_id=material_id, fields=form.facts(), content=form.content(), actor=request.user,
                keep_words=bool(form.cleaned_data.get("keep_words")),
            )  # fmt: skip
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("materials:material", material_id)
    return _edit_page(request, material, access, form=form)


@require_POST
def captions(request: SignedInRequest, material_id: int) -> HttpResponse:
    """Set the captions in a language."""
    material, access = get_material_to_edit(request.user, material_id)
    form = CaptionForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            wording.save_captions(
                material_id=material_id, language=form.cleaned_data["language"], upload=form.cleaned_data["captions"],
                actor=request.user,
            )  # fmt: skip
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("The captions are in place."))
            return redirect(reverse("materials:edit", args=[material_id]) + "#captions")
    return _edit_page(request, material, access, caption_form=form)


@require_POST
def drop_captions(request: SignedInRequest, material_id: int, language: str) -> HttpResponse:
    """Take the captions in a language away."""
    get_material_to_edit(request.user, material_id)
    wording.remove_captions(material_id=material_id, language=language, actor=request.user)
    messages.success(request, _("The captions are removed."))
    return redirect(reverse("materials:edit", args=[material_id]) + "#captions")


@require_POST
def chapters(request: SignedInRequest, material_id: int) -> HttpResponse:
    """Set the chapters."""
    material, access = get_material_to_edit(request.user, material_id)
    form = ChaptersForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            wording.save_chapters(
                material_id=material_id, text=form.cleaned_data["chapters"], upload=form.cleaned_data["chapter_file"],
                actor=request.user,
            )  # fmt: skip
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("The chapters are saved."))
            return redirect(reverse("materials:edit", args=[material_id]) + "#chapters")
    return _edit_page(request, material, access, chapters_form=form)


@require_POST
def move(request: SignedInRequest, material_id: int) -> HttpResponse:
    """Move a material within its module."""
    _material, access = get_material_to_edit(request.user, material_id)
    return back_to_order(request, access, "material", material_id, authoring.move_material)


@require_http_methods(["GET", "POST"])
def remove(request: SignedInRequest, material_id: int) -> HttpResponse:
    """Ask, then delete a material, or hide it."""
    material, access = get_material_to_edit(request.user, material_id)
    return removal_page(
        request, access, material.title, material_parts(pk=material_id), is_hidden=not material.is_published,
        delete=lambda: authoring.delete_material(material_id=material_id, actor=request.user),
        hide=lambda: authoring.change_material(
            material_id=material_id, fields={"is_published": False}, actor=request.user
        ),
    )  # fmt: skip


def _edit_page(
    request: SignedInRequest, material: Material, access: RunAccess, *, form: MaterialForm | None = None,
    caption_form: forms.Form | None = None, chapters_form: forms.Form | None = None,
) -> HttpResponse:  # fmt: skip
    version = newest_version(material)
    is_video = material.kind == Material.Kind.VIDEO and version is not None
    marks = version.chapters.all() if version is not None and is_video else []
    lines = chapter_lines.write([chapter_lines.ChapterMark(one.at_ms, one.title) for one in marks])
    shown = [one for one in (form, caption_form, chapters_form) if one is not None]
    context = {
        "material": material,
        "run": access.run,
        "version": version,
        "versions": material.versions.select_related("uploader").defer("text"),
        "form": form or MaterialForm(instance=material, kind=material.kind),
        "tracks": version.captions.all() if version is not None and is_video else [],
        "caption_form": caption_form or CaptionForm(auto_id="caption_%s"),
        "chapters_form": chapters_form or ChaptersForm(initial={"chapters": lines}, auto_id="chapter_%s"),
        "is_video": is_video,
    }
    status = 400 if any(one.errors for one in shown) else 200
    return render(request, "materials/edit.html", context, status=status)
