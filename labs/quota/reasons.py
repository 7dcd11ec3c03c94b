"""Why a line of the ledger was posted, in words. Services give codes, so that each reader sees their own language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, str | Promise] = {
    "cancelled": _("Cancelled before it started"),
    "lost": _("Lost by the platform"),
    "COMPLETED": _("Ended by itself"),
    "EXIT_CODE": _("Ended with an error"),
    "OUT_OF_MEMORY": _("Needed more memory than it was given"),
    "OUTPUT_FLOOD": _("Printed more than a log may hold"),
    "WALL_LIMIT": _("Reached its time limit"),
    "CANCELLED": _("Cancelled"),
    "PLATFORM": _("Lost by the platform"),
    "ENVIRONMENT": _("Its environment could not be built"),
}


def in_words(reason: str) -> str:
    """Return what a reason means; one that is no code says itself."""
    return str(REASONS.get(reason, reason))
