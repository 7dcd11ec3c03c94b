"""What other apps may use of the catalogue, besides the models."""

from .access import (
    RunAccess,
    get_cohort_for,
    get_cohort_to_enrol,
    get_editable_run,
    get_readable_run,
    get_run_for,
    run_access,
)
from .copying import Copied, Copier, Line, Shift, register_copier, register_day_notes
from .feed_entries import FeedEntry, entries_of, register_entries
from .fields import DayField, GpuHoursField, LocalTimeField, MinutesField
from .outline import outline_of, register_news, register_outline, register_outline_part
from .selectors import runs_of, runs_taught
from .services import (
    change_mode,
    enrol,
    grant_for_term,
    import_roster,
    open_cohort,
    open_course,
    open_programme,
    open_run,
    open_term,
    preview_roster,
    programme_account,
    self_enrol,
    withdraw,
)
from .services.saving import clean, save_changes, save_new
from .views.form_page import form_page

__all__ = [
    "Copied",
    "Copier",
    "DayField",
    "FeedEntry",
    "GpuHoursField",
    "Line",
    "LocalTimeField",
    "MinutesField",
    "RunAccess",
    "Shift",
    "change_mode",
    "clean",
    "enrol",
    "entries_of",
    "form_page",
    "get_cohort_for",
    "get_cohort_to_enrol",
    "get_editable_run",
    "get_readable_run",
    "get_run_for",
    "grant_for_term",
    "import_roster",
    "open_cohort",
    "open_course",
    "open_programme",
    "open_run",
    "open_term",
    "outline_of",
    "preview_roster",
    "programme_account",
    "register_copier",
    "register_day_notes",
    "register_entries",
    "register_news",
    "register_outline",
    "register_outline_part",
    "run_access",
    "runs_of",
    "runs_taught",
    "save_changes",
    "save_new",
    "self_enrol",
    "withdraw",
]
