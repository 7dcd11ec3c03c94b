"""Keeping documents up to date: those of a saved row at its commit, and now and then all that differ."""

from collections.abc import Collection, Iterable
from functools import partial
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from courses.catalog.models import RunCopy
from courses.content.models import Module

from .domain.plain import plain
from .domain.words import fold, grams, numbers, tidy
from .models import Document
from .sources import Found, Source, sources

LONGEST = 200_000  # characters of a body that are looked through
BATCH = 200
#: What is written in bulk waits beside the index and is merged into it in large parts, which costs a fraction.
BULK = "SELECT set_config('gin_pending_list_limit', '32MB', true), set_config('work_mem', '64MB', true)"
_FIELDS = (
    "run_id", "module_id", "cohort_ids", "is_shown", "title", "body", "title_folded", "body_folded", "grams", "url",
    "at", "digest",
)  # fmt: skip


def watch() -> None:
    """Bring documents up to date when what they copy is saved or deleted. Rows written in bulk wait for `refresh`."""
    for source in sources():
        act, name = partial(_on_change, source), f"search.{source.kind}"
        post_save.connect(act, sender=source.model, weak=False, dispatch_uid=f"{name}.saved")
        post_delete.connect(act, sender=source.model, weak=False, dispatch_uid=f"{name}.gone")
    post_save.connect(_on_copy, sender=RunCopy, dispatch_uid="search.copied")


def update(source: Source, ids: Collection[int]) -> None:
    """Make the documents of these rows what the rows say now. Three queries."""
    found = list(source.read(ids))
    _write(source, found)
    gone = set(ids) - {one.object_id for one in found}
    Document.objects.filter(kind=source.kind, object_id__in=gone).delete()


def refresh() -> int:
    """Bring every document that differs up to date, and drop those without a source; return how many changed.

    What waits beside the index is merged into it, since every question reads all of that.
    """
    changed = 0
    for source in sources():
        known = dict(Document.objects.filter(kind=source.kind).values_list("object_id", "digest"))
        batch: list[Found] = []
        for one in source.read(None):
            if known.pop(one.object_id, None) != digest_of(one):
                batch.append(one)
                changed += 1
            if len(batch) == BATCH:
                _write_bulk(source, batch)
                batch = []
        _write(source, batch)
        changed += len(known)
        Document.objects.filter(kind=source.kind, object_id__in=known).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('search_document_grams')")
    return changed


def digest_of(one: Found) -> str:
    """Name the state of a thing."""
    return sha256(repr(one).encode("utf-8", "replace")).hexdigest()


@transaction.atomic
def _write_bulk(source: Source, found: Iterable[Found]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BULK)
    _write(source, found)


def _write(source: Source, found: Iterable[Found]) -> None:
    documents = [_document(source, one) for one in found]
    # Deleted meanwhile is no error: its module or run is looked up again.
    there = set(Module.objects.filter(pk__in=[one.module_id for one in documents]).values_list("pk", flat=True))
    documents = [one for one in documents if one.module_id is None or one.module_id in there]
    Document.objects.bulk_create(
        documents, update_conflicts=True, unique_fields=("object_id", "kind"), update_fields=_FIELDS
    )


def _document(source: Source, one: Found) -> Document:
    title, body = tidy(one.title), tidy(plain(one.body[:LONGEST]))
    folded = fold(title), fold(body)
    return Document(
        kind=source.kind, object_id=one.object_id, run_id=one.run_id, module_id=one.module_id, is_shown=one.is_shown,
        cohort_ids=list(one.cohort_ids), title=title, body=body, title_folded=folded[0], body_folded=folded[1],
        grams=numbers(grams(folded[0]) | grams(folded[1])), url=one.url, at=one.at, digest=digest_of(one),
    )  # fmt: skip


def _on_change(source: Source, instance: Model, **_kwargs: Any) -> None:
    # A function, not a partial: Django names what failed by its __qualname__.
    transaction.on_commit(lambda: update(source, [instance.pk]), robust=True)


def _on_copy(instance: RunCopy, **_kwargs: Any) -> None:
    """A copied run is written in bulk."""
    transaction.on_commit(refresh, robust=True)
