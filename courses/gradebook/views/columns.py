"""Setting the gradebook up: scheme, categories, items."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, NotFound
from campus.people.requests import SignedInRequest
from courses.catalog.api import form_page
from courses.gradebook.access import get_book_for, get_book_to_edit
from courses.gradebook.books import book_of
from courses.gradebook.forms import CategoryForm, ItemForm, SchemeForm
from courses.gradebook.models import Gradebook, GradeCategory, GradeItem
from courses.gradebook.services import (
    delete_category,
    delete_item,
    publish_item,
    save_category,
    save_item,
    set_scheme,
)


@require_GET
def setup(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show how the run is graded."""
    access = get_book_for(request.user, slug)
    book = book_of(access.run, cohort_ids=())
    parts = [(one, [item for item in book.items if item.category_id == one.pk]) for one in book.categories]
    total = sum(one.weight for one in book.categories)
    context = {"run": access.run, "access": access, "book": book, "parts": parts, "total": total}
    return render(request, "gradebook/setup.html", context)


@require_http_methods(["GET", "POST"])
def scheme(request: SignedInRequest, slug: str) -> HttpResponse:
    """Change rounding, cap, what missing counts as, and the grades' names."""
    access = get_book_to_edit(request.user, slug)
    book = Gradebook.objects.filter(run=access.run).first() or Gradebook(run=access.run)

    def save(fields: dict[str, Any]) -> str:
        set_scheme(run=access.run, fields=fields, actor=request.user)
        return back

    back = reverse("gradebook:setup", args=[slug])
    return form_page(
        request, SchemeForm(request.POST or None, instance=book), save, title=pgettext("scheme", "Grading"), back=back
    )


@require_http_methods(["GET", "POST"])
def category(request: SignedInRequest, slug: str, pk: int | None = None) -> HttpResponse:
    """Add or change a category."""
    access = get_book_to_edit(request.user, slug)
    shown = _found(GradeCategory.objects.filter(run=access.run), pk)

    def save(fields: dict[str, Any]) -> str:
        save_category(run=access.run, fields=fields, category_id=pk, actor=request.user)
        return back

    back = reverse("gradebook:setup", args=[slug])
    title = _("Change the category") if pk else _("Add a category")
    return form_page(request, CategoryForm(request.POST or None, instance=shown), save, title=title, back=back)


@require_http_methods(["GET", "POST"])
def item(request: SignedInRequest, slug: str, pk: int | None = None) -> HttpResponse:
    """Add or change an item."""
    access = get_book_to_edit(request.user, slug)
    shown = _found(GradeItem.objects.filter(category__run=access.run), pk)

    def save(fields: dict[str, Any]) -> str:
        save_item(run=access.run, fields=fields, item_id=pk, actor=request.user)
        return back

    back = reverse("gradebook:setup", args=[slug])
    title = _("Change the item") if pk else _("Add an item")
    form = ItemForm(request.POST or None, instance=shown, run=access.run)
    return form_page(request, form, save, title=title, back=back)


@require_POST
def publish(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """Show an item's marks to learners, or hide them."""
    access = get_book_to_edit(request.user, slug)
    shown = publish_item(
        run=access.run, item_id=pk, is_published=request.POST.get("publish") == "1", actor=request.user
    )
    words = _("Learners see “%(item)s” now.") if shown.is_published else _("“%(item)s” is hidden from learners now.")
    messages.success(request, words % {"item": shown.title})
    return redirect("gradebook:setup", slug)


@require_POST
def remove_item(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """Delete an item in which nobody entered anything."""
    access = get_book_to_edit(request.user, slug)
    return _removed(request, slug, lambda: delete_item(run=access.run, item_id=pk, actor=request.user))


@require_POST
def remove_category(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """Delete an empty category."""
    access = get_book_to_edit(request.user, slug)
    return _removed(request, slug, lambda: delete_category(run=access.run, category_id=pk, actor=request.user))


def _removed(request: SignedInRequest, slug: str, remove: Any) -> HttpResponse:
    try:
        remove()
    except NotFound:
        raise
    except CampusError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Deleted."))
    return redirect("gradebook:setup", slug)


def _found(rows: Any, pk: int | None) -> Any:
    if pk is None:
        return None
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found
