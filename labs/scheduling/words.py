"""Why a job waits and what ends it, in a reader's own language, from the stored reason and facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campus.core.formats import number
from labs.scheduling.domain.decisions import WaitReason

Facts = Mapping[str, Any]
#: Display names by the fact that holds the id: ``node_id``, ``site_id``, ``account_id``, ``reservation_id``. One that
#: is missing is left out of the sentence.
Names = Mapping[str, str]


def waits_because(reason: str, facts: Facts, *, place: int | None = None, names: Names | None = None) -> str:
    """One sentence on why a job does not run yet; empty for an unknown or empty reason.

    ``facts`` are those of ``WaitFacts.as_json``; ``place`` is the job's queue place.
    """
    say = BECAUSE.get(reason)
    return say(facts, place or 1, names or {}) if say else ""


def wait_ends_when(reason: str, facts: Facts, *, names: Names | None = None) -> str:
    """One or two sentences on what ends the wait, and what its owner can do; empty for an unknown reason."""
    say = ENDS.get(reason)
    return say(facts, 1, names or {}) if say else ""


def _time(facts: Facts) -> str:
    return _at(facts, "until_at")


def _at(facts: Facts, name: str) -> str:
    at = facts.get(name)
    if at is None:
        return ""
    return date_format(timezone.localtime(datetime.fromtimestamp(float(at), tz=UTC)), "SHORT_DATETIME_FORMAT")


def _resources(facts: Facts, place: int, names: Names) -> str:
    wanted, free = facts.get("gpus_wanted", 1), facts.get("gpus_free_on_one_node", 0)
    if facts.get("gpu_milli"):
        return _("It is first in line and waits for its share of a GPU to come free.")
    if wanted == 1:
        return _("It is first in line and waits for a GPU to come free.")
    return _(
        "It is first in line and waits for %(wanted)d GPUs on one node; the most free on one node is %(free)d."
    ) % {
        "wanted": wanted,
        "free": free,
    }


def _resources_end(facts: Facts, place: int, names: Names) -> str:
    node, until = names.get("node_id", ""), _time(facts)
    if node and until:
        return _("It starts when runs on %(node)s end, by %(until)s at the latest.") % {"node": node, "until": until}
    if until:
        return _("It starts when a run ends, by %(until)s at the latest.") % {"until": until}
    return _("It starts when enough GPUs on one node come free.")


def _behind(facts: Facts, place: int, names: Names) -> str:
    ahead = max(1, place - 1)
    return ngettext(
        "%(ahead)d job that can use the same GPUs goes before it.",
        "%(ahead)d jobs that can use the same GPUs go before it.",
        ahead,
    ) % {"ahead": ahead}


def _behind_end(facts: Facts, place: int, names: Names) -> str:
    until = _time(facts)
    if until:
        return _("It moves up as they start, and starts by %(until)s at the latest.") % {"until": until}
    return _("It moves up each time one of them starts.")


def _type_busy(facts: Facts, place: int, names: Names) -> str:
    return _("All %(type)s GPUs are busy, while other GPUs are free.") % {"type": facts.get("gpu_type", "")}


def _type_busy_end(facts: Facts, place: int, names: Names) -> str:
    return _("It starts when one of that type comes free. Submitted for any type, it may start sooner.")


def _reserved(facts: Facts, place: int, names: Names) -> str:
    return _("What is free is kept for a job before it that needs more at once.")


def _reserved_end(facts: Facts, place: int, names: Names) -> str:
    return _("It starts once that job has started. With a shorter time limit it may fit in before.")


def _no_node(facts: Facts, place: int, names: Names) -> str:
    most, wanted = facts.get("gpus_most_on_one_node", 0), facts.get("gpus_wanted", 1)
    if not most:
        return _("No node has the kind of GPU that it asks for.")
    if wanted <= most:
        return _("No GPU of that kind has as much memory as it asks for.")
    return ngettext(
        "It asks for %(wanted)d GPUs on one node; the largest node of that kind has %(most)d GPU.",
        "It asks for %(wanted)d GPUs on one node; the largest node of that kind has %(most)d GPUs.",
        most,
    ) % {"wanted": wanted, "most": most}


def _no_node_end(facts: Facts, place: int, names: Names) -> str:
    if facts.get("gpus_wanted", 1) <= facts.get("gpus_most_on_one_node", 0):
        return _("It cannot start as the pool is. Cancel it and submit it with less GPU memory or another kind.")
    return _("It cannot start as the pool is. Cancel it and submit it with fewer GPUs or another kind.")


def _not_shared(facts: Facts, place: int, names: Names) -> str:
    return _("It asks for a part of a GPU, and no node that could run it lets jobs share one.")


def _not_shared_end(facts: Facts, place: int, names: Names) -> str:
    return _("It cannot start as the pool is. Cancel it and submit it with a whole GPU or another kind.")


def _draining(facts: Facts, place: int, names: Names) -> str:
    return _("The nodes that could run it are out of service.")


def _draining_end(facts: Facts, place: int, names: Names) -> str:
    return _("It starts when one of them is back in service.")


def _closed(facts: Facts, place: int, names: Names) -> str:
    return _("The site whose nodes could run it is closed.")


def _closed_end(facts: Facts, place: int, names: Names) -> str:
    return _("It goes on when the site opens.")


def _power(facts: Facts, place: int, names: Names) -> str:
    site = names.get("site_id", "")
    if site:
        return _("%(site)s may not draw more power now.") % {"site": site}
    return _("The site may not draw as much power as it needs.")


def _power_end(facts: Facts, place: int, names: Names) -> str:
    if facts.get("watts_free") is None:
        return _("It cannot start under the site's power limit. Cancel it and submit it with fewer GPUs.")
    return _("It starts when runs there end and enough power is free.")


def _gpus_running(facts: Facts) -> str:
    """GPUs that run under a cap; shares add up to a part of one."""
    return number(float(facts.get("running_gpus", 0)), 3)


def _account_cap(facts: Facts, place: int, names: Names) -> str:
    known = {
        "account": names.get("account_id", "") or _("The account"),
        "running": _gpus_running(facts),
        "cap": facts.get("cap", 0),
    }
    return _("%(account)s may run %(cap)d GPUs at once, and %(running)s run now.") % known


def _learner_cap(facts: Facts, place: int, names: Names) -> str:
    known = {"running": _gpus_running(facts), "cap": facts.get("cap", 0)}
    return _("One learner may run %(cap)d GPUs at once, and %(running)s of its owner's run now.") % known


def _cap_end(facts: Facts, place: int, names: Names) -> str:
    if facts.get("gpus_wanted", 1) > facts.get("cap", 0):
        return _("It asks for more than that. Submit it with fewer GPUs, or ask an administrator to raise the cap.")
    return _("It goes on when one of those runs ends.")


def _account_closed(facts: Facts, place: int, names: Names) -> str:
    account = names.get("account_id", "")
    return _("The account %(account)s is closed.") % {"account": account} if account else _("Its account is closed.")


def _account_closed_end(facts: Facts, place: int, names: Names) -> str:
    return _("It goes on when an administrator opens the account.")


def _not_before(facts: Facts, place: int, names: Names) -> str:
    return _("It was submitted to start no sooner than %(until)s.") % {"until": _time(facts)}


def _not_before_end(facts: Facts, place: int, names: Names) -> str:
    return _("It may start from then on.")


def _class(facts: Facts, place: int, names: Names) -> str:
    begins = _at(facts, "from_at")
    if begins:
        return _("The free GPUs are kept for a class that begins at %(begins)s.") % {"begins": begins}
    return _("The free GPUs are kept for a class.")


def _class_end(facts: Facts, place: int, names: Names) -> str:
    known = {"title": names.get("reservation_id", ""), "until": _time(facts)}
    if _at(facts, "from_at"):
        sooner = _("With a time limit that ends before the class begins it may start sooner.")
        after = _("It starts after “%(title)s”.") if known["title"] else _("It starts after the class.")
        return f"{after % known} {sooner}"
    if known["until"] and known["title"]:
        return _("It starts when “%(title)s” does not need them any more, by %(until)s at the latest.") % known
    if known["until"]:
        return _("It starts when the class does not need them any more, by %(until)s at the latest.") % known
    return _("It starts when the class does not need them any more.")


def _lending_closed(facts: Facts, place: int, names: Names) -> str:
    site = names.get("site_id", "")
    if site:
        return _("The free GPUs belong to %(site)s, which does not lend them for it now.") % {"site": site}
    return _("The free GPUs belong to another campus, which does not lend them for it now.")


def _lending_closed_end(facts: Facts, place: int, names: Names) -> str:
    opens = _at(facts, "from_at")
    if opens:
        return _("It may borrow from %(opens)s on, and starts sooner if GPUs of its own campus come free.") % {
            "opens": opens
        }
    return _("It starts when GPUs of its own campus come free. A shorter time limit may fit what the other one lends.")


def _lending_cap(facts: Facts, place: int, names: Names) -> str:
    return _("The other campus lends %(cap)d GPUs at most, and %(running)s of them run now.") % {
        "cap": facts.get("cap", 0),
        "running": _gpus_running(facts),
    }


def _lending_cap_end(facts: Facts, place: int, names: Names) -> str:
    return _("It starts when one of those runs ends, or when GPUs of its own campus come free.")


def _lent_out(facts: Facts, place: int, names: Names) -> str:
    return _("GPUs of its campus are lent to another one.")


def _lent_out_end(facts: Facts, place: int, names: Names) -> str:
    until = _time(facts)
    if until:
        return _("It starts when they are given back, by %(until)s at the latest.") % {"until": until}
    return _("It starts when they are given back.")


def _dependency(facts: Facts, place: int, names: Names) -> str:
    count = facts.get("jobs_open", 1)
    if facts.get("job_id"):
        known = {"job": facts["job_id"], "count": count - 1}
        if count == 1:
            return _("It comes after job #%(job)s, which has not ended yet.") % known
        return (
            ngettext(
                "It comes after job #%(job)s and %(count)d other that have not ended yet.",
                "It comes after job #%(job)s and %(count)d others that have not ended yet.",
                count - 1,
            )
            % known
        )
    return ngettext(
        "It comes after %(count)d other job that has not ended yet.",
        "It comes after %(count)d other jobs that have not ended yet.",
        count,
    ) % {"count": count}


def _dependency_end(facts: Facts, place: int, names: Names) -> str:
    return _("It goes on when they have ended.")


def _group_cap(facts: Facts, place: int, names: Names) -> str:
    known = {"running": facts.get("running_jobs", 0), "cap": facts.get("cap", 0)}
    return _("Its sweep may run %(cap)d jobs at once, and %(running)d run now.") % known


def _group_cap_end(facts: Facts, place: int, names: Names) -> str:
    if not facts.get("cap", 1):
        return _("It goes on when the sweep may run more at once.")
    return _("It goes on when one of them ends.")


def _preempting(facts: Facts, place: int, names: Names) -> str:
    return _("Room is being made for it: runs that may be interrupted save their work.")


def _preempting_end(facts: Facts, place: int, names: Names) -> str:
    until = _time(facts)
    if until:
        return _("It starts when they have, by %(until)s at the latest.") % {"until": until}
    return _("It starts when they have.")


def _next_pass(facts: Facts, place: int, names: Names) -> str:
    return _("Many jobs are starting at this moment.")


def _just_submitted(facts: Facts, place: int, names: Names) -> str:
    return _("It has just been submitted.")


def _soon(facts: Facts, place: int, names: Names) -> str:
    return _("The scheduler looks at it within seconds.")


Sentence = Callable[[Facts, int, Names], str]

BECAUSE: dict[str, Sentence] = {
    WaitReason.RESOURCES: _resources,
    WaitReason.BEHIND_OTHERS: _behind,
    WaitReason.GPU_TYPE_BUSY: _type_busy,
    WaitReason.RESERVED_FOR_WIDE_JOB: _reserved,
    WaitReason.NO_SUCH_NODE: _no_node,
    WaitReason.NOT_SHARED: _not_shared,
    WaitReason.NODES_DRAINING: _draining,
    WaitReason.SITE_CLOSED: _closed,
    WaitReason.POWER_CAP: _power,
    WaitReason.ACCOUNT_CAP: _account_cap,
    WaitReason.LEARNER_CAP: _learner_cap,
    WaitReason.ACCOUNT_CLOSED: _account_closed,
    WaitReason.NOT_BEFORE: _not_before,
    WaitReason.CLASS_RESERVATION: _class,
    WaitReason.LENDING_CLOSED: _lending_closed,
    WaitReason.LENDING_CAP: _lending_cap,
    WaitReason.LENT_OUT: _lent_out,
    WaitReason.DEPENDENCY: _dependency,
    WaitReason.GROUP_CAP: _group_cap,
    WaitReason.PREEMPTING: _preempting,
    WaitReason.NEXT_PASS: _next_pass,
    WaitReason.JUST_SUBMITTED: _just_submitted,
}

ENDS: dict[str, Sentence] = {
    WaitReason.RESOURCES: _resources_end,
    WaitReason.BEHIND_OTHERS: _behind_end,
    WaitReason.GPU_TYPE_BUSY: _type_busy_end,
    WaitReason.RESERVED_FOR_WIDE_JOB: _reserved_end,
    WaitReason.NO_SUCH_NODE: _no_node_end,
    WaitReason.NOT_SHARED: _not_shared_end,
    WaitReason.NODES_DRAINING: _draining_end,
    WaitReason.SITE_CLOSED: _closed_end,
    WaitReason.POWER_CAP: _power_end,
    WaitReason.ACCOUNT_CAP: _cap_end,
    WaitReason.LEARNER_CAP: _cap_end,
    WaitReason.ACCOUNT_CLOSED: _account_closed_end,
    WaitReason.NOT_BEFORE: _not_before_end,
    WaitReason.CLASS_RESERVATION: _class_end,
    WaitReason.LENDING_CLOSED: _lending_closed_end,
    WaitReason.LENDING_CAP: _lending_cap_end,
    WaitReason.LENT_OUT: _lent_out_end,
    WaitReason.DEPENDENCY: _dependency_end,
    WaitReason.GROUP_CAP: _group_cap_end,
    WaitReason.PREEMPTING: _preempting_end,
    WaitReason.NEXT_PASS: _soon,
    WaitReason.JUST_SUBMITTED: _soon,
}
