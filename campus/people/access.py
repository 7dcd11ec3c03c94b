"""Who may do what: the staff roles a person holds, and where. Default deny.

A `Standing` is loaded once per request (one query) and asked from then on. A role counts at its scope and at
everything below it. Being a learner is not a role: see `courses.catalog`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from campus.core.compiled import Compiled, Given
from campus.core.notices.unread import KEPT, unread_of

from .models import RoleGrant, User

Role = RoleGrant.Role

TEACHING = frozenset({Role.ASSISTANT, Role.INSTRUCTOR, Role.CAMPUS_ADMIN, Role.PLATFORM_ADMIN})
INSTRUCTING = frozenset({Role.INSTRUCTOR, Role.CAMPUS_ADMIN, Role.PLATFORM_ADMIN})
ADMINISTERING = frozenset({Role.CAMPUS_ADMIN, Role.PLATFORM_ADMIN})
PLATFORM = frozenset({Role.PLATFORM_ADMIN})


@dataclass(frozen=True)
class Standing:
    """The staff roles of one person: (role, scope id) pairs."""

    user_id: int | None
    grants: tuple[tuple[str, int], ...] = ()

    def holds(self, roles: Iterable[str], scope_path: Sequence[int]) -> bool:
        """Say whether one of `roles` is held at one of the scopes in `scope_path` (root to leaf)."""
        return any(role in roles and scope_id in scope_path for role, scope_id in self.grants)

    def holds_anywhere(self, roles: Iterable[str]) -> bool:
        """Say whether one of `roles` is held at any scope."""
        return any(role in roles for role, _scope_id in self.grants)

    def scope_ids(self, roles: Iterable[str]) -> list[int]:
        """Return the scopes at which one of `roles` is held directly; use with `scope__path__overlap`."""
        return sorted({scope_id for role, scope_id in self.grants if role in roles})

    @property
    def is_teaching(self) -> bool:
        return self.holds_anywhere(TEACHING)

    @property
    def is_administering(self) -> bool:
        return self.holds_anywhere(ADMINISTERING)

    @property
    def is_platform_admin(self) -> bool:
        return self.holds_anywhere(PLATFORM)


NOBODY = Standing(user_id=None)
# Every page asks it.
_HELD = Compiled(
    lambda: User.objects.filter(pk=Given("user_id")).values_list(
        "role_grants__role", "role_grants__scope_id", unread_of("pk")
    )
)


def standing_of(user: Any) -> Standing:
    """Return the user's standing; loaded once and kept on the user object. Anonymous people hold nothing.

    The count of unread notices, which every page shows too, comes with the same query.
    """
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return NOBODY
    kept = getattr(user, "_standing", None)
    if kept is None:
        rows = _HELD.rows(user_id=user.pk)
        held = tuple((role, scope_id) for role, scope_id, _unread in rows if role is not None)
        kept = user._standing = Standing(user_id=user.pk, grants=held)
        setattr(user, KEPT, rows[0][2] if rows else 0)
    return kept
