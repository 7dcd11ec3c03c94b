"""Error pages and the health check."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import TooManyFilesSent
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from .rest import PROBLEM_JSON, problem, unavailable

#: Below these, programs are answered with problem documents, not with pages.
PROGRAM_PREFIXES = ("/api/", "/node/")
RETRY_AFTER_S = 5
ICON = Path(__file__).parent / "static" / "core" / "icon.svg"


@login_not_required
@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, else 503. Celery and Redis may be away: no job depends on them."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "unreachable"}, status=503)
    return JsonResponse({"status": "ok"})


@login_not_required
@require_GET
@cache_control(public=True, max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:
    """Serve the icon to whoever asks for it without having read a page: the design system's own, there is one."""
    return HttpResponse(ICON.read_bytes(), content_type="image/svg+xml")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    detail = ""
    if isinstance(exception, TooManyFilesSent):
        detail = _("More than %(most)s files came at once. Go back, and send fewer, or one zip.")
        detail %= {"most": settings.DATA_UPLOAD_MAX_NUMBER_FILES}
    if _is_program(request):
        title = _("This request could not be understood")
        return _problem(status=400, code="bad_request", title=title, detail=detail)
    return render(request, "400.html", {"detail": detail}, status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if _is_program(request):
        return _problem(status=403, code="not_allowed", title=_("You may not do that"))
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if _is_program(request):
        return _problem(status=404, code="not_found", title=_("There is no such page or thing"))
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for what nobody expected; and 503 where the database was away, also for what failed before a view."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return database_away(request)
    if _is_program(request):
        return _problem(status=500, code="server_error", title=_("Something went wrong"))
    # No context and no request: what broke may be what those would ask.
    return HttpResponse(get_template("500.html").render(), status=500)


def database_away(request: HttpRequest) -> HttpResponse:
    """Say that nothing was lost and that trying again helps. Asks nothing of the database."""
    if _is_program(request):
        response: HttpResponse = JsonResponse(unavailable(), status=503, content_type=PROBLEM_JSON)
    else:
        response = HttpResponse(get_template("503.html").render(), status=503)
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", {"reason": reason}, status=403)


def _is_program(request: HttpRequest) -> bool:
    return request.path.startswith(PROGRAM_PREFIXES)


def _problem(*, status: int, **said: Any) -> JsonResponse:
    return JsonResponse(problem(status=status, **said), status=status, content_type=PROBLEM_JSON)
