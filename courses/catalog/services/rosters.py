"""Importing a roster: first what it would do, then all of it or nothing, in one transaction."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, Full, InvalidInput, NotAllowed, NotFound
from campus.people.models import User
from courses.catalog.access import may_enrol_others
from courses.catalog.domain.enrolment import Effect, ImportPlan, KnownPerson, PlannedRow, plan_import
from courses.catalog.domain.roster import Roster, parse_roster
from courses.catalog.invitations import INVITED
from courses.catalog.models import Cohort, Enrolment
from courses.catalog.tasks import send_invitations

from .enrolments import open_learner_account, take_seats

State = Enrolment.State
UNIQUE_VIOLATION = "23505"


@dataclass(frozen=True)
class RosterPreview:
    """What an import would do. `digest` names exactly this plan: the person confirms it and no other."""

    cohort: Cohort
    roster: Roster
    plan: ImportPlan
    digest: str


@dataclass(frozen=True)
class ImportResult:
    """What was done, in people."""

    created: int
    enrolled: int
    changed: int
    kept: int
    refused: int


def preview_roster(*, cohort_id: int, raw: bytes) -> RosterPreview:
    """Read a roster and say what importing it would do, without doing it; five queries. Raises NotFound."""
    cohort = Cohort.objects.select_related("scope", "run", "account").filter(pk=cohort_id).first()
    if cohort is None:
        raise NotFound
    roster = parse_roster(raw)
    emails = [row.email for row in roster.rows]
    numbers = [row.number for row in roster.rows if row.number]
    owners = User.objects.filter(member_number__in=numbers).values_list("member_number", Lower("email"))
    plan = plan_import(
        roster.rows,
        roster.errors,
        people=_known_people(cohort, emails),
        number_owners=dict(owners),
        seats_left=cohort.seats - cohort.seats_taken,
    )
    return RosterPreview(cohort, roster, plan, _digest(cohort, plan))


@transaction.atomic
def import_roster(
    *, cohort_id: int, raw: bytes, digest: str, only_valid: bool = False, actor: User | None, site_url: str = ""
) -> ImportResult:
    """Do what the preview with `digest` showed, all of it or nothing. Names on record are never overwritten.

    With errors in the file nothing is imported unless `only_valid`: then the rows without errors are.
    People we did not know are invited by mail once all is saved; `site_url` is where the mail's link leads.
    Raises NotFound, NotAllowed, InvalidInput (errors in the file), Conflict (it would do something else by now),
    Full.
    """
    # The cohort's row is locked before the plan is made, so that what is done is what was planned.
    if not Cohort.objects.select_for_update().filter(pk=cohort_id).exists():
        raise NotFound
    preview = preview_roster(cohort_id=cohort_id, raw=raw)
    cohort, plan = preview.cohort, preview.plan
    if actor is not None and not may_enrol_others(actor, cohort):
        raise NotAllowed
    _check(preview, digest, only_valid)
    take_seats(cohort.pk, plan.seats_needed)
    try:
        with transaction.atomic():
            people = _create_people(cohort, plan, actor)
            _enrol_people(cohort, plan, people, actor)
    except IntegrityError as error:  # another class list or a sign-up brought one of them in the same moment
        if getattr(error.__cause__, "sqlstate", "") != UNIQUE_VIOLATION:
            raise
        raise _is_old() from error
    _change_modes(cohort, plan, actor)
    invited = [people[p.row.email].pk for p in plan.rows if p.effect is Effect.CREATE]
    if invited and site_url:
        transaction.on_commit(lambda: send_invitations.delay(invited, site_url), robust=True)
    return ImportResult(
        created=plan.count(Effect.CREATE),
        enrolled=plan.seats_needed,
        changed=plan.count(Effect.CHANGE_MODE),
        kept=plan.count(Effect.KEEP),
        refused=len({error.line for error in plan.errors}),
    )


def _check(preview: RosterPreview, digest: str, only_valid: bool) -> None:
    plan = preview.plan
    if digest != preview.digest:
        raise _is_old()
    if not preview.roster.is_readable or not plan.changing:
        raise InvalidInput({"file": _("There is nothing in this file to import.")}, code="nothing_to_import")
    if plan.errors and not only_valid:
        raise InvalidInput(
            {"file": _("Some rows have errors. Correct the file, or import only the rows without.")},
            code="rows_with_errors",
        )
    if plan.is_short_of_seats:
        facts = {"needed": plan.seats_needed, "left": plan.seats_left}
        raise Full(_("%(needed)d seats are needed and %(left)d are left.") % facts, facts=facts)


def _is_old() -> Conflict:
    return Conflict(_("The class list changed since the preview. Please look at it again."), code="preview_is_old")


def _known_people(cohort: Cohort, emails: Sequence[str]) -> dict[str, KnownPerson]:
    users = {user.email.lower(): user for user in User.objects.alias(low=Lower("email")).filter(low__in=emails)}
    here: dict[int, Enrolment] = {}
    elsewhere: dict[int, str] = {}
    ids = [user.pk for user in users.values()]
    for row in Enrolment.objects.select_related("cohort").filter(run_id=cohort.run_id, user_id__in=ids):
        if row.cohort_id == cohort.pk:
            here[row.user_id] = row
        elif row.state == State.ACTIVE:
            elsewhere[row.user_id] = row.cohort.name
    return {
        email: KnownPerson(
            user_id=user.pk,
            name=user.name,
            is_active=user.is_active,
            state=here[user.pk].state if user.pk in here else "",
            mode=here[user.pk].mode if user.pk in here else "",
            other_cohort=elsewhere.get(user.pk, ""),
        )
        for email, user in users.items()
    }


def _create_people(cohort: Cohort, plan: ImportPlan, actor: User | None) -> dict[str, User]:
    """Create those we do not know, without a password, and return everybody to be enrolled by e-mail."""
    new = []
    for planned in plan.rows:
        if planned.effect is Effect.CREATE:
            user = User(email=planned.row.email, name=planned.row.name, member_number=planned.row.number)
            user.set_unusable_password()
            new.append(user)
    User.objects.bulk_create(new)
    for user in new:
        audit.record(actor=actor, verb=INVITED, target=user, subject=user, scope_path=cohort.scope.path)
    known = [planned.user_id for planned in plan.rows if planned.user_id]
    return {user.email.lower(): user for user in [*new, *User.objects.filter(pk__in=known)]}


def _enrol_people(cohort: Cohort, plan: ImportPlan, people: dict[str, User], actor: User | None) -> None:
    """Enrol the new and the returning; their seats are taken already."""
    cohort.account.refresh_from_db()
    returning: list[PlannedRow] = []
    fresh: list[Enrolment] = []
    for planned in plan.rows:
        if planned.effect not in (Effect.CREATE, Effect.ENROL, Effect.RETURN):
            continue
        user = people[planned.row.email]
        account = open_learner_account(cohort, user, actor)
        if planned.effect is Effect.RETURN:
            returning.append(planned)
            continue
        fresh.append(Enrolment(cohort=cohort, run_id=cohort.run_id, user=user, account=account, mode=planned.mode))
    Enrolment.objects.bulk_create(fresh)
    for planned in returning:
        Enrolment.objects.filter(cohort=cohort, user=people[planned.row.email]).update(
            state=State.ACTIVE, mode=planned.mode, ended_at=None, enrolled_at=database_now()
        )
    back = Enrolment.objects.select_related("user").filter(cohort=cohort, user_id__in=[p.user_id for p in returning])
    for enrolment, verb in [*((e, "enrolment.opened") for e in fresh), *((e, "enrolment.reopened") for e in back)]:
        audit.record(
            actor=actor,
            verb=verb,
            target=enrolment,
            subject=enrolment.user,
            scope_path=cohort.scope.path,
            changes={"mode": (None, enrolment.mode)},
            reason=_("Class list import"),
        )


def _change_modes(cohort: Cohort, plan: ImportPlan, actor: User | None) -> None:
    wanted = {p.user_id: p.mode for p in plan.rows if p.effect is Effect.CHANGE_MODE and p.user_id}
    rows = list(Enrolment.objects.select_related("user").filter(cohort=cohort, user_id__in=wanted))
    for enrolment in rows:
        before, enrolment.mode = enrolment.mode, wanted[enrolment.user_id]
        audit.record(
            actor=actor,
            verb="enrolment.changed",
            target=enrolment,
            subject=enrolment.user,
            scope_path=cohort.scope.path,
            changes={"mode": (before, enrolment.mode)},
            reason=_("Class list import"),
        )
    Enrolment.objects.bulk_update(rows, ["mode"])


def _digest(cohort: Cohort, plan: ImportPlan) -> str:
    said = [[p.row.line, p.row.email, p.row.name, p.row.number, p.effect, p.mode] for p in plan.rows]
    refused = [[error.line, error.code] for error in plan.errors]
    return hashlib.sha256(json.dumps([cohort.pk, said, refused]).encode()).hexdigest()
