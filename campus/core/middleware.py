"""Language, the caller's address for the audit trail, and expected errors as pages."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib import messages
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

from .audit import client_ip
from .errors import CampusError, InvalidInput
from .views import database_away

logger = structlog.get_logger(__name__)

Handler = Callable[[HttpRequest], HttpResponse]


class LanguageMiddleware:
    """Korean unless the reader switched; the API listens to Accept-Language, as programs expect."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):
            language = translation.get_language_from_request(request)
        else:
            wished = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
            language = wished if wished in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            token = client_ip.set(request.META.get("REMOTE_ADDR") or None)
            try:
                response = self.get_response(request)
            finally:
                client_ip.reset(token)
        response.headers.setdefault("Content-Language", language)
        return response


class CampusErrorMiddleware:
    """Shows an expected error of a page's service as a page that says what to do, and a lost database as such.

    Views that can show the error beside their form catch it themselves; this is for the rest.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError | InterfaceError):
            logger.warning("database_away", path=request.path, error=str(exception))
            return database_away(request)
        if isinstance(exception, DataError) and "NUL" in str(exception):
            # PostgreSQL takes that character in no text. Forms refuse it; this is for what is read without one.
            exception = InvalidInput(message=_("There is a character in it that no text may have."))
        if not isinstance(exception, CampusError):
            return None
        if getattr(request, "htmx", False):
            response = HttpResponse(status=204)
            messages.error(request, str(exception.message))
            response.headers["HX-Refresh"] = "true"
            return response
        context = {"error": exception, "status": exception.status}
        return render(request, "core/error.html", context, status=exception.status)
