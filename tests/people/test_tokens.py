"""API tokens: given for a password, used, revoked, expired; and what stops guessing."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from knox.models import get_token_model

from campus.people.models import User
from campus.people.services import set_active
from tests import factories

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def failures_are_forgotten() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person() -> User:
    return factories.UserFactory(email="haneul@campus.test", name="김하늘")


def ask(client: Client, **said: Any) -> Any:
    given = {"email": "haneul@campus.test", "password": factories.PASSWORD} | said
    return client.post("/api/v1/auth/token/", given, content_type="application/json", headers={"Accept-Language": "en"})


def me(client: Client, token: str) -> Any:
    return client.get("/api/v1/me/", headers={"Authorization": f"Token {token}"})


def code(steps: int = 0) -> str:
    """The app's code so many steps of half a minute from now (RFC 6238)."""
    return format_hotp_value(hotp_value(SECRET, int(time.time()) // 30 + steps))


def test_a_password_gives_a_token_that_says_who_one_is(client: Client, person: User) -> None:
    given = ask(client, email=" Haneul@Campus.test ")
    assert given.status_code == 200
    answer = me(client, given.json()["token"])
    assert (answer.status_code, answer.json()["email"], answer.json()["name"]) == (200, person.email, "김하늘")


def test_the_roles_are_told_with_their_scopes(client: Client, person: User) -> None:
    home = factories.campus()
    admin = factories.staff("CAMPUS_ADMIN", home.scope, email="admin@campus.test")
    token = ask(client, email=admin.email).json()["token"]
    assert me(client, token).json()["roles"] == [{"role": "CAMPUS_ADMIN", "scope": "용인", "scope_kind": "CAMPUS"}]


@pytest.mark.parametrize("said", [{"password": "wrong"}, {"email": "nobody@campus.test"}])
def test_a_wrong_password_and_an_unknown_person_look_alike(client: Client, person: User, said: dict[str, str]) -> None:
    refused = ask(client, **said)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json() == {
        "type": "urn:campus:problem:bad_credentials",
        "title": "Please correct what was entered",
        "status": 400,
        "code": "bad_credentials",
        "detail": "Please correct what was entered",
        "errors": [{"field": "password", "detail": "The e-mail or the password is wrong."}],
    }


def test_what_is_missing_is_named(client: Client) -> None:
    refused = client.post("/api/v1/auth/token/", {}, content_type="application/json")
    assert (refused.status_code, {entry["field"] for entry in refused.json()["errors"]}) == (400, {"email", "password"})


def test_many_failures_lock_the_account_out_even_for_the_right_password(client: Client, person: User) -> None:
    statuses = [ask(client, password="wrong").status_code for _ in range(5)]
    assert statuses == [400] * 5
    locked = ask(client)
    assert (locked.status_code, locked.json()["code"]) == (429, "too_many_attempts")


def test_an_account_with_an_authenticator_app_must_send_its_code(client: Client, person: User) -> None:
    TOTP.activate(person, SECRET)
    without = ask(client)
    assert (without.status_code, without.json()["code"]) == (400, "code_required")
    assert without.json()["errors"][0]["field"] == "code"
    assert ask(client, code="000000").json()["code"] == "code_required"
    assert ask(client, code=code(-4)).json()["code"] == "code_required"
    assert ask(client, code=code()).status_code == 200


def test_a_code_that_rolled_over_while_it_was_typed_still_opens(client: Client, person: User) -> None:
    TOTP.activate(person, SECRET)
    # Where the step ends within seconds, the code of now is the one before by the time it arrives.
    code_before = code() if time.time() % 30 > 25 else code(-1)
    assert ask(client, code=code_before).status_code == 200


def test_a_recovery_code_stands_in_once(client: Client, person: User) -> None:
    TOTP.activate(person, SECRET)
    spare = RecoveryCodes.activate(person).get_unused_codes()[0]
    assert [ask(client, code=spare).status_code for _ in range(2)] == [200, 400]


def test_guessing_codes_is_stopped_too(client: Client, person: User) -> None:
    TOTP.activate(person, SECRET)
    codes = [ask(client, code="000000").json()["code"] for _ in range(6)]
    assert codes[0] == "code_required"
    assert codes[-1] == "too_many_attempts"


def test_an_account_that_only_a_passkey_opens_is_sent_to_its_profile(client: Client, person: User) -> None:
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={})
    assert ask(client).status_code == 403


def test_a_token_signs_itself_out(client: Client, person: User) -> None:
    token = ask(client).json()["token"]
    gone = client.delete("/api/v1/auth/token/current/", headers={"Authorization": f"Token {token}"})
    assert (gone.status_code, me(client, token).status_code) == (204, 401)


def test_an_expired_token_opens_nothing(client: Client, person: User) -> None:
    token = ask(client).json()["token"]
    get_token_model().objects.update(expiry=timezone.now() - timedelta(seconds=1))
    refused = me(client, token)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Token")


def test_a_token_made_on_the_profile_page_is_shown_once_and_revoked_there(client: Client, person: User) -> None:
    client.force_login(person)
    page = client.post("/me/tokens/", follow=True)
    token = page.context["new_token"]
    assert token in page.content.decode()
    assert me(Client(), token).status_code == 200
    assert token not in client.get("/me/").content.decode()
    client.post(f"/me/tokens/{get_token_model().objects.get().token_key}/revoke/")
    assert me(Client(), token).status_code == 401


def test_nobody_revokes_the_token_of_another(client: Client, person: User) -> None:
    kept, token = get_token_model().objects.create(user=person)
    client.force_login(factories.UserFactory())
    assert client.post(f"/me/tokens/{kept.token_key}/revoke/").status_code == 404
    assert me(Client(), token).status_code == 200


def test_a_closed_account_is_out_at_once_in_the_browser_and_with_its_tokens(client: Client, person: User) -> None:
    admin = factories.staff("PLATFORM_ADMIN", factories.platform_scope())
    token = ask(client).json()["token"]
    client.force_login(person)
    assert client.get("/me/").status_code == 200
    set_active(user=person, is_active=False, actor=admin, reason="left the campus")
    assert client.get("/me/").status_code == 302
    assert me(Client(), token).status_code == 401
    assert ask(Client()).json()["code"] == "bad_credentials"
    set_active(user=person, is_active=True, actor=admin, reason="came back")
    assert me(Client(), token).status_code == 401
    assert ask(Client()).status_code == 200
