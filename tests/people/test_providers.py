"""Kakao, Naver and OIDC: there when their settings are, and a real OIDC flow in a browser."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, expect

from campus.people.models import User
from tests import factories

from .oidc_peer import SECRET, Provider, provider

ROOT = Path(__file__).parents[2]
START_S = 60
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def peer() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
def campus_url(peer: Provider, tmp_path: Path) -> Iterator[str]:
    """A campus process of its own on the tests' database, whose settings name three providers."""
    factories.platform_scope()
    name = connection.settings_dict["NAME"]
    environment = os.environ | {
        "DATABASE_URL": urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}")),
        "CAMPUS_STATE": str(tmp_path),
        "KAKAO_CLIENT_ID": "kakao-client",
        "KAKAO_CLIENT_SECRET": "kakao-secret",
        "NAVER_CLIENT_ID": "naver-client",
        "NAVER_CLIENT_SECRET": "naver-secret",
        "OIDC_CLIENT_ID": "campus",
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_NAME": "협력사 로그인",
        "OIDC_SERVER_URL": peer.url,
        "CAMPUS_OIDC_ORIGINS": peer.url,
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "campus.config.asgi:application", "--port", str(port)]
    log = (tmp_path / "web.log").open("wb")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", process, tmp_path / "web.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)
        log.close()


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the campus does not answer: {log.read_text()[-2000:]}")


def test_without_their_settings_no_provider_is_offered_or_reachable() -> None:
    client = Client()
    page = client.get("/accounts/login/").content.decode()
    assert "kakao" not in page.lower()
    assert "naver" not in page.lower()
    assert "oidc" not in page.lower()
    assert [client.get(f"/accounts/{name}/login/").status_code for name in ("kakao", "naver", "oidc/sso")] == [404] * 3


def test_a_person_of_a_partner_signs_in_by_oidc_and_is_the_same_person_the_next_time(
    browser: Browser, campus_url: str, peer: Provider
) -> None:
    for _visit in range(2):
        context = browser.new_context(base_url=campus_url)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto("/accounts/login/")
        offered = page.locator("main").inner_text().lower()
        assert re.search("kakao|카카오", offered)
        assert re.search("naver|네이버", offered)
        page.get_by_text("협력사 로그인").click()
        page.wait_for_url(re.compile(r"//[^/]+/$"))
        page.goto("/me/")
        expect(page.locator("input[name=name]")).to_have_value("윤보라")
        context.close()
    person = User.objects.get(email="bora@partner.test")
    assert SocialAccount.objects.get(user=person).uid == "emp-1042"
    assert person.has_usable_password() is False
    assert len(peer.exchanged) == 2
