"""What a report may be grouped by. Apps further up add theirs: a course is nothing that labs knows."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from labs.quota.models import Account

Kind = Account.Kind
# The accounts' levels from the root down; a report is grouped by what lies below its own account.
_LEVELS = {Kind.PLATFORM: 0, Kind.CAMPUS: 1, Kind.PROGRAMME: 2, Kind.SPONSOR: 2, Kind.COHORT: 3, Kind.LEARNER: 4}


@dataclass(frozen=True)
class Grouping:
    """A way to group accounts. `names_of(account ids)` gives the group's name for each account that has one.

    Without it the accounts of `kinds` are themselves the groups. `level` is the lowest level of an account whose
    report it makes sense in, exclusive.
    """

    key: str
    label: str | Promise
    level: int
    kinds: frozenset[str] = frozenset()
    names_of: Callable[[Collection[int]], dict[int, str]] | None = None


_GROUPINGS: dict[str, Grouping] = {
    grouping.key: grouping
    for grouping in (
        Grouping("campus", _("Campus"), 1, frozenset({Kind.CAMPUS})),
        Grouping("programme", _("Programme or sponsor"), 2, frozenset({Kind.PROGRAMME, Kind.SPONSOR})),
        Grouping("cohort", _("Cohort"), 3, frozenset({Kind.COHORT})),
        Grouping("learner", _("Learner"), 4, frozenset({Kind.LEARNER})),
    )
}


def register(
    key: str, label: str | Promise, names_of: Callable[[Collection[int]], dict[int, str]], *, level: int = 3
) -> None:
    """Add a grouping of cohorts' accounts by something that labs does not know; call it from `AppConfig.ready()`.

    `names_of` gets ids of accounts and returns the group's name for those that it knows, in one query.
    """
    _GROUPINGS[key] = Grouping(key, label, level, names_of=names_of)


def groupings_for(kind: str) -> list[Grouping]:
    """Return what the report of an account of this kind may be grouped by, widest first."""
    found = [grouping for grouping in _GROUPINGS.values() if grouping.level > _LEVELS[Kind(kind)]]
    return sorted(found, key=lambda grouping: grouping.level)
