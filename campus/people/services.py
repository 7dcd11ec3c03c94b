"""What may be changed about people: their roles, their profile, whether they may sign in."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from knox.models import get_token_model

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from campus.core.revocations import tell_access_changed

from .access import Role, standing_of
from .models import RoleGrant, Scope, User

# Which kind of scope a role is held at. An instructor of a campus teaches each cohort of it.
ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.ASSISTANT: frozenset({Scope.Kind.CAMPUS, Scope.Kind.COHORT}),
    Role.INSTRUCTOR: frozenset({Scope.Kind.CAMPUS, Scope.Kind.COHORT}),
    Role.CAMPUS_ADMIN: frozenset({Scope.Kind.CAMPUS}),
    Role.PLATFORM_ADMIN: frozenset({Scope.Kind.PLATFORM}),
}


def may_grant(actor: User | None, role: str, scope: Scope) -> bool:
    """Say whether `actor` may give or take `role` at `scope`; None is the operator at the shell.

    Platform administrators may everything; campus administrators may appoint teaching staff on their campus.
    """
    if actor is None:
        return True
    standing = standing_of(actor)
    if standing.is_platform_admin:
        return True
    return role in (Role.ASSISTANT, Role.INSTRUCTOR) and standing.holds([Role.CAMPUS_ADMIN], scope.path)


@transaction.atomic
def open_scope(*, kind: str, name: str, parent: Scope | None = None) -> Scope:
    """Create a scope below `parent` and give it its path. The platform has no parent."""
    scope = Scope.objects.create(kind=kind, name=name, parent=parent)
    scope.path = [*(parent.path if parent else []), scope.pk]
    scope.save(update_fields=["path"])
    return scope


def platform_scope() -> Scope:
    """Return the root of the scopes; it is made by a migration, so it is always there."""
    return Scope.objects.get(kind=Scope.Kind.PLATFORM)


@transaction.atomic
def grant_role(*, user: User, role: str, scope: Scope, actor: User | None) -> RoleGrant:
    """Give `user` the staff role `role` at `scope`.

    Raises NotAllowed, InvalidInput (a role that cannot be held there), Conflict (held already).
    """
    if role not in ROLE_SCOPES:
        raise InvalidInput({"role": _("Choose one of the roles in the list.")})
    if scope.kind not in ROLE_SCOPES[role]:
        raise InvalidInput({"scope": _("This role cannot be held there; choose another place.")})
    if not may_grant(actor, role, scope):
        raise NotAllowed(_("You may appoint teaching staff on your own campus; ask a platform administrator."))
    try:
        with transaction.atomic():
            grant = RoleGrant.objects.create(user=user, role=role, scope=scope, granted_by=actor)
    except IntegrityError as error:
        raise Conflict(_("%(name)s holds that role there already.") % {"name": user.name}) from error
    audit.record(
        actor=actor,
        verb="role.granted",
        target=user,
        subject=user,
        scope_path=scope.path,
        changes={"role": (None, f"{grant.get_role_display()} · {scope.name}")},
    )
    return grant


@transaction.atomic
def revoke_role(*, grant_id: int, actor: User) -> User:
    """Take a role away and return whose it was.

    Raises NotFound, NotAllowed, Conflict (the last platform administrator would lock everyone out).
    """
    grant = RoleGrant.objects.select_related("user", "scope").filter(pk=grant_id).first()
    if grant is None:
        raise NotFound
    if not may_grant(actor, grant.role, grant.scope):
        raise NotAllowed
    if grant.role == Role.PLATFORM_ADMIN and _other_administrators(grant.user) == 0:
        raise Conflict(_("This is the last platform administrator. Appoint another one first."))
    audit.record(
        actor=actor,
        verb="role.revoked",
        target=grant.user,
        subject=grant.user,
        scope_path=grant.scope.path,
        changes={"role": (f"{grant.get_role_display()} · {grant.scope.name}", None)},
    )
    user: User = grant.user
    grant.delete()
    tell_access_changed(user.pk)
    return user


def _other_administrators(user: User) -> int:
    """Count the platform administrators beside `user` who can sign in.

    Locked in one order, so that two administrators who remove each other cannot both succeed.
    """
    held = RoleGrant.objects.select_for_update(of=("self",)).filter(role=Role.PLATFORM_ADMIN).order_by("pk")
    ids = [grant.user_id for grant in held]
    return User.objects.filter(pk__in=ids, is_active=True).exclude(pk=user.pk).count()


@transaction.atomic
def set_active(*, user: User, is_active: bool, actor: User, reason: str) -> User:
    """Let a person sign in, or stop them. Their work and ledger stay.

    Raises NotAllowed (only platform administrators), Conflict (oneself, the last administrator),
    InvalidInput (no reason).
    """
    if not standing_of(actor).is_platform_admin:
        raise NotAllowed
    if user.pk == actor.pk:
        raise Conflict(_("You cannot close your own account here; ask another administrator."))
    if not reason.strip():
        raise InvalidInput({"reason": _("Say why; it is kept in the audit trail.")})
    if not is_active and _other_administrators(user) == 0:
        raise Conflict(_("This is the last platform administrator. Appoint another one first."))
    before = user.is_active
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    if not is_active:
        get_token_model().objects.filter(user=user).delete()
        tell_access_changed(user.pk)
    audit.record(
        actor=actor,
        verb="person.reopened" if is_active else "person.closed",
        target=user,
        subject=user,
        changes={"is_active": (before, is_active)},
        reason=reason,
    )
    return user


@transaction.atomic
def update_profile(*, user: User, name: str, language: str, theme: str) -> User:
    """Change one's own name, language and theme. A changed name is audited: class lists show it."""
    before = user.name
    user.name, user.language, user.theme = name.strip(), language, theme
    user.full_clean(validate_unique=False, validate_constraints=False)
    user.save(update_fields=["name", "language", "theme"])
    if before != user.name:
        audit.record(
            actor=user, verb="person.renamed", target=user, subject=user, changes={"name": (before, user.name)}
        )
    return user
