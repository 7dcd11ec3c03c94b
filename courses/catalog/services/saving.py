"""Saving a row after all its checks, with the errors of our own kind and a line in the audit trail."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from campus.core import audit
from campus.core.clashes import words_of_clash
from campus.core.errors import InvalidInput
from campus.people.models import User


def clean(target: Model, exclude: Iterable[str] = ()) -> None:
    """Check all fields and constraints. Raises InvalidInput by field; what concerns several is under ""."""
    try:
        target.full_clean(exclude=set(exclude))
    except ValidationError as error:
        fields = {
            "" if name == NON_FIELD_ERRORS else name: [text for one in errors for text in words_of_clash(target, one)]
            for name, errors in error.error_dict.items()
        }
        raise InvalidInput(fields) from error


def save_new(target: Model, *, actor: User | None, scope_path: Iterable[int] = (), exclude: Iterable[str] = ()) -> None:
    """Check, save and audit a new row. Raises InvalidInput."""
    clean(target, exclude)
    target.save()
    audit.record(actor=actor, verb=f"{target._meta.model_name}.opened", target=target, scope_path=scope_path)


def save_changes(
    target: Model, fields: Mapping[str, Any], *, actor: User | None, scope_path: Iterable[int] = ()
) -> None:
    """Set `fields`, check, save and audit what changed; nothing is written when nothing did. Raises InvalidInput."""
    changes = {name: (getattr(target, name), value) for name, value in fields.items()}
    changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    if not changes:
        return
    for name, (_before, after) in changes.items():
        setattr(target, name, after)
    clean(target)
    target.save(update_fields=list(changes))
    audit.record(
        actor=actor,
        verb=f"{target._meta.model_name}.changed",
        target=target,
        scope_path=scope_path,
        changes=changes,
    )
