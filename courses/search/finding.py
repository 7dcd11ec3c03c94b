"""Answering a question: ranked, with what to mark, and how many of each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, Count, ExpressionWrapper, F, FloatField, Q, QuerySet, Value, When
from django.db.models.functions import StrIndex

from campus.people.api import Standing

from .domain.words import Marked, Term, excerpt, fold, mark, needed, numbers, terms_of, tidy
from .models import Document
from .readers import may_find
from .sources import Source, sources

PAGE = 20
MOST_PAGES = 50
FEW = 300  # so many bodies are read to rank them; of more, titles decide


@dataclass(frozen=True)
class Hit:
    """Something that answers. `title` and `snippet` are parts, each with whether it was asked for."""

    source: Source
    title: Marked
    snippet: Marked
    url: str
    course: str  # empty for what belongs to no course, as is `term`
    term: str
    at: datetime | None


@dataclass(frozen=True)
class KindCount:
    source: Source
    count: int


@dataclass(frozen=True)
class Answer:
    """A page of hits. `counts` are of all kinds, whichever was chosen."""

    terms: tuple[Term, ...]
    hits: tuple[Hit, ...] = ()
    counts: tuple[KindCount, ...] = ()
    total: int = 0
    page: int = 1

    @property
    def pages(self) -> int:
        return min(MOST_PAGES, -(-self.total // PAGE))


def find(*, standing: Standing, question: str, kind: str = "", page: int = 1) -> Answer:
    """Answer a question with what this person may see.

    Five queries beside the standing's; ten where a module needs another.
    """
    terms = terms_of(question)
    known = {source.kind: source for source in sources()}
    if not terms:
        return Answer(())
    rows = Document.objects.filter(may_find(standing), kind__in=known, grams__contains=numbers(needed(terms)))
    with transaction.atomic():
        _use_the_index()
        counted = dict(rows.order_by().values_list("kind").annotate(n=Count("pk")))
        total = counted.get(kind, 0) if kind in known else sum(counted.values())
        page = min(max(page, 1), max(1, min(MOST_PAGES, -(-total // PAGE))))
        if kind in known:
            rows = rows.filter(kind=kind)
        best = _ranked(rows, terms, question, reads_bodies=total <= FEW)[(page - 1) * PAGE : page * PAGE]
        shown = _read(list(best)) if total else []
    counts = tuple(KindCount(one, counted.get(one.kind, 0)) for one in sources())
    return Answer(terms, tuple(_hit(one, known[one.kind], terms) for one in shown), counts, total, page)


def _use_the_index() -> None:
    """The planner does not know that looking at a row's grams means fetching them from elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def _ranked(
    rows: QuerySet[Document], terms: Sequence[Term], question: str, *, reads_bodies: bool
) -> QuerySet[Document, int]:
    """Order ids: titles first, the word as it was typed before its stem; among few, an early place before a late one.

    Ids alone, since thousands may answer and texts and courses are wanted of a page's only.
    """
    whole = fold(tidy(question))
    score: Any = _if(Q(title_folded=whole), 20) + _if(Q(title_folded__startswith=whole), 6)
    for number, term in enumerate(terms):
        score += _if(Q(title_folded__contains=term.stem), 8)
        if term.full != term.stem:
            score += _if(Q(title_folded__contains=term.full), 2)
        if reads_bodies:
            rows = rows.alias(**{f"place_{number}": StrIndex("body_folded", Value(term.stem))})
            place = F(f"place_{number}")
            early = ExpressionWrapper(Value(3.0) / (Value(1.0) + place / Value(400.0)), output_field=FloatField())
            score += Case(When(**{f"place_{number}__gt": 0}, then=early), default=Value(0.0))
    best = rows.alias(score=score).order_by("-score", F("at").desc(nulls_last=True), "-pk")
    return best.values_list("pk", flat=True)


def _read(ids: Sequence[int]) -> list[Document]:
    """Read a page's documents, in the order of `ids`."""
    rows = Document.objects.select_related("run__course", "run__term")
    found = rows.defer("body_folded", "title_folded", "grams").in_bulk(ids)
    return [found[pk] for pk in ids]


def _if(condition: Q, points: float) -> Case:
    return Case(When(condition, then=Value(float(points))), default=Value(0.0), output_field=FloatField())


def _hit(row: Document, source: Source, terms: Sequence[Term]) -> Hit:
    run, text = row.run, excerpt(row.body, terms)
    course, term = (run.course.name, run.term.name) if run is not None else ("", "")
    return Hit(source, mark(row.title, terms), mark(text, terms), row.url, course, term, row.at)
