"""What a copied run takes over of its gradebook: scheme, categories and items, never a mark."""

from django.utils.translation import gettext_lazy as _

from campus.people.models import User
from courses.catalog.api import Copied, Copier, Line, Shift
from courses.catalog.models import CourseRun

from .models import Gradebook, GradeCategory, GradeItem


def lines(run: CourseRun, shift: Shift) -> list[Line]:
    """Return the categories with their items. Two queries."""
    items: dict[int, list[Line]] = {}
    for one in GradeItem.objects.filter(category__run=run):
        items.setdefault(one.category_id, []).append(Line(one.title, indent=1))
    found = []
    for category in GradeCategory.objects.filter(run=run).order_by("position", "id"):
        found += [Line(category.name, note=f"{category.weight.normalize():f}%"), *items.get(category.pk, [])]
    return found


def copy(source: CourseRun, target: CourseRun, shift: Shift, copied: Copied, actor: User | None) -> None:
    """Copy scheme, categories and items; an assignment's item only with its assignment. Six queries."""
    for book in Gradebook.objects.filter(run=source):
        Gradebook.objects.create(
            run=target, bands=book.bands, decimals=book.decimals, missing_is_zero=book.missing_is_zero, cap=book.cap
        )
    categories = list(GradeCategory.objects.filter(run=source).order_by("pk"))
    names = ("position", "name", "weight", "drop_lowest", "weighting")
    made = GradeCategory.objects.bulk_create(
        GradeCategory(run=target, **{name: getattr(one, name) for name in names}) for one in categories
    )
    ids = {old.pk: new.pk for old, new in zip(categories, made, strict=True)}
    assignments = copied.of("assignment")
    fields = ("position", "kind", "title", "out_of", "is_bonus", "is_published")
    GradeItem.objects.bulk_create(
        GradeItem(
            category_id=ids[one.category_id],
            assignment_id=assignments[one.assignment_id] if one.assignment_id else None,
            **{name: getattr(one, name) for name in fields},
        )
        for one in GradeItem.objects.filter(category__run=source).order_by("pk")
        if one.assignment_id is None or one.assignment_id in assignments
    )


COPIER = Copier("gradebook", _("Gradebook: scheme, categories and items"), lines, copy, order=40)
