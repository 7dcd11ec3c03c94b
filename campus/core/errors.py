"""The errors that services raise, and the shape that both pages and the API show them in.

An error says what happened, which field it is about, and what to do. Services raise these; views never
catch them to hide them: `campus.core.middleware` answers for pages, `campus.core.rest` for the API.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class CampusError(Exception):
    """Base of all expected errors. `code` is stable for programs, `message` is for people."""

    status = 400
    code = "invalid"
    title: Text = _("That could not be done")

    def __init__(self, message: Text = "", *, code: str | None = None, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(str(message) or str(self.title))
        self.message: Text = message or self.title
        self.code = code or self.code
        self.facts = dict(facts or {})


class InvalidInput(CampusError):
    """Something that was given is wrong. `fields` maps a field name to its messages."""

    status = 400
    code = "invalid"
    title = _("Please correct what was entered")

    def __init__(
        self,
        fields: Mapping[str, Text | Sequence[Text]] | None = None,
        message: Text = "",
        *,
        code: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code, facts=facts)
        self.fields: dict[str, list[Text]] = {
            name: [texts] if isinstance(texts, str | Promise) else list(texts) for name, texts in (fields or {}).items()
        }

    def beside(self, earlier: "InvalidInput | None") -> "InvalidInput":
        """Say these fields together with those of an `earlier` error, whose code and words come first."""
        if earlier is None:
            return self
        return InvalidInput(
            self.fields | earlier.fields, earlier.message, code=earlier.code, facts=self.facts | earlier.facts
        )


class NotAllowed(CampusError):
    """The person may see it but not do that."""

    status = 403
    code = "not_allowed"
    title = _("You may not do that")


class NotFound(CampusError):
    """It does not exist, or this person may not know that it does."""

    status = 404
    code = "not_found"
    title = _("There is no such page or thing")


class Conflict(CampusError):
    """The state of things changed, or does not allow it now."""

    status = 409
    code = "conflict"
    title = _("That is not possible now")


class OverQuota(CampusError):
    """No account on the way up may hold that much. `facts` says which, what is left, and who can help."""

    status = 409
    code = "over_quota"
    title = _("Not enough GPU time is left")


class Full(CampusError):
    """No seat is left."""

    status = 409
    code = "full"
    title = _("Every seat is taken")


class TooLarge(CampusError):
    status = 413
    code = "too_large"
    title = _("That is too large")


class TooManyAttempts(CampusError):
    """Tried too often in a short time."""

    status = 429
    code = "too_many_attempts"
    title = _("Too many attempts")
