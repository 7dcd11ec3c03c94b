"""What the combined pages read."""

from django.db.models import Prefetch, Q, QuerySet

from campus.core.models import AuditEntry
from campus.people.access import ADMINISTERING, Standing
from campus.people.models import RoleGrant, Scope, User
from courses.catalog.models import Enrolment


def people_for(standing: Standing) -> QuerySet[User]:
    """Return the people whom an administrator looks after, with their roles and enrolments at hand.

    A platform administrator sees everyone, a campus administrator those who teach or learn on that campus.
    """
    people = User.objects.order_by("name", "pk").prefetch_related(
        Prefetch("role_grants", RoleGrant.objects.select_related("scope")),
        Prefetch("enrolments", Enrolment.objects.select_related("cohort__run__course", "cohort__campus")),
    )
    if standing.is_platform_admin:
        return people
    scopes = standing.scope_ids(ADMINISTERING)
    of_scope = Q(role_grants__scope__path__overlap=scopes) | Q(enrolments__cohort__scope__path__overlap=scopes)
    ids = User.objects.filter(of_scope).values("pk")
    return people.filter(pk__in=ids)


def scopes_for(standing: Standing) -> QuerySet[Scope]:
    """Return the scopes at which this administrator may appoint people."""
    scopes = Scope.objects.select_related("parent").order_by("path")
    if standing.is_platform_admin:
        return scopes
    return scopes.filter(path__overlap=standing.scope_ids(ADMINISTERING))


def audit_for(standing: Standing, user_id: int | None) -> QuerySet[AuditEntry]:
    """Return the audit entries a person may read: a platform administrator all, other administrators those of
    their scopes, and everyone what was done to their own."""
    entries = AuditEntry.objects.select_related("subject")
    if standing.is_platform_admin:
        return entries
    mine = Q(subject_id=user_id)
    for scope_id in standing.scope_ids(ADMINISTERING):
        mine |= Q(scope_path__contains=scope_id)
    return entries.filter(mine)
