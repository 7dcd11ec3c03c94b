"""What an account could hold for a job now, as a hold would find it: told before anybody submits, with no locks."""

from datetime import datetime

from labs.quota.models import Account

from .borrowing import offered_s
from .capping import cap_lines
from .drawing import purse_of


def room_for(account: Account, wanted_s: int, now: datetime) -> tuple[int, str]:
    """Return the GPU-seconds that are left for a new job, and the name of the account or cap that leaves least.

    What the account and those above it have free, what siblings lend to one that lacks some of `wanted_s`, and what
    the caps on one learner leave. One query, and few more where grants end, learners are capped or somebody is short.
    """
    path = sorted(Account.objects.select_related("scope").filter(pk__in=account.path), key=lambda one: len(one.path))
    purse, left = purse_of(path, now), []
    for level in path:
        free_s = level.available_s - purse.overdue.get(level.pk, 0)
        if free_s < wanted_s:
            free_s += offered_s(level, now, is_locking=False)
        left.append((free_s, level.name))
    left += [(line.left_s, line.account.name) for line in cap_lines(path, now)]
    least_s, name = min(left, key=lambda pair: pair[0])
    return max(0, least_s), name
