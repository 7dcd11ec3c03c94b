"""How far learners are with the materials of their runs."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import FilteredRelation, Q

from campus.core.compiled import AnyOf, Compiled
from courses.catalog.models import Enrolment

from .domain.progress import Progress, of_reading, of_watching
from .models import Material, MaterialVersion, Opening


@dataclass(frozen=True)
class ProgressRow:
    """One learner and one published material: how much, since when it is finished, and why."""

    enrolment_id: int
    material: Material
    progress: Progress

    @property
    def module_id(self) -> int:
        return self.material.module_id


def progress_of(enrolment_ids: Collection[int]) -> list[ProgressRow]:
    """Return a row for each learner and published material of their run, in the course's order. Four queries."""
    runs = dict(Enrolment.objects.filter(pk__in=enrolment_ids).values_list("pk", "run_id"))
    by_run: dict[int, list[Material]] = defaultdict(list)
    shown = Material.objects.filter(module__run_id__in=set(runs.values()), is_published=True, module__is_published=True)
    for material in shown.select_related("module").defer("description").order_by("module__position", "position"):
        by_run[material.module.run_id].append(material)
    wanted = [one for materials in by_run.values() for one in materials]
    known = of_materials(wanted, list(runs))
    return [
        ProgressRow(enrolment_id, material, known[enrolment_id, material.pk])
        for enrolment_id in enrolment_ids
        if enrolment_id in runs
        for material in by_run[runs[enrolment_id]]
    ]


_OPENED = Compiled(
    lambda: Opening.objects.filter(version__material_id=AnyOf("materials"), enrolment_id=AnyOf("learners")).values_list(
        "enrolment_id", "version__material_id", "at"
    )
)
_WATCHED = Compiled(
    lambda: (
        MaterialVersion.objects.filter(material_id=AnyOf("materials"))
        .annotate(theirs=FilteredRelation("credits", condition=Q(credits__enrolment_id=AnyOf("learners"))))
        .order_by()
        .values_list("material_id", "number", "theirs__enrolment_id", "theirs__percent", "theirs__finished_at")
    )
)


def of_materials(materials: Collection[Material], enrolment_ids: Collection[int]) -> dict[tuple[int, int], Progress]:
    """Return how far each learner is with each of these, by (enrolment, material). Two queries."""
    if not materials or not enrolment_ids:
        return {}
    theirs = {"materials": [one.pk for one in materials], "learners": list(enrolment_ids)}
    opened: dict[tuple[int, int], Any] = {}
    for enrolment_id, material_id, at in _OPENED.rows(**theirs):
        opened[enrolment_id, material_id] = min(at, opened.get((enrolment_id, material_id), at))
    newest: dict[int, int] = defaultdict(int)
    watched: dict[tuple[int, int], list[tuple[int, int, Any]]] = defaultdict(list)
    for material_id, number, enrolment_id, percent, finished_at in _WATCHED.rows(**theirs):
        newest[material_id] = max(newest[material_id], number)
        if enrolment_id is not None:
            watched[enrolment_id, material_id].append((number, percent, finished_at))
    found = {}
    for material in materials:
        for enrolment_id in enrolment_ids:
            key = enrolment_id, material.pk
            if material.kind == Material.Kind.VIDEO:
                found[key] = _watching(watched.get(key, []), newest.get(material.pk))
            else:
                found[key] = of_reading(opened.get(key))
    return found


def _watching(facts: list[tuple[int, int, Any]], newest: int | None) -> Progress:
    finished = [(at, number) for number, _percent, at in facts if at is not None]
    at = min((at for at, _number in finished), default=None)
    return of_watching(
        newest_percent=next((percent for number, percent, _at in facts if number == newest), 0),
        finished_at=at,
        finished_newest=any(number == newest for _at, number in finished),
    )
