"""Queries that are compiled once a process and asked often, with other values each time.

Writing the SQL of a query set costs the ORM ten times what sending it costs, and is the same text each time. For the
reads of every job, every cycle, every request and the pages that everybody opens; everything else asks its query set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import BigIntegerField, Count, QuerySet, Value, prefetch_related_objects
from django.db.models.query import ModelIterable, get_related_populators

#: What a list of ids is given as to the lookups of an array: `path__overlap=Given("ids", IDS)`.
IDS: ArrayField[Any, Any] = ArrayField(BigIntegerField())


class Given(Value):
    """Stands for a value that is given when the query is asked, by name."""

    def __init__(self, name: str, output_field: Any = None) -> None:
        super().__init__(None, output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """A parameter whose value is this very object until the query is asked."""
        return "%s", [self]


class AnyOf(Given):
    """Stands for any value of a list that is given: `filter(pk=AnyOf("ids"))`."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """As PostgreSQL takes a list: one parameter, however long."""
        return "ANY(%s)", [self]


@dataclass(frozen=True, slots=True)
class _Text:
    """A compiled query: SQL, its parameters, and how rows become what the query set would give."""

    sql: str
    parameters: Sequence[Any]
    converters: Sequence[tuple[int, Sequence[Callable[..., Any]], Any]]
    build: Callable[[Sequence[Any]], Any] | None
    prefetches: Sequence[Any] = ()


def number_of(found: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """How many there are, as a query set of one row: `Compiled(lambda: number_of(waiting())).value()`."""
    every = found.order_by().annotate(_all=Value(1)).values("_all")
    return every.annotate(_number=Count("pk")).values_list("_number")


class Compiled:
    """A query set of which everything but the values of its `Given` parameters is always the same."""

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        self._make = make
        self._text: _Text | None = None

    def rows(self, **given: Any) -> list[tuple[Any, ...]]:
        """Ask a `values_list`. One query."""
        return [tuple(row) for row in self._ask(given)]

    def row(self, **given: Any) -> tuple[Any, ...] | None:
        """The first row, or None. One query."""
        return next((tuple(row) for row in self._ask(given)), None)

    def value(self, **given: Any) -> Any:
        """The first value of the first row, None where there is none. One query."""
        row = self.row(**given)
        return row and row[0]

    def models(self, **given: Any) -> list[Any]:
        """Ask for model instances, with those of `select_related` and annotations. One query beside the prefetches."""
        rows = list(self._ask(given))
        assert self._text is not None  # noqa: S101  (it was asked)
        if self._text.build is None:
            raise TypeError("this query set gives values, not models")
        found = [self._text.build(row) for row in rows]
        if self._text.prefetches:
            prefetch_related_objects(found, *self._text.prefetches)
        return found

    def model(self, **given: Any) -> Any | None:
        """The first instance, or None. One query."""
        return next(iter(self.models(**given)), None)

    def _ask(self, given: dict[str, Any]) -> Iterator[Sequence[Any]]:
        text = self._text = self._text or _compile(self._make())
        values = [given[one.name] if isinstance(one, Given) else one for one in text.parameters]
        with connection.cursor() as cursor:
            cursor.execute(text.sql, values)
            rows = cursor.fetchall()
        return (_converted(row, text.converters) for row in rows) if text.converters else iter(rows)


def _converted(row: Sequence[Any], converters: Sequence[tuple[int, Sequence[Any], Any]]) -> Sequence[Any]:
    changed = list(row)
    for place, convert, expression in converters:
        for one in convert:
            changed[place] = one(changed[place], expression, connection)
    return changed


def _compile(asked: QuerySet[Any, Any]) -> _Text:
    compiler = asked.query.get_compiler(DEFAULT_DB_ALIAS)
    sql, parameters = compiler.as_sql()
    chosen = [entry[0] for entry in compiler.select[: compiler.col_count]]
    found = compiler.get_converters(chosen)
    converters = [(place, convert, expression) for place, (convert, expression) in found.items()]
    gives_models = asked._iterable_class is ModelIterable
    build = _builder(compiler) if gives_models else None
    # The stubs do not know the lookups.
    prefetches = asked._prefetch_related_lookups  # type: ignore[attr-defined]
    return _Text(sql, list(parameters), converters, build, prefetches)


def _builder(compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """How Django's own `ModelIterable` makes an instance of a row."""
    model, places = compiler.klass_info["model"], compiler.klass_info["select_fields"]
    first, last = places[0], places[-1] + 1
    names = [entry[0].target.attname for entry in compiler.select[first:last]]
    # The stubs know a later Django's.
    populators = get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
    annotations = (compiler.annotation_col_map or {}).items()

    def build(row: Sequence[Any]) -> Any:
        made = model.from_db(DEFAULT_DB_ALIAS, names, row[first:last])
        for populator in populators:
            populator.populate(row, made)
        for name, place in annotations:
            setattr(made, name, row[place])
        return made

    return build
