"""Opening and changing programmes, courses, terms, runs and cohorts. `actor` None is the platform itself (seeding)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput, NotAllowed, NotFound
from campus.people.api import ADMINISTERING, open_scope, standing_of
from campus.people.models import Scope, User
from campus.places.models import Campus
from courses.catalog.domain.enrolment import overcommit_pct
from courses.catalog.models import Cohort, Course, CourseRun, Programme, ProgrammeAccount, Term
from labs.quota import api as quota
from labs.quota.models import Account

from .saving import clean, save_changes, save_new


@transaction.atomic
def open_programme(
    *, slug: str, name_ko: str, name_en: str = "", summary_ko: str = "", summary_en: str = "", actor: User | None
) -> Programme:
    """Open a programme. Raises NotAllowed (administrators only), InvalidInput."""
    _require_administrator(actor)
    programme = Programme(slug=slug, name_ko=name_ko, name_en=name_en, summary_ko=summary_ko, summary_en=summary_en)
    save_new(programme, actor=actor)
    return programme


@transaction.atomic
def change_programme(*, programme_id: int, fields: Mapping[str, Any], actor: User | None) -> Programme:
    """Change a programme's names and summaries. Raises NotFound, NotAllowed, InvalidInput."""
    return _change(Programme, programme_id, fields, actor)


@transaction.atomic
def open_course(
    *,
    programme_id: int,
    code: str,
    name_ko: str,
    name_en: str = "",
    summary_ko: str = "",
    summary_en: str = "",
    actor: User | None,
) -> Course:
    """Open a course of a programme. Raises NotAllowed (administrators only), InvalidInput."""
    _require_administrator(actor)
    course = Course(
        programme_id=programme_id,
        code=code,
        name_ko=name_ko,
        name_en=name_en,
        summary_ko=summary_ko,
        summary_en=summary_en,
    )
    save_new(course, actor=actor)
    return course


@transaction.atomic
def change_course(*, course_id: int, fields: Mapping[str, Any], actor: User | None) -> Course:
    """Change a course's names and summaries. Raises NotFound, NotAllowed, InvalidInput."""
    return _change(Course, course_id, fields, actor)


@transaction.atomic
def open_term(
    *, slug: str, name_ko: str, name_en: str = "", starts_on: date, ends_on: date, actor: User | None
) -> Term:
    """Open a term. Raises NotAllowed (administrators only), InvalidInput."""
    _require_administrator(actor)
    _check_days(starts_on, ends_on)
    term = Term(slug=slug, name_ko=name_ko, name_en=name_en, starts_on=starts_on, ends_on=ends_on)
    save_new(term, actor=actor)
    return term


@transaction.atomic
def change_term(*, term_id: int, fields: Mapping[str, Any], actor: User | None) -> Term:
    """Change a term's names and dates. Raises NotFound, NotAllowed, InvalidInput."""
    _check_days(fields.get("starts_on"), fields.get("ends_on"))
    return _change(Term, term_id, fields, actor)


@transaction.atomic
def open_run(*, course_id: int, term_id: int, slug: str, is_published: bool = False, actor: User | None) -> CourseRun:
    """Open a course in a term. Raises NotAllowed (administrators only), InvalidInput."""
    _require_administrator(actor)
    _check_not_given(course_id, term_id)
    run = CourseRun(course_id=course_id, term_id=term_id, slug=slug, is_published=is_published)
    save_new(run, actor=actor)
    return run


@transaction.atomic
def change_run(*, run_id: int, fields: Mapping[str, Any], actor: User | None) -> CourseRun:
    """Publish or hide a run, or change its address. Raises NotFound, NotAllowed, InvalidInput."""
    if "course" in fields and "term" in fields:
        _check_not_given(fields["course"].pk, fields["term"].pk, but=run_id)
    return _change(CourseRun, run_id, fields, actor)


def programme_account(*, programme: Programme, campus: Campus, actor: User | None) -> Account:
    """Return the programme's quota account at a campus; opened empty when it is first asked for.

    Raises NotFound where the campus has no account of its own yet.
    """
    link = ProgrammeAccount.objects.select_related("account").filter(programme=programme, campus=campus).first()
    if link is not None:
        return link.account
    parent = Account.objects.filter(kind=Account.Kind.CAMPUS, scope_id=campus.scope_id).first()
    if parent is None:
        raise NotFound(_("This campus has no quota account yet; open one under the platform first."))
    try:
        with transaction.atomic():
            account = quota.open_account(
                kind=Account.Kind.PROGRAMME, name=programme.name_ko, parent=parent, scope=campus.scope, actor=actor
            )
            ProgrammeAccount.objects.create(programme=programme, campus=campus, account=account)
    except IntegrityError:  # somebody opened it in the same moment
        return ProgrammeAccount.objects.get(programme=programme, campus=campus).account
    return account


@transaction.atomic
def open_cohort(
    *,
    run_id: int,
    campus_id: int,
    name: str,
    seats: int,
    learner_quota_s: int,
    quota_s: int | None = None,
    self_enrolment_opens_at: datetime | None = None,
    self_enrolment_closes_at: datetime | None = None,
    actor: User | None,
) -> Cohort:
    """Open a cohort with its scope below the campus and its quota account below the programme's.

    `quota_s` GPU-seconds come from the campus by way of the programme; left out, it is enough for every seat's
    `learner_quota_s`. With less, learners share: each may use up to their part, together no more than `quota_s`.
    Raises NotFound, NotAllowed (administrators of that campus), InvalidInput, OverQuota (the campus has less).
    """
    run = CourseRun.objects.select_related("course__programme", "term").filter(pk=run_id).first()
    campus = Campus.objects.select_related("scope").filter(pk=campus_id).first()
    if run is None or campus is None:
        raise NotFound
    _require_administrator(actor, campus)
    _check_window(self_enrolment_opens_at, self_enrolment_closes_at)
    cohort = Cohort(
        run=run,
        campus=campus,
        name=name,
        seats=seats,
        learner_quota_s=learner_quota_s,
        self_enrolment_opens_at=self_enrolment_opens_at,
        self_enrolment_closes_at=self_enrolment_closes_at,
    )
    clean(cohort, exclude=("scope", "account"))
    cohort.scope = open_scope(kind=Scope.Kind.COHORT, name=f"{run.course.name_ko} · {name}", parent=campus.scope)
    cohort.account = _cohort_account(
        cohort, seats * learner_quota_s if quota_s is None else quota_s, run.course.programme, actor
    )
    save_new(cohort, actor=actor, scope_path=cohort.scope.path)
    return cohort


@transaction.atomic
def change_cohort(*, cohort_id: int, fields: Mapping[str, Any], actor: User | None) -> Cohort:
    """Change a cohort's name, seats, window or learners' quota (which counts for those who enrol from now on).

    Raises NotFound, NotAllowed, InvalidInput (also for fewer seats than are taken).
    """
    cohort = (
        Cohort.objects.select_for_update(of=("self",))
        .select_related("campus__scope", "scope")
        .filter(pk=cohort_id)
        .first()
    )
    if cohort is None:
        raise NotFound
    _require_administrator(actor, cohort.campus)
    if fields.get("seats", cohort.seats) < cohort.seats_taken:
        taken = _("%(taken)d seats are taken; withdraw people first or keep at least so many.")
        raise InvalidInput({"seats": taken % {"taken": cohort.seats_taken}})
    opens_at = fields.get("self_enrolment_opens_at", cohort.self_enrolment_opens_at)
    _check_window(opens_at, fields.get("self_enrolment_closes_at", cohort.self_enrolment_closes_at))
    save_changes(cohort, fields, actor=actor, scope_path=cohort.scope.path)
    return cohort


def _cohort_account(cohort: Cohort, quota_s: int, programme: Programme, actor: User | None) -> Account:
    """Open the cohort's account and move what the programme's lacks down from the campus."""
    parent = programme_account(programme=programme, campus=cohort.campus, actor=actor)
    short = quota_s - (parent.allocated_s * parent.overcommit_pct // 100 - parent.granted_s)
    if short > 0:
        reason = _("For the cohort %(name)s") % {"name": cohort.name}
        quota.allocate(account_id=parent.pk, delta_s=short, reason=reason, actor=actor)
        parent.refresh_from_db()
    return quota.open_account(
        kind=Account.Kind.COHORT,
        name=cohort.name,
        parent=parent,
        scope=cohort.scope,
        allocated_s=quota_s,
        overcommit_pct=overcommit_pct(seats=cohort.seats, learner_quota_s=cohort.learner_quota_s, quota_s=quota_s),
        actor=actor,
    )


def _check_not_given(course_id: int, term_id: int, *, but: int | None = None) -> None:
    """Raise InvalidInput where another run than `but` gives that course in that term."""
    given = CourseRun.objects.select_related("course", "term").filter(course_id=course_id, term_id=term_id)
    other = next((run for run in given if run.pk != but), None)
    if other is not None:
        words = _(
            "%(course)s is given in %(term)s already, at the address “%(slug)s”. "
            "Open another cohort there, or choose another term."
        )
        facts = {"course": other.course, "term": other.term, "slug": other.slug}
        raise InvalidInput({"term": words % facts})


def _check_days(starts_on: date | None, ends_on: date | None) -> None:
    if starts_on is not None and ends_on is not None and ends_on <= starts_on:
        raise InvalidInput({"ends_on": _("A term must end after it starts.")})


def _check_window(opens_at: datetime | None, closes_at: datetime | None) -> None:
    if closes_at is not None and opens_at is None:
        raise InvalidInput({"self_enrolment_opens_at": _("Say when self-enrolment opens, or leave both empty.")})
    if closes_at is not None and opens_at is not None and closes_at <= opens_at:
        raise InvalidInput({"self_enrolment_closes_at": _("Self-enrolment must close after it opens.")})


def _change(model: Any, pk: int, fields: Mapping[str, Any], actor: User | None) -> Any:
    _require_administrator(actor)
    found = model.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise NotFound
    save_changes(found, fields, actor=actor)
    return found


def _require_administrator(actor: User | None, campus: Campus | None = None) -> None:
    """Raise NotAllowed unless `actor` administers `campus`, or any campus where none is given."""
    if actor is None:
        return
    standing = standing_of(actor)
    if campus is None and standing.is_administering:
        return
    if campus is not None and standing.holds(ADMINISTERING, campus.scope.path):
        return
    raise NotAllowed(_("Only an administrator may do that."))
