"""How far the learners of one's cohorts are with every material of a run: the table and its export."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from courses.catalog.api import RunAccess
from courses.catalog.models import Enrolment

from .access import followed_by
from .domain.progress import Progress
from .models import Material
from .progress import of_materials


@dataclass(frozen=True)
class Cell:
    """One learner and one material."""

    material: Material
    progress: Progress

    @property
    def is_video(self) -> bool:
        return self.material.kind == Material.Kind.VIDEO

    @property
    def is_done(self) -> bool:
        return self.progress.finished_at is not None

    @property
    def percent(self) -> int:
        return int(self.progress.share * 100)


@dataclass(frozen=True)
class Row:
    """A learner with a cell for each material."""

    enrolment: Enrolment
    cells: tuple[Cell, ...]

    @property
    def finished(self) -> int:
        return sum(cell.is_done for cell in self.cells)


@dataclass(frozen=True)
class Table:
    materials: tuple[Material, ...]
    rows: tuple[Row, ...]


def table_of(access: RunAccess) -> Table:
    """Return the published materials and the learners of the cohorts that one teaches. Four queries."""
    shown = Material.objects.filter(module__run=access.run, is_published=True, module__is_published=True)
    materials = tuple(shown.select_related("module").defer("description").order_by("module__position", "position"))
    learners = list(followed_by(access))
    known = of_materials(materials, [one.pk for one in learners]) if materials and learners else {}
    return Table(
        materials, tuple(Row(one, tuple(Cell(each, known[one.pk, each.pk]) for each in materials)) for one in learners)
    )


def export_rows(table: Table) -> Iterator[list[object]]:
    """Return the table for a spreadsheet: two columns a material, percent and when it was finished."""
    heads = [
        title
        for one in table.materials
        for title in (f"{one.title} (%)", _("%(title)s: finished") % {"title": one.title})
    ]
    yield [_("Name"), _("E-mail"), _("Cohort"), *heads]
    for row in table.rows:
        cells: list[object] = []
        for cell in row.cells:
            at = timezone.localtime(cell.progress.finished_at) if cell.progress.finished_at else None
            cells += [cell.percent, f"{at:%Y-%m-%d %H:%M}" if at else ""]
        yield [row.enrolment.user.name, row.enrolment.user.email, row.enrolment.cohort.name, *cells]
