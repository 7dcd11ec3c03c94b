"""Reading what a request asks for: the days, and the grouping."""

from collections.abc import Mapping
from datetime import date

from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput

from .domain.periods import MOST_DAYS, Period, between, last_days
from .groupings import Grouping, groupings_for

CHOICES = (7, 30, 120)
DEFAULT = 30
YEARS = range(2000, 2100)


def period_of(query: Mapping[str, str], today: date) -> Period:
    """Return the period a page asks for by `days`; anything else than the choices is the default."""
    days = query.get("days", "")
    return last_days(today, int(days) if days in map(str, CHOICES) else DEFAULT)


def exact_period_of(query: Mapping[str, str], today: date) -> Period:
    """Return the period that the API is asked for by `from` and `to`. Raises InvalidInput."""
    first, last = _date(query, "from"), _date(query, "to")
    try:
        return between(first, last, today, DEFAULT)
    except ValueError as error:
        text = _("Choose 1 to %(most)s days, and a first day before the last.") % {"most": MOST_DAYS}
        raise InvalidInput({"from": text}) from error


def _date(query: Mapping[str, str], name: str) -> date | None:
    given = query.get(name, "")
    try:
        day = date.fromisoformat(given) if given else None
    except ValueError as error:
        raise InvalidInput({name: _("Write a day as 2026-11-21.")}) from error
    if day is not None and day.year not in YEARS:
        raise InvalidInput({name: _("Choose a day between 2000 and 2099.")})
    return day


def grouping_of(query: Mapping[str, str], kind: str) -> Grouping | None:
    """Return the grouping a page asks for, or the widest that fits; none below a learner's account."""
    fitting = groupings_for(kind)
    wished = [grouping for grouping in fitting if grouping.key == query.get("by", "")]
    return wished[0] if wished else fitting[0] if fitting else None
