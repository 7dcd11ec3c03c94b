"""Materials in a course's outline, as one reader sees them: registered with the catalogue, which draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from campus.core.compiled import AnyOf, Compiled, Given
from courses.catalog.api import RunAccess

from .domain.progress import Progress
from .models import Material
from .progress import of_materials


@dataclass(frozen=True)
class OutlineMaterial:
    """A material in its module; `progress` is the reader's, None for staff."""

    material: Material
    progress: Progress | None = None

    @property
    def percent(self) -> int:
        return int(self.progress.share * 100) if self.progress else 0

    @property
    def is_in_part(self) -> bool:
        """Whether a video was watched, but not to its end."""
        return self.progress is not None and self.progress.why == "WATCHED_PART"

    @property
    def is_done(self) -> bool:
        return self.progress is not None and self.progress.finished_at is not None


_MATERIALS = Compiled(
    lambda: (
        Material.objects.filter(module__run_id=Given("run_id"), is_published=AnyOf("shown"))
        .defer("description")
        .order_by("module_id", "position")
    )
)


def add_materials(access: RunAccess, modules: Sequence[Any]) -> None:
    """Put into each open module its materials with the reader's progress. Three queries at most."""
    shown = _MATERIALS.models(run_id=access.run.pk, shown=access.shown)
    parts = {part.module.pk: part for part in modules if not part.is_closed}
    found = [one for one in shown if one.module_id in parts]
    mine = access.enrolment
    known = of_materials(found, [mine.pk]) if mine is not None and found else {}
    for one in found:
        parts[one.module_id].materials.append(OutlineMaterial(one, known.get((mine.pk, one.pk)) if mine else None))
