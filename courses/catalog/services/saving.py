"""Saving a row after all its checks, with the errors of our own kind and a line in the audit trail."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput
from campus.people.models import User


def clean(target: Model, exclude: Iterable[str] = ()) -> None:
    """Check all fields and constraints. Raises InvalidInput by field; what concerns several is under ""."""
    try:
        target.full_clean(exclude=set(exclude))
    except ValidationError as error:
        fields = {
            "" if name == NON_FIELD_ERRORS else name: [text for one in errors for text in _words(target, one)]
            for name, errors in error.error_dict.items()
        }
        raise InvalidInput(fields) from error


def _words(target: Model, error: ValidationError) -> list[str]:
    """Say what is there already instead of which constraint it breaks; everything else as it is."""
    names = (error.params or {}).get("unique_check")
    if error.code not in ("unique", "unique_together") or not names:
        return list(error.messages)
    same = {name: getattr(target, name) for name in names}
    other = type(target)._default_manager.filter(**same).exclude(pk=target.pk).first()
    if other is None:  # gone meanwhile
        return list(error.messages)
    if len(same) > 1:
        return [_("“%(other)s” exists already. Change that one, or enter something else here.") % {"other": other}]
    words = _("“%(value)s” is in use already, by “%(other)s”. Choose another, or change that one.")
    return [words % {"value": same[names[0]], "other": other}]


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
