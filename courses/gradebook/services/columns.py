"""How a run is graded: its scheme, categories and items. Every change is audited; marks are kept apart from it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.people.models import User
from courses.assignments.models import Assignment
from courses.catalog.api import save_changes, save_new
from courses.catalog.models import CourseRun
from courses.gradebook.domain.schemes import Band, bands_wrong
from courses.gradebook.models import Cell, Gradebook, GradeCategory, GradeItem
from courses.gradebook.notices import tell_learners_of_item

MOST_CATEGORIES, MOST_ITEMS = 30, 120


@transaction.atomic
def set_scheme(*, run: CourseRun, fields: Mapping[str, Any], actor: User | None) -> Gradebook:
    """Set decimals, cap, what missing counts as, and `bands` (pairs, best first). Raises InvalidInput."""
    book, _made = Gradebook.objects.select_for_update(of=("self",)).get_or_create(run=run)
    if "bands" in fields:
        bands = tuple(Band(str(name), Decimal(least)) for name, least in fields["bands"])
        words = {
            "no_floor": _("The last band must begin at 0, so that every grade has one."),
            "order": _("Write the best band first, each with a lower percentage than the one above it."),
            "twice": _("Two bands have the same name."),
        }
        wrong = bands_wrong(bands) if bands else None
        if wrong:
            raise InvalidInput({"bands": words[wrong]})
        fields = dict(fields) | {"bands": [[band.name, str(band.least)] for band in bands]}
    save_changes(book, fields, actor=actor, scope_path=())
    return book


@transaction.atomic
def save_category(
    *, run: CourseRun, fields: Mapping[str, Any], category_id: int | None, actor: User | None
) -> GradeCategory:
    """Add a category at the end, or change one. Raises NotFound, InvalidInput, Conflict (too many)."""
    if category_id is not None:
        category = GradeCategory.objects.select_for_update(of=("self",)).filter(pk=category_id, run=run).first()
        if category is None:
            raise NotFound
        save_changes(category, fields, actor=actor)
        return category
    CourseRun.objects.select_for_update(of=("self",), no_key=True).get(pk=run.pk)
    found = GradeCategory.objects.filter(run=run).aggregate(last=Max("position"))["last"] or 0
    if GradeCategory.objects.filter(run=run).count() >= MOST_CATEGORIES:
        raise Conflict(_("A gradebook has at most %(most)d categories.") % {"most": MOST_CATEGORIES})
    category = GradeCategory(run=run, position=found + 1, **fields)
    save_new(category, actor=actor)
    return category


@transaction.atomic
def save_item(*, run: CourseRun, fields: Mapping[str, Any], item_id: int | None, actor: User | None) -> GradeItem:
    """Add an item at the end of its category, or change one; its marks stay. Raises NotFound, InvalidInput,
    Conflict (too many)."""
    fields = dict(fields)
    category = fields.get("category")
    if category is not None and category.run_id != run.pk:
        raise InvalidInput({"category": _("That category is of another course.")})
    assignment: Assignment | None = fields.get("assignment")
    if assignment is not None and assignment.module.run_id != run.pk:
        raise InvalidInput({"assignment": _("That assignment is of another course.")})
    if item_id is not None:
        item = GradeItem.objects.select_for_update(of=("self",)).filter(pk=item_id, category__run=run).first()
        if item is None:
            raise NotFound
        save_changes(item, fields, actor=actor)
        return item
    CourseRun.objects.select_for_update(of=("self",), no_key=True).get(pk=run.pk)
    if GradeItem.objects.filter(category__run=run).count() >= MOST_ITEMS:
        raise Conflict(_("A gradebook has at most %(most)d items.") % {"most": MOST_ITEMS})
    last = GradeItem.objects.filter(category=category).aggregate(last=Max("position"))["last"] or 0
    item = GradeItem(position=last + 1, **fields)
    save_new(item, actor=actor)
    return item


@transaction.atomic
def delete_item(*, run: CourseRun, item_id: int, actor: User) -> None:
    """Delete an item in which nobody entered anything. Raises NotFound, Conflict (with what to do instead)."""
    item = GradeItem.objects.select_for_update(of=("self",)).filter(pk=item_id, category__run=run).first()
    if item is None:
        raise NotFound
    if Cell.objects.filter(item=item).exists():
        raise Conflict(
            _("“%(item)s” has marks, which are kept. Hide it from learners, or give its category no weight.")
            % {"item": item.title}
        )
    audit.record(actor=actor, verb="gradeitem.deleted", target=item)
    item.delete()


@transaction.atomic
def delete_category(*, run: CourseRun, category_id: int, actor: User) -> None:
    """Delete an empty category. Raises NotFound, Conflict."""
    category = GradeCategory.objects.select_for_update(of=("self",)).filter(pk=category_id, run=run).first()
    if category is None:
        raise NotFound
    if category.items.exists():
        raise Conflict(_("“%(name)s” has items. Move or delete them first.") % {"name": category.name})
    audit.record(actor=actor, verb="gradecategory.deleted", target=category)
    category.delete()


@transaction.atomic
def publish_item(*, run: CourseRun, item_id: int, is_published: bool, actor: User) -> GradeItem:
    """Show an item's marks to learners, or hide them again. Raises NotFound.

    Who has a mark that was entered here is told; of those that are graded elsewhere learners heard there.
    """
    was_shown = GradeItem.objects.filter(pk=item_id, is_published=True).exists()
    item = save_item(run=run, fields={"is_published": is_published}, item_id=item_id, actor=actor)
    if is_published and not was_shown and run.is_published and item.kind == GradeItem.Kind.MANUAL:
        tell_learners_of_item(item)
    return item
