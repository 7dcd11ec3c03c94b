"""Which modules are closed to whom now. Labs and materials say through `register_parts` what else is to be finished."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q, Value
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campus.core import formats
from campus.core.compiled import AnyOf, Compiled
from campus.core.errors import NotAllowed
from courses.catalog.api import RunAccess
from courses.catalog.models import Enrolment

from .domain.release import Finished, Lock, ReleaseRule, locks
from .models import Lesson, LessonCompletion, Module

#: What some enrolments finished of some modules' published parts: `({module id: parts}, {(enrolment, module): done})`.
PartsDone = tuple[Mapping[int, int], Mapping[tuple[int, int], int]]
PartsProvider = Callable[[Collection[int], Collection[int]], PartsDone]
READING = (Enrolment.State.ACTIVE, Enrolment.State.COMPLETED)
BEGINNER = 0  # no enrolment's id: who has finished nothing
_providers: list[PartsProvider] = []


def register_parts(provider: PartsProvider) -> None:
    """Name who tells what else in a module is to be finished: `provider(enrolment_ids, module_ids)`. From `ready()`."""
    if provider not in _providers:
        _providers.append(provider)


class Locked(NotAllowed):
    """It is there, and opens later."""

    code = "locked"


def locked_modules(access: RunAccess, now: datetime | None = None) -> dict[int, tuple[Lock, ...]]:
    """Return the run's modules that are closed to the reader, by id, with every reason; for staff none.

    One query; where a module needs another, two more and those of the providers. Who is not enrolled has finished
    nothing.
    """
    if access.is_staff:
        return {}
    rules = _rules([access.run.pk]).get(access.run.pk, [])
    who = access.enrolment.pk if access.enrolment else BEGINNER
    return _locks(rules, _progress(rules, [who]).get(who, {}), now)


def locks_for_learners(run_id: int, now: datetime | None = None) -> dict[int, tuple[Lock, ...]]:
    """Return what a learner who has just begun finds closed: staff are shown it. Queries as `locked_modules`."""
    rules = _rules([run_id]).get(run_id, [])
    return _locks(rules, _progress(rules, [BEGINNER]).get(BEGINNER, {}), now)


def locked_for(enrolments: Iterable[Enrolment], now: datetime | None = None) -> dict[int, set[int]]:
    """Return the ids of closed modules by enrolment id, over several runs. Queries as `locked_modules`, in all."""
    return _locked(list(enrolments), now)[1]


def is_released(access: RunAccess, module_id: int, now: datetime | None = None) -> bool:
    """Say whether a module (and with it all that lies in it) is open to the reader; for staff it always is.

    That it is published is another question. Queries as `locked_modules`.
    """
    return module_id not in locked_modules(access, now)


def require_released(access: RunAccess, module_id: int) -> None:
    """Raise Locked with the reasons in words, where the module is closed to the reader."""
    reasons = locked_modules(access).get(module_id)
    if reasons:
        raise Locked(" ".join([_("This is not open to you yet."), *lock_words(reasons)]))


def released_modules(user_id: int, now: datetime | None = None) -> set[int]:
    """Return the ids of the published modules that are open to a learner, over all runs that they may read.

    For questions that check access in the query itself. One query more than `locked_for`.
    """
    rows = Enrolment.objects.filter(user_id=user_id, state__in=READING, run__is_published=True)
    return released_of(list(rows.order_by("-state")), now)  # ACTIVE last, so it wins over COMPLETED


def released_of(enrolments: Collection[Enrolment], now: datetime | None = None) -> set[int]:
    """As `released_modules`, of one person's enrolments; where a run has two, the later in the list counts."""
    learners = {one.run_id: one for one in enrolments}
    by_run, closed = _locked(list(learners.values()), now)
    return {
        rule.module_id
        for run_id, rules in by_run.items()
        for rule in rules
        if rule.is_published and rule.module_id not in closed[learners[run_id].pk]
    }


def lock_words(reasons: Iterable[Lock]) -> list[str]:
    """Say in words what opens a module, a sentence for each reason."""
    return [_words(one) for one in reasons]


def _words(lock: Lock) -> str:
    if lock.opens_at is not None:
        return _("It opens on %(when)s.") % {"when": formats.campus_time(lock.opens_at)}
    words = ngettext(
        "It opens once you finish “%(title)s”: %(n)d part is left.",
        "It opens once you finish “%(title)s”: %(n)d parts are left.",
        lock.left,
    )
    return words % {"title": lock.title, "n": lock.left}


def staff_words(reasons: Iterable[Lock]) -> list[str]:
    """Say to staff until when, or until what, learners find a module closed."""
    said = []
    for one in reasons:
        if one.opens_at is not None:
            said.append(_("Locked for learners until %(when)s.") % {"when": formats.campus_time(one.opens_at)})
        else:
            said.append(_("Locked for learners until they finish “%(title)s”.") % {"title": one.title})
    return said


_RULES = Compiled(
    lambda: (
        Module.objects.filter(run_id=AnyOf("run_ids"))
        .order_by("run_id", "position")
        .annotate(
            needed=ArrayAgg("need_rows__needs_id", filter=Q(need_rows__isnull=False), order_by="need_rows__needs_id")
        )
        .values_list("run_id", "pk", "title", "opens_at", "needed", "is_published")
    )
)


def _rules(run_ids: Collection[int]) -> dict[int, list[ReleaseRule]]:
    rules: dict[int, list[ReleaseRule]] = defaultdict(list)
    if not run_ids:
        return rules
    for run_id, pk, title, opens_at, needs, is_published in _RULES.rows(run_ids=list(run_ids)):
        rules[run_id].append(ReleaseRule(pk, title, opens_at, tuple(needs or ()), is_published))
    return rules


def _locked(
    learners: Collection[Enrolment], now: datetime | None
) -> tuple[dict[int, list[ReleaseRule]], dict[int, set[int]]]:
    """The rules by run, and the closed modules by enrolment."""
    by_run = _rules({one.run_id for one in learners})
    far = _progress([rule for rules in by_run.values() for rule in rules], [one.pk for one in learners])
    closed = {one.pk: set(_locks(by_run.get(one.run_id, []), far.get(one.pk, {}), now)) for one in learners}
    return by_run, closed


def _locks(
    rules: Iterable[ReleaseRule], finished: Mapping[int, Finished], now: datetime | None
) -> dict[int, tuple[Lock, ...]]:
    return locks(rules, finished, now or timezone.now())


def _progress(rules: Collection[ReleaseRule], enrolment_ids: Collection[int]) -> dict[int, dict[int, Finished]]:
    """How far learners are, by enrolment and module; asked only where a module needs another."""
    module_ids = {pk for rule in rules if rule.needs for pk in (rule.module_id, *rule.needs)}
    if not module_ids or not enrolment_ids:
        return {}
    totals: dict[int, int] = defaultdict(int)
    done: dict[tuple[int, int], int] = defaultdict(int)
    for provider in (_lessons_done, *_providers):
        parts, finished = provider(enrolment_ids, module_ids)
        for pk, count in parts.items():
            totals[pk] += count
        for key, count in finished.items():
            done[key] += count
    return {one: {pk: Finished(done[one, pk], totals[pk]) for pk in module_ids} for one in enrolment_ids}


def _lessons_done(enrolment_ids: Collection[int], module_ids: Collection[int]) -> PartsDone:
    """One query: the totals come as those of enrolment 0."""
    lessons = Lesson.objects.filter(module_id__in=module_ids, is_published=True)
    totals = lessons.order_by().values_list(Value(0), "module_id").annotate(n=Count("pk"))
    done = (
        LessonCompletion.objects.filter(
            enrolment_id__in=enrolment_ids, lesson__module_id__in=module_ids, lesson__is_published=True
        )
        .order_by()
        .values_list("enrolment_id", "lesson__module_id")
        .annotate(n=Count("pk"))
    )
    return counted(totals.union(done, all=True))


def counted(rows: Iterable[Any]) -> PartsDone:
    """Part rows (enrolment id or 0 for the total, module id, count) into what a provider answers."""
    totals, done = {}, {}
    for learner, module, n in rows:
        if learner:
            done[learner, module] = n
        else:
            totals[module] = n
    return totals, done
