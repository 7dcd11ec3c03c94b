"""Charts of use, and the sentence that each of them says."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from campus.core import formats

from .domain.folding import GroupUse, Use, share_of_first
from .domain.periods import Period

MOST_BARS = 12


def gpu_h(gpu_seconds: int) -> float:
    """Return GPU-hours, rounded as a chart shows them."""
    return round(gpu_seconds / 3600, 3)


def by_group(groups: Sequence[GroupUse], label: str) -> dict[str, Any]:
    """Return a chart of the groups that used most, as lying bars."""
    top = [entry for entry in groups if entry.use.used_s > 0][:MOST_BARS]
    return {
        "kind": "bar",
        "horizontal": True,
        "x": [entry.group or _("Elsewhere") for entry in top],
        "x_name": label,
        "series": [{"name": _("GPU-hours used"), "values": [gpu_h(entry.use.used_s) for entry in top]}],
    }


def by_group_title(groups: Sequence[GroupUse]) -> str:
    """Say who used most, and how much of all."""
    share = share_of_first(groups)
    if share <= 0:
        return _("Nobody used GPU time in these days")
    texts = {"name": groups[0].group or _("Elsewhere"), "share": formats.percent(share)}
    texts["total"] = formats.gpu_hours(sum(entry.use.used_s for entry in groups))
    return _("%(name)s used most: %(share)s of %(total)s") % texts


def used(days: Mapping[date, Use]) -> dict[date, int]:
    """Return the GPU-seconds that stayed charged, by day."""
    return {day: use.used_s for day, use in days.items()}


def file_name(what: str, period: Period) -> str:
    """Return the name of a download, in ASCII."""
    return f"usage-{what}-{period.first}-{period.last}"
