"""A run's gradebook as values: loaded in a fixed number of queries, computed without any."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from courses.catalog.models import CourseRun, Enrolment

from .domain import computing
from .domain.computing import Grade, Policy
from .domain.marks import PENDING, Mark, State
from .domain.schemes import Band, band_of
from .models import Cell, FinalOverride, Gradebook, GradeCategory, GradeItem
from .sources import Key, Sourced, sourced


class Shown(NamedTuple):
    """A cell as the grid shows it. `is_override`: entered by hand over a mark that has a source of its own."""

    mark: Mark
    version: int = 0
    is_override: bool = False
    is_draft: bool = False


EMPTY = Shown(PENDING)


class Written(NamedTuple):
    """A cell that somebody wrote: a row, because thousands of model instances take longer than all else."""

    state: str
    points: Decimal | None
    version: int
    reason: str


@dataclass
class Book:
    """All of a run's gradebook that some reader may see; `rows` are the learners of the reader's cohorts."""

    run: CourseRun
    settings: Gradebook
    categories: list[GradeCategory]
    items: list[GradeItem]
    rows: list[Enrolment]
    cells: Mapping[Key, Written] = field(repr=False)
    sourced: Mapping[Key, Sourced] = field(repr=False)
    overrides: Mapping[int, FinalOverride] = field(repr=False)
    _lines: dict[int, list[Shown]] = field(default_factory=dict, repr=False)

    @cached_property
    def policy(self) -> Policy:
        return Policy(
            missing_is_zero=self.settings.missing_is_zero, cap=self.settings.cap, decimals=self.settings.decimals
        )

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        return tuple(Band(name, Decimal(least)) for name, least in self.settings.bands)

    @cached_property
    def domain_categories(self) -> list[computing.Category]:
        return [
            computing.Category(one.pk, one.weight, one.drop_lowest, "EQUAL" if one.weighting == "EQUAL" else "POINTS")
            for one in self.categories
        ]

    @cached_property
    def domain_items(self) -> list[computing.Item]:
        return [computing.Item(one.pk, one.category_id, one.out_of, one.is_bonus) for one in self.items]

    def shown(self, item: GradeItem, enrolment_id: int) -> Shown:
        """Return a cell as staff see it: drafts too."""
        key = (item.pk, enrolment_id)
        cell = self.cells.get(key)
        source = self.sourced.get(key)
        if cell is not None and cell.state != Cell.State.PENDING:
            return Shown(mark_of(cell), cell.version, item.kind != GradeItem.Kind.MANUAL)
        version = cell.version if cell else 0
        if source is not None:
            return Shown(source.mark, version, is_draft=source.is_draft)
        return Shown(PENDING, version) if version else EMPTY

    def line(self, enrolment_id: int) -> list[Shown]:
        """Return a learner's cells as staff see them, in the order of `items`."""
        found = self._lines.get(enrolment_id)
        if found is None:
            found = self._lines[enrolment_id] = [self.shown(item, enrolment_id) for item in self.items]
        return found

    def marks(self, enrolment_id: int, *, for_learner: bool = False) -> dict[int, Mark]:
        """Return marks by item. For the learner: only what is published, no drafts."""
        found = {}
        for item, shown in zip(self.items, self.line(enrolment_id), strict=True):
            hidden = for_learner and (not item.is_published or shown.is_draft)
            if not hidden and shown.mark.state is not State.PENDING:
                found[item.pk] = shown.mark
        return found

    def grade(self, enrolment_id: int, *, for_learner: bool = False) -> Grade:
        """Compute a learner's grade so far."""
        marks = self.marks(enrolment_id, for_learner=for_learner)
        return computing.compute(self.domain_categories, self.domain_items, marks, self.policy)

    def bounds(self, enrolment_id: int) -> tuple[Decimal | None, Decimal | None]:
        """Say the least and the most percent that is still possible, from what the learner may see."""
        marks = self.marks(enrolment_id, for_learner=True)
        return computing.bounds(self.domain_categories, self.domain_items, marks, self.policy)

    def final(self, enrolment_id: int, grade: Grade) -> tuple[Decimal | None, str]:
        """Return percent and band with the override, if there is one."""
        override = self.overrides.get(enrolment_id)
        percent = override.percent if override else grade.percent
        return percent, band_of(percent, self.bands)


def mark_of(cell: Cell | Written) -> Mark:
    """Return what a cell says as a value."""
    return Mark(State(cell.state), cell.points)


def book_of(
    run: CourseRun, *, cohort_ids: Collection[int] | None = None, enrolment_id: int | None = None,
    among: Collection[int] | None = None,
) -> Book:  # fmt: skip
    """Load a gradebook: four queries and those of the sources, whatever its size (one more without `run.gradebook`).

    `cohort_ids`: of these cohorts alone, without who withdrew, and `among` these enrolments where they are given;
    `enrolment_id`: of one learner, and only then with why its marks are what they are.
    """
    settings = run.gradebook if hasattr(run, "gradebook") else Gradebook(run=run)
    categories = list(GradeCategory.objects.filter(run=run))
    items = list(GradeItem.objects.filter(category__run=run).select_related("category", "assignment__module"))
    rows = Enrolment.objects.filter(run=run).select_related("user", "cohort", "final_override")
    withdrawn = Enrolment.State.WITHDRAWN
    rows = rows.exclude(state=withdrawn) if enrolment_id is None else rows.filter(pk=enrolment_id)
    if cohort_ids is not None:
        rows = rows.filter(cohort_id__in=cohort_ids)
    if among is not None:
        rows = rows.filter(pk__in=among)
    found = list(rows.order_by("cohort__name", "cohort_id", "user__name", "pk"))
    wanted, fields = {row.pk for row in found}, ("item_id", "enrolment_id", *Written._fields)
    cells = Cell.objects.filter(item__category__run=run)
    if enrolment_id is not None:
        cells = cells.filter(enrolment_id=enrolment_id)
    elif among is not None:
        cells = cells.filter(enrolment_id__in=wanted)
    return Book(
        run=run,
        settings=settings,
        categories=categories,
        items=items,
        rows=found,
        cells={(item, row): Written(*rest) for item, row, *rest in cells.values_list(*fields) if row in wanted},
        sourced=sourced(run.pk, found, items, is_explained=enrolment_id is not None),
        overrides={row.pk: row.final_override for row in found if hasattr(row, "final_override")},
    )
