"""Seats: taking one, giving it back, and the learner's GPU account that comes and goes with it.

Locks, in this order: the cohort's row (by the conditional UPDATE of its seats), enrolments, jobs, quota accounts.
"""

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from campus.core import audit, formats
from campus.core.clock import database_now
from campus.core.errors import Conflict, Full, InvalidInput, NotAllowed, NotFound
from campus.people.models import User
from courses.catalog.access import may_enrol_others
from courses.catalog.domain.enrolment import Window, window
from courses.catalog.models import Cohort, Enrolment
from labs.jobs import api as jobs
from labs.quota import api as quota
from labs.quota.models import Account

Mode, State = Enrolment.Mode, Enrolment.State


def self_enrol(*, cohort_id: int, user: User, mode: str) -> Enrolment:
    """Enrol oneself while the window is open. Raises NotFound, NotAllowed, InvalidInput, Conflict, Full."""
    cohort = Cohort.objects.select_related("run").filter(pk=cohort_id, run__is_published=True).first()
    if cohort is None:
        raise NotFound
    # A crowd meets this line first: it reads and takes no lock, so that those who come too late do not queue.
    if cohort.seats_taken >= cohort.seats:
        _raise_full(cohort)
    now = database_now()
    state = window(cohort.self_enrolment_opens_at, cohort.self_enrolment_closes_at, now)
    if state is Window.NOT_YET and cohort.self_enrolment_opens_at:
        opens = formats.campus_time(cohort.self_enrolment_opens_at)
        raise NotAllowed(_("Enrolment opens on %(when)s.") % {"when": opens}, code="enrolment_not_open")
    if state is Window.OVER and cohort.self_enrolment_closes_at:
        closed = formats.campus_time(cohort.self_enrolment_closes_at)
        raise NotAllowed(_("Enrolment closed on %(when)s.") % {"when": closed}, code="enrolment_over")
    if state is not Window.OPEN:
        raise NotAllowed(_("Staff enrol people in this cohort; please ask them."), code="enrolment_by_staff")
    return enrol(cohort_id=cohort_id, user=user, mode=mode, actor=user)


@transaction.atomic
def enrol(*, cohort_id: int, user: User, mode: str, actor: User | None) -> Enrolment:
    """Take a seat for `user`, and open their GPU account with the cohort's share for a learner.

    `actor` is the person (who came through `self_enrol`), staff of the cohort, or None for the platform.
    Raises NotFound, NotAllowed, InvalidInput (mode, a closed account), Conflict (enrolled already), Full.
    """
    if mode not in Mode.values:
        raise InvalidInput({"mode": _("Choose on site or online.")})
    cohort = take_seats(cohort_id, 1)
    if actor is not None and actor.pk != user.pk and not may_enrol_others(actor, cohort):
        raise NotAllowed
    if not user.is_active:
        raise InvalidInput({"email": _("This person's account is closed.")})
    old = _enrolments_in_run(cohort, user)
    if old is not None and old.state == State.COMPLETED:
        raise Conflict(_("%(name)s has completed this course.") % {"name": user.name}, code="completed")
    account = open_learner_account(cohort, user, actor)
    enrolment = _place(cohort, user, mode, account, old)
    audit.record(
        actor=actor,
        verb="enrolment.opened" if old is None else "enrolment.reopened",
        target=enrolment,
        subject=user,
        scope_path=cohort.scope.path,
        changes={"mode": (None, mode), "state": (old.state if old else None, State.ACTIVE)},
    )
    return enrolment


@transaction.atomic
def withdraw(*, enrolment_id: int, actor: User | None, reason: str = "") -> Enrolment:
    """End an enrolment: the seat is free again, the account is closed, and what it had left goes back to the cohort.

    Jobs that wait are cancelled and what they held goes back too; those that run finish. The ledger stays.
    Raises NotFound, NotAllowed, Conflict.
    """
    enrolment = _locked(enrolment_id, actor)
    if enrolment.state != State.ACTIVE:
        raise Conflict(_("This enrolment has ended already."), code="enrolment_ended")
    Cohort.objects.filter(pk=enrolment.cohort_id).update(seats_taken=F("seats_taken") - 1)
    enrolment.state, enrolment.ended_at = State.WITHDRAWN, database_now()
    enrolment.save(update_fields=["state", "ended_at"])
    jobs.cancel_waiting(account_id=enrolment.account_id)
    close_learner_account(enrolment.account_id, actor)
    audit.record(
        actor=actor,
        verb="enrolment.withdrawn",
        target=enrolment,
        subject=enrolment.user,
        scope_path=enrolment.cohort.scope.path,
        changes={"state": (State.ACTIVE, State.WITHDRAWN)},
        reason=reason,
    )
    return enrolment


@transaction.atomic
def change_mode(*, enrolment_id: int, mode: str, actor: User | None) -> Enrolment:
    """Change between on site and online. Raises NotFound, NotAllowed, InvalidInput, Conflict."""
    if mode not in Mode.values:
        raise InvalidInput({"mode": _("Choose on site or online.")})
    enrolment = _locked(enrolment_id, actor)
    if enrolment.state != State.ACTIVE:
        raise Conflict(_("This enrolment has ended already."), code="enrolment_ended")
    before = enrolment.mode
    if before != mode:
        enrolment.mode = mode
        enrolment.save(update_fields=["mode"])
        audit.record(
            actor=actor,
            verb="enrolment.changed",
            target=enrolment,
            subject=enrolment.user,
            scope_path=enrolment.cohort.scope.path,
            changes={"mode": (before, mode)},
        )
    return enrolment


def take_seats(cohort_id: int, count: int) -> Cohort:
    """Take `count` seats at once, or none; the cohort's row stays locked. Raises NotFound, Full."""
    changed = Cohort.objects.filter(pk=cohort_id, seats__gte=F("seats_taken") + count).update(
        seats_taken=F("seats_taken") + count
    )
    cohort = Cohort.objects.select_related("run", "scope", "account").filter(pk=cohort_id).first()
    if cohort is None:
        raise NotFound
    if not changed:
        _raise_full(cohort)
    return cohort


def open_learner_account(cohort: Cohort, user: User, actor: User | None) -> Account:
    """Open or reopen the learner's account in the cohort, so that it has the cohort's share for a learner.

    Where the cohort has less to give, the learner gets what there is: a seat never fails for want of GPU time.
    """
    parent = cohort.account
    parent.refresh_from_db(fields=["allocated_s", "granted_s", "overcommit_pct"])
    room = max(0, parent.allocated_s * parent.overcommit_pct // 100 - parent.granted_s)
    account = Account.objects.filter(kind=Account.Kind.LEARNER, parent=parent, owner=user).first()
    if account is None:
        return quota.open_account(
            kind=Account.Kind.LEARNER,
            name=user.name,
            parent=parent,
            scope=cohort.scope,
            owner=user,
            allocated_s=min(cohort.learner_quota_s, room),
            actor=actor,
        )
    delta = min(cohort.learner_quota_s - account.allocated_s, room)
    if delta > 0:
        quota.allocate(account_id=account.pk, delta_s=delta, reason=_("Enrolled again"), actor=actor)
    Account.objects.filter(pk=account.pk).update(is_open=True)
    account.refresh_from_db()
    return account


def close_learner_account(account_id: int, actor: User | None) -> None:
    """Close an account: nothing new may be held, and what is neither used nor held goes back to the cohort."""
    quota.close_account(account_id=account_id, reason=_("Withdrawn"), actor=actor)


def _raise_full(cohort: Cohort) -> None:
    raise Full(_("All %(seats)d seats of %(name)s are taken.") % {"seats": cohort.seats, "name": cohort.name})


def _locked(enrolment_id: int, actor: User | None) -> Enrolment:
    """Lock the cohort, then the enrolment, and check that `actor` may change it."""
    cohort_id = Enrolment.objects.filter(pk=enrolment_id).values_list("cohort_id", flat=True).first()
    if cohort_id is None:
        raise NotFound
    Cohort.objects.select_for_update(of=("self",)).get(pk=cohort_id)
    enrolment = (
        Enrolment.objects.select_for_update(of=("self",)).select_related("cohort__scope", "user").get(pk=enrolment_id)
    )
    if actor is not None and actor.pk != enrolment.user_id and not may_enrol_others(actor, enrolment.cohort):
        raise NotFound
    return enrolment


def _enrolments_in_run(cohort: Cohort, user: User) -> Enrolment | None:
    """Return the person's ended enrolment in this cohort, if any. Raises Conflict when they are in the run already."""
    rows = Enrolment.objects.select_related("cohort").filter(run_id=cohort.run_id, user=user)
    here = None
    for row in rows:
        if row.state == State.ACTIVE:
            names = {"name": user.name, "cohort": row.cohort.name}
            raise Conflict(_("%(name)s is enrolled in %(cohort)s already.") % names, code="already_enrolled")
        if row.cohort_id == cohort.pk:
            here = row
    return here


def _place(cohort: Cohort, user: User, mode: str, account: Account, old: Enrolment | None) -> Enrolment:
    try:
        with transaction.atomic():
            if old is None:
                return Enrolment.objects.create(
                    cohort=cohort, run_id=cohort.run_id, user=user, account=account, mode=mode
                )
            Enrolment.objects.filter(pk=old.pk).update(
                state=State.ACTIVE, mode=mode, ended_at=None, enrolled_at=database_now(), account=account
            )
    except IntegrityError as error:  # another cohort of the same run was faster
        message = _("%(name)s is enrolled in another cohort of this course.") % {"name": user.name}
        raise Conflict(message, code="already_enrolled") from error
    return Enrolment.objects.select_related("cohort", "user").get(pk=old.pk)
