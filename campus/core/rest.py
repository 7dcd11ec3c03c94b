"""The REST API's one error shape (RFC 9457), its pagination, and times as it takes them."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import set_rollback

from .errors import CampusError, InvalidInput

PROBLEM_JSON = "application/problem+json"


class CampusPagination(CursorPagination):
    """Newest first, by id, so that a page does not shift while new rows arrive."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 200


class TimeField(serializers.DateTimeField):
    """A time of this age: what is centuries away is a slip, and no calendar takes it."""

    def to_internal_value(self, value: Any) -> datetime:
        found: datetime = super().to_internal_value(value)
        if not 2000 <= found.year < 2200:
            raise serializers.ValidationError(_("Choose a time of this age."))
        return found


def problem(
    *, status: int, code: str, title: str, detail: str = "", errors: list[dict[str, str]] | None = None, **facts: Any
) -> dict[str, Any]:
    """Return an RFC 9457 problem: `type`, `title`, `status`, `detail`, and `errors` as {field, detail}."""
    body: dict[str, Any] = {"type": f"urn:campus:problem:{code}", "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    return body | facts


def unavailable() -> dict[str, Any]:
    """Return the problem of a database that is away."""
    detail = _("Nothing was lost. Please try again in a moment.")
    return problem(status=503, code="unavailable", title=_("The database cannot be reached"), detail=detail)


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every failure of the API leaves in one shape."""
    body = _problem_of(exc)
    if body is None:
        return None
    set_rollback()
    headers = {}
    if auth_header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return Response(body, status=body["status"], headers=headers, content_type=PROBLEM_JSON)


def _problem_of(exc: Exception) -> dict[str, Any] | None:
    if isinstance(exc, InvalidInput):
        errors = [{"field": name, "detail": str(text)} for name, texts in exc.fields.items() for text in texts]
        return problem(
            status=exc.status, code=exc.code, title=str(exc.title), detail=str(exc.message), errors=errors, **exc.facts
        )
    if isinstance(exc, CampusError):
        return problem(status=exc.status, code=exc.code, title=str(exc.title), detail=str(exc.message), **exc.facts)
    if isinstance(exc, exceptions.ValidationError):
        errors = list(_flatten(exc.detail))
        return problem(status=400, code="invalid", title=_("Please correct what was entered"), errors=errors)
    if isinstance(exc, exceptions.APIException):
        code = str(exc.get_codes()) if isinstance(exc.detail, str) else "invalid"
        title = str(exc.default_detail)
        if "{" in title:  # a gap that only the detail fills
            title = str(exc.detail)
        return problem(status=exc.status_code, code=code, title=title, detail=str(exc.detail))
    if isinstance(exc, Http404):
        return problem(status=404, code="not_found", title=_("There is no such page or thing"))
    if isinstance(exc, PermissionDenied):
        return problem(status=403, code="not_allowed", title=_("You may not do that"))
    if isinstance(exc, OperationalError | InterfaceError):
        return unavailable()
    return None


def _flatten(detail: Any, field: str = "") -> Any:
    """Yield {field, detail} for every leaf of DRF's nested error structure; nested names join by dots."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flatten(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _flatten(inner, f"{field}.{index}" if nested else field)
    else:
        yield {"field": field, "detail": str(detail)}
