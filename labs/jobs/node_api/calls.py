"""What every call of the node API shares: the token, one error shape, and English, which operators' logs are in."""

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from campus.core.compiled import Compiled, Given
from campus.core.errors import CampusError, InvalidInput, TooLarge
from campus.core.rest import PROBLEM_JSON, problem
from infra.pool.api import token_digest
from infra.pool.models import Node

Call = Callable[..., HttpResponseBase]
_LONGEST_TOKEN = 200


def node_call(method: str) -> Callable[[Call], Call]:
    """Make a view a call of the node API: `view(request, node, **parts)`, for one HTTP method."""

    def decorate(view: Call) -> Call:
        @csrf_exempt
        @login_not_required
        @wraps(view)
        def call(request: HttpRequest, **parts: Any) -> HttpResponseBase:
            with translation.override("en"):
                if request.method != method:
                    response = _problem(405, "method_not_allowed", f"This address takes {method} only")
                    response["Allow"] = method
                    return response
                return _answer(view, request, parts)

        return call

    return decorate


def _answer(view: Call, request: HttpRequest, parts: dict[str, Any]) -> HttpResponseBase:
    try:
        node = _node_of(request)
        if node is None:
            response = _problem(401, "bad_token", "This node's token is not known")
            response["WWW-Authenticate"] = "Node"
            return response
        return view(request, node, **parts)
    except InvalidInput as error:
        errors = [{"field": name, "detail": str(text)} for name, texts in error.fields.items() for text in texts]
        return _problem(error.status, error.code, str(error.title), detail=str(error.message), errors=errors)
    except CampusError as error:
        return _problem(error.status, error.code, str(error.title), detail=str(error.message), **error.facts)
    except RequestDataTooBig:
        return _problem(TooLarge.status, TooLarge.code, str(TooLarge.title))
    except OperationalError:
        return _problem(503, "unavailable", "The database cannot be reached")


_OF_TOKEN = Compiled(lambda: Node.objects.filter(token_digest=Given("digest")).order_by())


def _node_of(request: HttpRequest) -> Node | None:
    """The node whose token the request carries. One query; what is kept of a token is its digest."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "node" or not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    digest = token_digest(token)
    node = _OF_TOKEN.model(digest=digest)
    # The index compared digests, of which a guess tells nothing; this compares all of it in constant time.
    return node if node is not None and hmac.compare_digest(node.token_digest, digest) else None


def _problem(status: int, code: str, title: str, **more: Any) -> JsonResponse:
    body = problem(status=status, code=code, title=title, **more)
    return JsonResponse(body, status=status, content_type=PROBLEM_JSON)
