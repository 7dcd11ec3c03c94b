"""Holding one learner to the caps of the accounts above, when a job is submitted.

The path's lock ends at the root, so of two submissions at once the second sees what the first one holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from campus.core import formats
from campus.core.errors import OverQuota
from labs.quota.domain.caps import OverCap, Span, Window, judge, window_of
from labs.quota.models import Account, UsageDay
from labs.quota.shortage import helpers_of
from labs.quota.zones import zone_of


@dataclass(frozen=True)
class CapLine:
    """A cap that a learner stands under: GPU-seconds used in its window and held now."""

    account: Account
    window: Window
    cap_s: int
    used_s: int
    held_s: int

    @property
    def left_s(self) -> int:
        return max(0, self.cap_s - self.used_s - self.held_s)


def check_caps(path: Sequence[Account], wanted_s: int, now: datetime, parts: Sequence[int] = ()) -> None:
    """Refuse what would take the path's learner over a cap above. No query where there is none, else three at most.

    Raises OverQuota with code day_cap or week_cap and facts account, cap_s, used_s, held_s, wanted_s, renews_at.
    """
    for line in cap_lines(path, now):
        over = judge(line.window, line.cap_s, used_s=line.used_s, held_s=line.held_s, wanted_s=wanted_s)
        if over is not None:
            raise _refusal(line.account, over, parts)


def cap_lines(path: Sequence[Account], now: datetime) -> list[CapLine]:
    """Return the caps that the learner at the end of this path stands under, nearest first, with use and holds.

    A cap counts all accounts of the learner below it, in the learner's own campus's time zone.
    """
    leaf = path[-1]
    capped = [a for a in reversed(path) if a.learner_day_cap_s is not None or a.learner_week_cap_s is not None]
    if not capped or leaf.owner_id is None:
        return []
    zone = ZoneInfo(zone_of(leaf.scope.path))
    windows = {span: window_of(span, now, zone) for span in Span}
    own = list(Account.objects.filter(owner_id=leaf.owner_id).values_list("path", "held_s"))
    days = list(
        UsageDay.objects.filter(account__owner_id=leaf.owner_id, day__gte=windows[Span.WEEK].first)
        .values_list("path")
        .annotate(
            week=Sum("charged_s") - Sum("refunded_s"),
            today=Sum("charged_s", filter=(today := Q(day=windows[Span.DAY].first)), default=0)
            - Sum("refunded_s", filter=today, default=0),
        )
        .order_by()
    )
    lines = []
    for account in capped:
        held_s = sum(held for up, held in own if account.pk in up)
        used = {
            Span.DAY: sum(today_s for up, _week, today_s in days if account.pk in up),
            Span.WEEK: sum(week_s for up, week_s, _today in days if account.pk in up),
        }
        caps = {Span.DAY: account.learner_day_cap_s, Span.WEEK: account.learner_week_cap_s}
        for span, cap_s in caps.items():
            if cap_s is not None:
                lines.append(CapLine(account, windows[span], cap_s, max(0, used[span]), held_s))
    return lines


def _refusal(account: Account, over: OverCap, parts: Sequence[int]) -> OverQuota:
    is_day = over.window.span is Span.DAY
    helpers = helpers_of(account)
    texts = {
        "name": account.name,
        "cap": formats.gpu_hours(over.cap_s),
        "used": formats.gpu_hours(over.used_s),
        "held": formats.gpu_hours(over.held_s),
        "wanted": formats.gpu_hours(over.wanted_s),
        "renews": formats.campus_time(over.window.renews_at),
    }
    words = (
        _(
            "“%(name)s” lets one learner use %(cap)s a day. You have used %(used)s today and %(held)s are held; this"
            " needs %(wanted)s. It renews on %(renews)s."
        )
        if is_day
        else _(
            "“%(name)s” lets one learner use %(cap)s a week. You have used %(used)s this week and %(held)s are held;"
            " this needs %(wanted)s. It renews on %(renews)s."
        )
    )
    facts = {
        "short_account": account.name,
        "short_account_id": account.pk,
        "available_s": over.left_s,
        "wanted_s": over.wanted_s,
        "helpers": helpers,
        "cap_s": over.cap_s,
        "used_s": over.used_s,
        "held_s": over.held_s,
        "renews_at": over.window.renews_at.isoformat(),
    }
    if parts:
        facts["would_fit"] = sum(1 for total in accumulate(parts) if total <= over.left_s)
    return OverQuota(words % texts, code="day_cap" if is_day else "week_cap", facts=facts)
