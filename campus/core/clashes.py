"""What is there already, in words: instead of which constraint it breaks, whose it is and what to do."""

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _


def words_of_clash(target: Model, error: ValidationError) -> list[str]:
    """Name the row that `target` clashes with, where `error` is one of uniqueness; any other error as it is."""
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
