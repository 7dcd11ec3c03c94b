"""Offering time after an outage: finding whom it touched, with evidence; granting or declining it once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput
from campus.core.notices.services import notify
from campus.people.models import User
from courses.catalog.models import Enrolment
from labs.jobs.api import Trouble as JobTrouble
from labs.jobs.api import troubles_of

from .deadlines import deadlines_of, outage_facts
from .domain.deadlines import DAY, Deadline
from .domain.outages import Offer, Policy, Trouble, offer
from .extending import extend_after_outage
from .models import Assignment, LabRun, OutageEvidence, OutageOffer, OutagePolicy
from .notices import instructors_of

State = OutageOffer.State
KEPT_OPEN = timedelta(days=7)
"""For how long after a deadline faults before it are still looked for."""


@dataclass
class _Seen:
    """What is known before offers are written, by (assignment id, enrolment id)."""

    deadlines: dict[tuple[int, int], Deadline] = field(default_factory=dict)
    troubles: dict[tuple[int, int], list[JobTrouble]] = field(default_factory=lambda: defaultdict(list))
    used: dict[tuple[int, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    open: dict[tuple[int, int], OutageOffer] = field(default_factory=dict)


def sweep_offers() -> int:
    """Look at every lab assignment whose deadline is near; returns how many offers are new or changed."""
    today = timezone.localdate()
    found = Assignment.objects.filter(
        kind=Assignment.Kind.LAB, is_published=True, module__run__is_published=True,
        module__run__term__ends_on__gte=today - KEPT_OPEN, module__run__term__starts_on__lte=today,
    )  # fmt: skip
    return sum(find_offers(assignment_id=pk) for pk in found.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def find_offers(*, assignment_id: int) -> int:
    """Offer time to whom lost runs or long waits touched before their own deadline; returns how many changed.

    An offer that is open follows its evidence and its learner's deadline; what was decided stays as it is. The
    instructors are told of new ones. Nine queries and two for each changed offer.
    """
    assignment = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("module__run__outage_policy")
        .filter(pk=assignment_id, lab__isnull=False)
        .first()
    )
    if assignment is None:
        return 0
    policy, now = policy_of(assignment), database_now()
    learners = _touchable(assignment, policy, now)
    seen = _look(assignment, [learner for learner, _due_at in learners], policy, now)
    changed, fresh = 0, []
    for learner, due_at in learners:
        key = (assignment.pk, learner.pk)
        troubles = [
            Trouble(one.key, one.is_loss, one.from_at, one.until_at, one.held_back_s) for one in seen.troubles[key]
        ]
        before = seen.open.get(key)
        if before is not None and due_at >= before.due_at + timedelta(hours=before.hours):
            changed += _lapse(before)
            before = None
        made = offer(troubles, due_at, now, policy, seen.used[key])
        if made is None and before is not None:
            before.delete()  # nobody decided, and there is nothing to decide any more
            changed += 1
        elif made is not None and _keep(assignment, learner, before, made, due_at, seen.troubles[key]):
            changed += 1
            fresh += [learner] if before is None else []
    if fresh:
        _tell_staff(assignment, fresh)
    return changed


def policy_of(assignment: Assignment) -> Policy:
    """What the assignment's course run offers. One query where the run was read without it."""
    row: OutagePolicy | None = getattr(assignment.module.run, "outage_policy", None)
    return Policy(row.look_back_h, row.least_wait_min, row.most_h) if row else Policy()


def _touchable(assignment: Assignment, policy: Policy, now: datetime) -> list[tuple[Enrolment, datetime]]:
    """Learners whose deadline is close enough for an offer, with the deadline as it is without late days."""
    rows = Enrolment.objects.select_related("user", "cohort").filter(
        run=assignment.module.run_id, state=Enrolment.State.ACTIVE
    )
    learners = list(rows.order_by("pk"))
    deadlines = deadlines_of([assignment], learners)
    near = []
    for learner in learners:
        deadline = deadlines[assignment.pk, learner.pk]
        due_at = without_late_days(deadline)
        if due_at is not None and due_at - timedelta(hours=policy.look_back_h) <= now <= due_at + KEPT_OPEN:
            near.append((learner, due_at))
    return near


def without_late_days(deadline: Deadline) -> datetime | None:
    """A learner's late days are their own: time for an outage is counted from the deadline beneath them."""
    return None if deadline.due_at is None else deadline.due_at - DAY * deadline.late_days


def _look(assignment: Assignment, learners: Sequence[Enrolment], policy: Policy, now: datetime) -> _Seen:
    seen = _Seen()
    ids = [one.pk for one in learners]
    runs = LabRun.objects.filter(lab=assignment.lab_id, enrolment__in=ids)
    owners = dict(runs.values_list("job_id", "enrolment_id"))
    since = now - KEPT_OPEN - timedelta(hours=policy.look_back_h)
    for trouble in troubles_of(list(owners), since=since):
        seen.troubles[assignment.pk, owners[trouble.job_id]].append(trouble)
    decided = OutageEvidence.objects.filter(assignment=assignment, enrolment__in=ids).exclude(offer__state=State.OPEN)
    for enrolment_id, key in decided.values_list("enrolment_id", "key"):
        seen.used[assignment.pk, enrolment_id].add(key)
    for one in OutageOffer.objects.filter(assignment=assignment, enrolment__in=ids, state=State.OPEN):
        seen.open[assignment.pk, one.enrolment_id] = one
    return seen


def _keep(
    assignment: Assignment, learner: Enrolment, before: OutageOffer | None, made: Offer, due_at: datetime,
    troubles: Iterable[JobTrouble],
) -> bool:  # fmt: skip
    """Write a new offer, or an open one anew where it says something else now."""
    values = {
        "hours": made.hours, "lost_s": made.lost_s, "due_at": due_at, "from_at": made.from_at, "until_at": made.until_at
    }  # fmt: skip
    if before is not None and all(getattr(before, name) == value for name, value in values.items()):
        return False
    if before is None:
        kept = OutageOffer.objects.create(assignment=assignment, enrolment=learner, **values)
    else:
        OutageOffer.objects.filter(pk=before.pk, state=State.OPEN).update(**values)
        before.evidence.all().delete()
        kept = before
    OutageEvidence.objects.bulk_create(
        OutageEvidence(
            offer=kept, assignment=assignment, enrolment=learner, key=one.key, job_id=one.job_id, attempt=one.attempt,
            node=one.node, from_at=one.from_at, until_at=one.until_at, held_back_s=one.held_back_s,
        )
        for one in troubles
        if one.key in made.keys
    )  # fmt: skip
    return True


def _lapse(given: OutageOffer) -> int:
    return OutageOffer.objects.filter(pk=given.pk, state=State.OPEN).update(state=State.LAPSED, decided_at=Now())


def _tell_staff(assignment: Assignment, learners: Sequence[Enrolment]) -> None:
    notify(
        recipient_ids=instructors_of({one.cohort.scope_id for one in learners}),
        kind="assignments.offers",
        url=reverse("assignments:offers", args=[assignment.pk]),
        facts={"title": assignment.title, "learners": len(learners)},
    )


@transaction.atomic
def grant_offers(*, assignment: Assignment, offer_ids: Collection[int], actor: User) -> list[OutageOffer]:
    """Extend the deadline of these offers' learners, each once; whose deadline moved as far meanwhile is left alone.

    Returns what was granted. Raises Conflict (offers_are_decided): a colleague was faster with all of them.
    """
    granted = []
    for given in _open_offers(assignment, offer_ids):
        deadline = deadlines_of([assignment], [given.enrolment])[assignment.pk, given.enrolment_id]
        now_due_at, due_at = without_late_days(deadline), given.due_at + timedelta(hours=given.hours)
        if now_due_at is None or now_due_at >= due_at:
            _lapse(given)
            continue
        change = extend_after_outage(
            assignment=assignment, enrolment=given.enrolment, due_at=due_at, actor=actor,
            facts=outage_facts(given.hours, given.from_at, given.until_at),
        )  # fmt: skip
        OutageOffer.objects.filter(pk=given.pk).update(
            state=State.GRANTED, change=change, decided_by=actor, decided_at=Now()
        )
        granted.append(given)
    if granted:
        hours = sorted({one.hours for one in granted})
        audit.record(
            actor=actor, verb="outage_offer.granted", target=assignment,
            changes={"learners": (0, len(granted)), "hours": (0, hours[-1])},
        )  # fmt: skip
    return granted


@transaction.atomic
def decline_offers(*, assignment: Assignment, offer_ids: Collection[int], actor: User, reason: str) -> int:
    """Answer these offers with no; the same evidence is not offered again. Raises InvalidInput, Conflict."""
    if not 0 < len(reason.strip()) <= 300:
        raise InvalidInput({"reason": _("Say why, in a few words: your colleagues read it.")})
    offers = _open_offers(assignment, offer_ids)
    OutageOffer.objects.filter(pk__in=[one.pk for one in offers]).update(
        state=State.DECLINED, decided_by=actor, decided_at=Now()
    )
    audit.record(
        actor=actor, verb="outage_offer.declined", target=assignment, reason=reason.strip(),
        changes={"learners": (0, len(offers))},
    )  # fmt: skip
    return len(offers)


def _open_offers(assignment: Assignment, offer_ids: Collection[int]) -> list[OutageOffer]:
    """Lock what is still open: whoever clicks at the same moment waits here, and finds nothing left."""
    rows = OutageOffer.objects.select_for_update(of=("self",)).select_related("enrolment__user", "enrolment__cohort")
    found = list(rows.filter(assignment=assignment, pk__in=offer_ids, state=State.OPEN).order_by("pk"))
    if not found:
        raise Conflict(
            _("None of these offers is open any more: a colleague decided already."), code="offers_are_decided"
        )
    return found
