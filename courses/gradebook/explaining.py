"""Why this grade: the computation as lines that a learner can follow with a pencil."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from .books import Book
from .domain.computing import CategoryGrade, Grade, rounded
from .domain.marks import PENDING, Mark, State, text_of
from .models import GradeCategory, GradeItem


@dataclass(frozen=True)
class ItemLine:
    """An item of one learner. `effect`: COUNTED, DROPPED, EXCUSED, MISSING, BONUS or PENDING."""

    item: GradeItem
    mark: Mark
    effect: str
    is_override: bool = False
    is_draft: bool = False
    reason: str = ""
    why: tuple[tuple[str, str, str], ...] = ()
    version: int = 0

    @property
    def text(self) -> str:
        return text_of(self.mark)

    @property
    def percent(self) -> Decimal | None:
        """How much of the item's points was got, for a bar; None without points."""
        return None if self.mark.points is None else min(self.mark.points / self.item.out_of * 100, Decimal(100))


@dataclass(frozen=True)
class CategoryLine:
    category: GradeCategory
    grade: CategoryGrade
    items: tuple[ItemLine, ...]

    @property
    def percent(self) -> Decimal | None:
        return None if self.grade.ratio is None else rounded(self.grade.ratio * 100, 2)

    @property
    def adds(self) -> Decimal | None:
        """Percent that it brings to the whole."""
        return None if self.grade.ratio is None else rounded(self.grade.ratio * Fraction(self.grade.share), 2)


@dataclass(frozen=True)
class Why:
    """A learner's grade and all that it came from."""

    grade: Grade
    percent: Decimal | None
    band: str
    override_reason: str
    categories: tuple[CategoryLine, ...]
    least: Decimal | None = None
    most: Decimal | None = None
    hidden_count: int = field(default=0)


def why(book: Book, enrolment_id: int, *, for_learner: bool) -> Why:
    """Explain a learner's grade: to the learner by what is published alone."""
    grade = book.grade(enrolment_id, for_learner=for_learner)
    percent, band = book.final(enrolment_id, grade)
    override = book.overrides.get(enrolment_id)
    lines = tuple(
        CategoryLine(category, part, tuple(_items(book, category, part, enrolment_id, for_learner)))
        for category, part in zip(book.categories, grade.categories, strict=True)
    )
    least, most = book.bounds(enrolment_id)
    hidden = sum(1 for item in book.items if for_learner and not item.is_published)
    return Why(grade, percent, band, override.reason if override else "", lines, least, most, hidden)


def _items(
    book: Book, category: GradeCategory, part: CategoryGrade, enrolment_id: int, for_learner: bool
) -> Iterable[ItemLine]:
    effects = dict.fromkeys(part.counted, "COUNTED") | dict.fromkeys(part.dropped, "DROPPED")
    effects |= dict.fromkeys(part.bonus, "BONUS") | dict.fromkeys(part.excused, "EXCUSED")
    effects |= dict.fromkeys(part.missing, "MISSING")
    for item in book.items:
        if item.category_id != category.pk:
            continue
        if for_learner and not item.is_published:
            continue
        shown = book.shown(item, enrolment_id)
        is_hidden_draft = for_learner and shown.is_draft
        source = book.sourced.get((item.pk, enrolment_id))
        cell = book.cells.get((item.pk, enrolment_id))
        yield ItemLine(
            item=item,
            mark=PENDING if is_hidden_draft else shown.mark,
            effect="PENDING"
            if is_hidden_draft or shown.mark.state is State.PENDING
            else effects.get(item.pk, "PENDING"),
            is_override=shown.is_override,
            is_draft=shown.is_draft and not for_learner,
            reason=cell.reason if cell and shown.is_override else "",
            why=source.why if source and not is_hidden_draft and not shown.is_override else (),
            version=shown.version,
        )
