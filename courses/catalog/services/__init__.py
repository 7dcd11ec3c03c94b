"""What may be done with programmes, courses, cohorts and enrolments."""

from .enrolments import change_mode, enrol, self_enrol, withdraw
from .inviting import invite_again
from .openings import (
    change_cohort,
    change_course,
    change_programme,
    change_run,
    change_term,
    open_cohort,
    open_course,
    open_programme,
    open_run,
    open_term,
    programme_account,
)
from .rosters import ImportResult, RosterPreview, import_roster, preview_roster
from .term_grants import grant_for_term

__all__ = [
    "ImportResult",
    "RosterPreview",
    "change_cohort",
    "change_course",
    "change_mode",
    "change_programme",
    "change_run",
    "change_term",
    "enrol",
    "grant_for_term",
    "import_roster",
    "invite_again",
    "open_cohort",
    "open_course",
    "open_programme",
    "open_run",
    "open_term",
    "preview_roster",
    "programme_account",
    "self_enrol",
    "withdraw",
]
