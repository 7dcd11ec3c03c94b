"""Factories shared by all tests: people, scopes, campuses, accounts. Small; what only one folder needs lives there."""

from typing import Any

import factory

from campus.people.models import RoleGrant, Scope, User
from campus.places.models import Campus
from labs.quota.models import Account
from labs.quota.services import open_account

HOUR = 3600
PASSWORD = "campus-test-1"


class UserFactory(factory.django.DjangoModelFactory):
    """A person who can sign in with PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@campus.test")
    name = factory.Sequence(lambda n: f"김하늘{n}")
    password = factory.django.Password(PASSWORD)


def platform_scope() -> Scope:
    """The root, made here where a flushed database lost the migration's."""
    scope = Scope.objects.filter(kind=Scope.Kind.PLATFORM).first()
    return scope or scope_below(None, Scope.Kind.PLATFORM, "AI Campus")


def scope_below(parent: Scope | None, kind: str, name: str) -> Scope:
    scope = Scope.objects.create(kind=kind, name=name, parent=parent)
    scope.path = [*(parent.path if parent else []), scope.pk]
    scope.save(update_fields=["path"])
    return scope


def campus(slug: str = "yongin", name_ko: str = "용인", name_en: str = "Yongin", **fields: Any) -> Campus:
    """A campus with its scope below the platform."""
    scope = scope_below(platform_scope(), Scope.Kind.CAMPUS, name_ko)
    return Campus.objects.create(slug=slug, name_ko=name_ko, name_en=name_en, scope=scope, **fields)


def cohort_scope(home: Campus, name: str = "1기") -> Scope:
    return scope_below(home.scope, Scope.Kind.COHORT, name)


def staff(role: str, scope: Scope, **fields: Any) -> User:
    """A person who holds `role` at `scope`."""
    user = UserFactory(**fields)
    RoleGrant.objects.create(user=user, role=role, scope=scope)
    return user


def platform_account(allocated_s: int = 1000 * HOUR) -> Account:
    """The platform's account; opened once a test."""
    found = Account.objects.filter(kind=Account.Kind.PLATFORM).first()
    return found or account(Account.Kind.PLATFORM, None, platform_scope(), allocated_s, name="AI Campus")


def account(
    kind: str, parent: Account | None, scope: Scope, allocated_s: int = 0, *, name: str = "", **fields: Any
) -> Account:
    """Any account, opened by the service so that grants, history and path are right."""
    return open_account(
        kind=kind, name=name or kind.title(), parent=parent, scope=scope, allocated_s=allocated_s, **fields
    )


def learner_account(parent: Account, owner: User, allocated_s: int = 20 * HOUR) -> Account:
    """A learner's account below a cohort's, in the cohort's scope."""
    return account(Account.Kind.LEARNER, parent, parent.scope, allocated_s, name=owner.name, owner=owner)
