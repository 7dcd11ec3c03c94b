"""Whom an announcement reaches, as the database has it now."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from campus.people.api import Role
from campus.people.models import RoleGrant, User
from courses.catalog.models import Cohort, Enrolment

from .models import Announcement

TEACHERS = (Role.INSTRUCTOR, Role.ASSISTANT)


@dataclass(frozen=True)
class Reached:
    """How many people an announcement reaches; somebody may be both learner and staff and is one person of `people`."""

    people: int
    learners: int
    staff: int


def audience(about: Announcement) -> QuerySet[User]:
    """Return the people it is for, its author left out."""
    learners, staff = Q(pk__in=learners_of(about)), Q(pk__in=staff_of(about))
    chosen = {
        Announcement.Role.ALL: learners | staff,
        Announcement.Role.LEARNERS: learners,
        Announcement.Role.STAFF: staff,
    }[Announcement.Role(about.role)]
    return User.objects.filter(chosen, is_active=True).exclude(pk=about.author_id or 0)


def learners_of(about: Announcement) -> QuerySet[Any, Any]:
    """Ids of the people enrolled there."""
    places = {
        Announcement.Reach.COHORT: Q(cohort=about.cohort_id),
        Announcement.Reach.RUN: Q(run=about.run_id),
        Announcement.Reach.CAMPUS: Q(cohort__campus=about.campus_id),
        Announcement.Reach.EVERYONE: Q(),
    }
    active = Enrolment.objects.filter(places[Announcement.Reach(about.reach)], state=Enrolment.State.ACTIVE)
    return active.order_by().values("user_id")


def staff_of(about: Announcement) -> QuerySet[Any, Any]:
    """Ids of the people who teach there, for a campus and for all also of those who administer there."""
    grants = RoleGrant.objects.order_by()
    if about.reach in (Announcement.Reach.COHORT, Announcement.Reach.RUN):
        here = Q(pk=about.cohort_id) if about.reach == Announcement.Reach.COHORT else Q(run=about.run_id)
        paths = Cohort.objects.filter(here).values_list("scope__path", flat=True)
        grants = grants.filter(role__in=TEACHERS, scope_id__in={scope for path in paths for scope in path})
    elif about.campus is not None:
        grants = grants.filter(scope__path__contains=[about.campus.scope_id])
    return grants.values("user_id")


def count_reached(about: Announcement) -> Reached:
    """Count whom it would reach if it were published now."""
    people = audience(about)
    wanted = about.role
    learners = people.filter(pk__in=learners_of(about)).count() if wanted != Announcement.Role.STAFF else 0
    staff = people.filter(pk__in=staff_of(about)).count() if wanted != Announcement.Role.LEARNERS else 0
    return Reached(people.count(), learners, staff)
