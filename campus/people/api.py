"""What other apps may use of people, besides the models."""

from .access import ADMINISTERING, INSTRUCTING, PLATFORM, TEACHING, Role, Standing, standing_of
from .services import grant_role, may_grant, open_scope, platform_scope, revoke_role, set_active

__all__ = [
    "ADMINISTERING",
    "INSTRUCTING",
    "PLATFORM",
    "TEACHING",
    "Role",
    "Standing",
    "grant_role",
    "may_grant",
    "open_scope",
    "platform_scope",
    "revoke_role",
    "set_active",
    "standing_of",
]
