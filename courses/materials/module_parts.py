"""What materials add to a module: who used them, for deleting it, and who finished them, for opening the next."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Count
from django.utils.translation import ngettext

from courses.content.api import Part, PartsDone

from .models import Material, Opening, WatchCredit


def parts_in_module(module_id: int, is_locked: bool) -> Sequence[Part]:
    """Return a module's materials with how many learners used each; locked, nobody new does until the end."""
    rows = Material.objects.filter(module_id=module_id)
    if is_locked:
        list(rows.select_for_update().order_by("pk"))
    return material_parts(module_id=module_id)


def material_parts(**which: int) -> list[Part]:
    """Return materials with how many learners opened or watched them. One query."""
    rows = (
        Material.objects.filter(**which)
        .order_by("position")
        .annotate(
            opened=Count("versions__openings__enrolment", distinct=True),
            watched=Count("versions__credits__enrolment", distinct=True),
        )
        .values_list("title", "opened", "watched")
    )
    words = ("%(n)d learner has used it", "%(n)d learners have used it")
    return [
        Part(title, ngettext(*words, n) % {"n": n} if (n := max(opened, watched)) else "")
        for title, opened, watched in rows
    ]


def materials_finished(enrolment_ids: Collection[int], module_ids: Collection[int]) -> PartsDone:
    """Return how many materials a module has published, and how many of them each learner finished. Three queries."""
    shown = Material.objects.filter(module_id__in=module_ids, is_published=True)
    totals = dict(shown.order_by().values_list("module_id").annotate(n=Count("pk")))
    of_these: dict[str, Any] = {
        "enrolment_id__in": enrolment_ids,
        "version__material__module_id__in": module_ids,
        "version__material__is_published": True,
    }
    columns = ("enrolment_id", "version__material__module_id", "version__material_id")
    finished = {
        *Opening.objects.filter(**of_these).values_list(*columns),
        *WatchCredit.objects.filter(**of_these, finished_at__isnull=False).values_list(*columns),
    }
    return totals, Counter((learner, module) for learner, module, _material in finished)
