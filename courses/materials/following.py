"""How far the learners of one's cohorts are with every material of a run: the table and its export."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from campus.core.fragments import fragment
from campus.core.templatetags.ui import icon
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


def rows_html(table: Table) -> SafeString:
    """Return the rows of the table as its page shows them."""
    written = (
        _row_html(
            row.enrolment.pk, row.enrolment.user.name, row.enrolment.cohort.name,
            tuple((cell.material.pk, cell.is_video, cell.is_done, cell.percent) for cell in row.cells),
        )
        for row in table.rows
    )  # fmt: skip
    return mark_safe("".join(written))  # noqa: S308 - each is a fragment


#: Of each material its id, whether it is a video, whether it is done, and the percent that counted.
_Cells = tuple[tuple[int, bool, bool, int], ...]


@fragment(most=640)
def _row_html(enrolment_id: int, name: str, cohort: str, cells: _Cells) -> SafeString:
    # Once a row: a route takes longer than the rest of a cell.
    before, after = reverse("materials:learner", args=[0, enrolment_id]).split("0", 1)
    done = icon("circle-check", label=_("Done"), size="sm")
    opened = icon("circle-check", label=pgettext("material", "Opened"), size="sm")
    unopened = format_html('<span class="muted" aria-label="{}" role="img">–</span>', _("Not opened"))

    def cell(material_id: int, is_video: bool, is_done: bool, percent: int) -> str:
        # Markup of ours around whole numbers.
        if not is_video:
            return f'<td class="num">{opened if is_done else unopened}</td>'
        shown = f"{done} {percent}%" if is_done else f"{percent}%"
        return f'<td class="num"><a href="{before}{material_id}{after}">{shown}</a></td>'

    return format_html(
        '<tr><th scope="row">{} <span class="muted small">{}</span></th><td class="num">{}/{}</td>{}</tr>',
        name, cohort, sum(is_done for _id, _video, is_done, _percent in cells), len(cells),
        mark_safe("".join(cell(*one) for one in cells)),  # noqa: S308 - see cell
    )  # fmt: skip
