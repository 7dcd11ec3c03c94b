"""What all tests share: the databases' template, the one Chromium of a test process, how hypothesis draws.

Playwright's synchronous API can be started only once at a time.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.services import HAS_TEMPLATE, HOME, TEMPLATE, TO_KEEP, WORKER

#: A run's verdict says something of the commit and nothing of luck or of who else uses the machine: every run draws
#: the same examples, and takes the time it needs for them.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: `make explore` draws new ones; what it finds becomes a test of its own.
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.load_profile("same")


@pytest.fixture(autouse=True)
def _loop_of_the_browser_stands_aside(request: pytest.FixtureRequest) -> Iterator[None]:
    """Playwright's loop stays this thread's running one between its calls; no coroutine of other tests could begin."""
    if "browser" in request.fixturenames:
        yield
        return
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Make the tests' databases from the kept one, when there is one."""
    from django.db import connection

    if HAS_TEMPLATE in os.environ:
        connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """After the first worker migrated: set its database aside as the template of later runs."""
    from django.db import connection

    if TO_KEEP not in os.environ or os.environ.get(WORKER, "gw0") != "gw0":
        return
    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]
        connection.close()
        connection.close_pool()  # PostgreSQL copies no database that somebody is connected to
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{TEMPLATE}" TEMPLATE "{name}"')
    (Path(os.environ[HOME]) / TEMPLATE).touch()
