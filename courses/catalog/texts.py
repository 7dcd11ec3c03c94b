"""Words for what is wrong with a roster, and for what its import would do."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campus.core import formats

from .domain.enrolment import Effect
from .domain.roster import RosterError

COLUMN_NAMES: dict[str, str | Promise] = {
    "email": _("e-mail"),
    "name": _("name"),
    "mode": _("mode"),
    "number": _("member number"),
}

_ERRORS: dict[str, str | Promise] = {
    "too_large": _("The file is larger than %(most)s. Split it."),
    "encoding": _("The file is neither UTF-8 nor CP949 text. Save it as “CSV UTF-8” and try again."),
    "binary": _("This is no text file. In the spreadsheet choose “Save as CSV”."),
    "empty": _("The file is empty."),
    "no_rows": _("There are no people below the head of the table."),
    "too_many_rows": _("There are more than %(most)s rows. Split the file."),
    "columns_missing": _("These columns are missing: %(columns)s. Name them in the first row."),
    "column_twice": _("There are two columns for %(column)s. Remove one."),
    "quotes": _("From line %(line)s on, a quotation mark is opened and never closed."),
    "email_missing": _("The e-mail is missing."),
    "email_invalid": _("“%(value)s” is no e-mail address."),
    "email_twice": _("The same e-mail is already in line %(first)s."),
    "name_missing": _("The name is missing."),
    "name_too_long": _("The name is longer than 80 characters."),
    "name_invalid": _("“%(value)s” does not look like a name."),
    "number_invalid": _("“%(value)s” is no usable member number: letters, digits, - . _ / up to 30."),
    "number_twice": _("The same member number is already in line %(first)s."),
    "number_of_another": _("The member number %(value)s belongs to somebody else."),
    "mode_unknown": _("“%(value)s” is no mode. Write 대면 or 온라인, on site or online."),
    "cells_extra": _("There are more cells than columns; perhaps a comma within a name."),
    "person_closed": _("The account of %(value)s is closed. An administrator can open it again."),
    "in_other_cohort": _("%(value)s is enrolled in %(cohort)s of the same course."),
    "completed": _("%(value)s has completed this course."),
}

EFFECTS: dict[Effect, tuple[str | Promise, str, str]] = {
    Effect.CREATE: (_("New person, invited by mail"), "ok", "user-plus"),
    Effect.ENROL: (_("Enrolled"), "ok", "user-check"),
    Effect.RETURN: (_("Enrolled again"), "ok", "rotate-ccw"),
    Effect.CHANGE_MODE: (_("Mode changes"), "warn", "refresh-cw"),
    Effect.KEEP: (_("Stays as it is"), "neutral", "check"),
}


def words_of(error: RosterError) -> str:
    """Say what is wrong, in the reader's language."""
    return str(_ERRORS[error.code]) % _readable({**error.facts, "column": _column(error.column)})


def _readable(facts: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(facts)
    if isinstance(shown.get("columns"), list):
        shown["columns"] = ", ".join(_column(name) for name in shown["columns"])
    if isinstance(shown.get("most"), int):
        most = shown["most"]
        shown["most"] = formats.file_size(most) if most > 100_000 else formats.number(most)
    return shown


def _column(name: str) -> str:
    return str(COLUMN_NAMES.get(name, name))
