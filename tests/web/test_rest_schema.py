"""The OpenAPI schema: complete, without warnings, and kept by the answers under generated requests."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import schemathesis
import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from knox.models import get_token_model
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.access import facts
from tests.access import world as worlds
from tests.access.test_routes import routes

EXAMPLES = 6
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
#: Not asked: it would sign the token out that all the other requests are sent with.
LEFT_OUT = {("DELETE", "/api/v1/auth/token/current/")}


def schema() -> dict[str, Any]:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    found: dict[str, Any] = yaml.safe_load(out.getvalue())
    return found


def test_the_schema_is_valid_without_warnings_and_names_every_route() -> None:
    described = {path.split("{")[0] for path in schema()["paths"]}
    every = {f"/{route.split('<')[0]}" for route in routes(get_resolver().url_patterns) if route.startswith("api/v1/")}
    assert described == every - {"/api/v1/schema/", "/api/v1/docs/"}


def test_every_operation_says_how_it_fails_and_what_it_answers() -> None:
    for path, operations in schema()["paths"].items():
        for method, operation in operations.items():
            assert "default" in operation["responses"], f"{method} {path}"
            assert set(operation["responses"]) & {"200", "201", "204"}, f"{method} {path}"


@pytest.mark.django_db
def test_the_documentation_page_is_served_from_here(client: Client) -> None:
    page = client.get("/api/v1/docs/").content.decode()
    assert "swagger-ui" in page
    assert "https://" not in page


@pytest.fixture
def in_process(db: None) -> Iterator[Callable[..., Any]]:
    """The campus as a WSGI application in this process, on the test's own connection."""
    inner = get_wsgi_application()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        return inner(environ | {"REMOTE_ADDR": "127.0.0.1"}, start_response)

    # As Django's test client does: a request's end would close the connection that the test's transaction is on.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield application
    for signal in signals:
        signal.connect(close_old_connections)


def test_generated_requests_never_break_the_api_and_answers_keep_the_schema(in_process: Callable[..., Any]) -> None:
    made = worlds.build()
    facts.places(made)
    _instance, token = get_token_model().objects.create(user=made.learner)
    loaded = schemathesis.openapi.from_dict(schema())
    loaded.app = in_process
    headers = {"Authorization": f"Token {token}"}
    assert settings.DEBUG is False
    asked = 0
    for result in loaded.get_all_operations():
        operation = result.ok()
        if (operation.method.upper(), operation.full_path) in LEFT_OUT:
            continue
        asked += 1

        @hypothesis_settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=st.one_of(operation.as_strategy()))
        def attack(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        attack()
    assert asked > 15
