"""Who may appoint whom, who stays the last administrator, and what the audit trail tells of it."""

import threading
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from campus.core.audit import client_ip
from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from campus.core.models import AuditEntry
from campus.people import services
from campus.people.access import Role, standing_of
from campus.people.models import RoleGrant, Scope, User
from tests import factories

# actor role, role given, kind of scope, may they
APPOINTING = [
    ("PLATFORM_ADMIN", "PLATFORM_ADMIN", "PLATFORM", True),
    ("PLATFORM_ADMIN", "CAMPUS_ADMIN", "CAMPUS", True),
    ("PLATFORM_ADMIN", "INSTRUCTOR", "COHORT", True),
    ("CAMPUS_ADMIN", "PLATFORM_ADMIN", "PLATFORM", False),
    ("CAMPUS_ADMIN", "CAMPUS_ADMIN", "CAMPUS", False),
    ("CAMPUS_ADMIN", "INSTRUCTOR", "CAMPUS", True),
    ("CAMPUS_ADMIN", "ASSISTANT", "COHORT", True),
    ("INSTRUCTOR", "ASSISTANT", "COHORT", False),
    ("ASSISTANT", "ASSISTANT", "COHORT", False),
]


@pytest.fixture
def scopes(db: Any) -> dict[str, Scope]:
    home = factories.campus()
    return {"PLATFORM": factories.platform_scope(), "CAMPUS": home.scope, "COHORT": factories.cohort_scope(home)}


def held_at(role: str, scopes: dict[str, Scope]) -> Scope:
    return scopes[{"PLATFORM_ADMIN": "PLATFORM", "CAMPUS_ADMIN": "CAMPUS"}.get(role, "COHORT")]


def fresh(user: User) -> User:
    """The same person as the next request sees them."""
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize(("actor_role", "role", "kind", "may"), APPOINTING)
def test_who_may_appoint(scopes: dict[str, Scope], actor_role: str, role: str, kind: str, may: bool) -> None:
    actor, person = factories.staff(actor_role, held_at(actor_role, scopes)), factories.UserFactory()
    if may:
        services.grant_role(user=person, role=role, scope=scopes[kind], actor=actor)
        assert standing_of(fresh(person)).holds([role], scopes[kind].path)
    else:
        with pytest.raises(NotAllowed):
            services.grant_role(user=person, role=role, scope=scopes[kind], actor=actor)


def test_an_administrator_of_another_campus_appoints_nobody_here(scopes: dict[str, Scope]) -> None:
    actor = factories.staff("CAMPUS_ADMIN", factories.campus("jeonbuk", "전북", "Jeonbuk").scope)
    with pytest.raises(NotAllowed):
        services.grant_role(user=factories.UserFactory(), role="INSTRUCTOR", scope=scopes["COHORT"], actor=actor)


@pytest.mark.parametrize(
    ("role", "kind"),
    [("CAMPUS_ADMIN", "COHORT"), ("PLATFORM_ADMIN", "CAMPUS"), ("INSTRUCTOR", "PLATFORM"), ("CAPTAIN", "CAMPUS")],
)
def test_a_role_is_held_only_where_it_has_a_meaning(scopes: dict[str, Scope], role: str, kind: str) -> None:
    admin = factories.staff("PLATFORM_ADMIN", scopes["PLATFORM"])
    with pytest.raises(InvalidInput):
        services.grant_role(user=factories.UserFactory(), role=role, scope=scopes[kind], actor=admin)


def test_a_role_counts_at_its_scope_and_below_and_nowhere_else(scopes: dict[str, Scope]) -> None:
    elsewhere = factories.campus("jeonbuk", "전북", "Jeonbuk").scope
    standing = standing_of(factories.staff("INSTRUCTOR", scopes["CAMPUS"]))
    assert standing.holds([Role.INSTRUCTOR], scopes["COHORT"].path)
    assert not standing.holds([Role.INSTRUCTOR], elsewhere.path)
    assert not standing.holds([Role.INSTRUCTOR], scopes["PLATFORM"].path)


def test_a_role_is_given_once_and_taken_away_with_both_in_the_audit_trail(scopes: dict[str, Scope]) -> None:
    admin, person = factories.staff("PLATFORM_ADMIN", scopes["PLATFORM"], name="본부장"), factories.UserFactory()
    token = client_ip.set("203.0.113.7")
    try:
        grant = services.grant_role(user=person, role="INSTRUCTOR", scope=scopes["CAMPUS"], actor=admin)
        with pytest.raises(Conflict):
            services.grant_role(user=person, role="INSTRUCTOR", scope=scopes["CAMPUS"], actor=admin)
        services.revoke_role(grant_id=grant.pk, actor=admin)
    finally:
        client_ip.reset(token)
    with pytest.raises(NotFound):
        services.revoke_role(grant_id=grant.pk, actor=admin)
    entries = AuditEntry.objects.filter(subject=person).order_by("id")
    assert [(one.verb, one.actor_label, one.ip) for one in entries] == [
        ("role.granted", "본부장", "203.0.113.7"),
        ("role.revoked", "본부장", "203.0.113.7"),
    ]
    assert entries[0].scope_path == scopes["CAMPUS"].path


def test_the_last_platform_administrator_stays(scopes: dict[str, Scope]) -> None:
    admin = factories.staff("PLATFORM_ADMIN", scopes["PLATFORM"])
    closed = factories.staff("PLATFORM_ADMIN", scopes["PLATFORM"], is_active=False)
    with pytest.raises(Conflict):
        services.revoke_role(grant_id=admin.role_grants.get().pk, actor=admin)
    services.revoke_role(grant_id=closed.role_grants.get().pk, actor=admin)
    with pytest.raises(Conflict):
        services.set_active(user=admin, is_active=False, actor=admin, reason="me")


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_remove_each_other_cannot_both_succeed() -> None:
    root = factories.platform_scope()
    pair = [factories.staff("PLATFORM_ADMIN", root) for _ in range(2)]
    for person in pair:
        standing_of(person)  # each was judged before the other struck
    start, ended = threading.Barrier(2), []

    def remove(actor: User, other: User) -> None:
        try:
            start.wait(timeout=60)
            services.revoke_role(grant_id=other.role_grants.get().pk, actor=actor)
            ended.append("revoked")
        except (Conflict, RoleGrant.DoesNotExist):
            ended.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=order) for order in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(ended) == ["refused", "revoked"]
    assert RoleGrant.objects.filter(role=Role.PLATFORM_ADMIN).count() == 1


def test_closing_an_account_is_for_platform_administrators_with_a_reason(scopes: dict[str, Scope]) -> None:
    person = factories.UserFactory()
    admin = factories.staff("PLATFORM_ADMIN", scopes["PLATFORM"])
    local = factories.staff("CAMPUS_ADMIN", scopes["CAMPUS"])
    with pytest.raises(NotAllowed):
        services.set_active(user=person, is_active=False, actor=local, reason="left")
    with pytest.raises(InvalidInput):
        services.set_active(user=person, is_active=False, actor=admin, reason="  ")


def test_an_entry_of_the_audit_trail_cannot_be_deleted(scopes: dict[str, Scope]) -> None:
    admin = factories.staff("PLATFORM_ADMIN", scopes["PLATFORM"])
    grant = services.grant_role(user=factories.UserFactory(), role="CAMPUS_ADMIN", scope=scopes["CAMPUS"], actor=admin)
    assert grant.pk
    with pytest.raises(Exception, match="Cannot delete"), transaction.atomic():
        AuditEntry.objects.all().delete()


def test_createsuperuser_makes_a_platform_administrator_who_can_sign_in(
    scopes: dict[str, Scope], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", factories.PASSWORD)
    call_command("createsuperuser", email="First@Campus.test", name="첫관리자", interactive=False, verbosity=0)
    first = User.objects.get(email="first@campus.test")
    assert standing_of(first).is_platform_admin
    assert first.check_password(factories.PASSWORD)
    assert first.emailaddress_set.get().verified


def test_the_operator_appoints_an_administrator_by_e_mail(scopes: dict[str, Scope]) -> None:
    person = factories.UserFactory()
    call_command("appoint_admin", person.email.upper(), verbosity=0)
    assert standing_of(person).is_platform_admin
    assert AuditEntry.objects.get(subject=person).actor is None
    with pytest.raises(CommandError, match="nobody"):
        call_command("appoint_admin", "unknown@campus.test")
    with pytest.raises(CommandError):
        call_command("appoint_admin", person.email)
