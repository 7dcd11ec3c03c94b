"""Signing up and in with the browser: password, reset, one-time codes, recovery codes, passkey."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from playwright.sync_api import Page, expect

from campus.people.models import User
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PASSWORD = factories.PASSWORD
NewPage = Callable[..., Page]
HOME = re.compile(r"//[^/]+/$")


@pytest.fixture(autouse=True)
def failures_are_forgotten() -> Iterator[None]:
    cache.clear()
    factories.platform_scope()
    yield
    cache.clear()


def member(**fields: object) -> User:
    """A person whose e-mail is confirmed: second factors are for those only."""
    user = factories.UserFactory(**fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")


def submit(page: Page) -> None:
    """Send the form that was filled in last, as Enter in its field does."""
    page.keyboard.press("Enter")


def go_confirmed(page: Page, path: str) -> None:
    """Open a page of the account's security, which asks for the password once more."""
    page.goto(path)
    page.locator("input[name=password]").fill(PASSWORD)
    submit(page)
    page.wait_for_url(f"**{path}")


def sign_out(page: Page) -> None:
    page.context.clear_cookies(name="sessionid")


def is_signed_in(page: Page) -> None:
    page.goto("/me/")
    expect(page).to_have_url(re.compile(r"/me/$"))


def code_of(secret: str) -> str:
    counter = int(time.time()) // 30  # RFC 6238's step
    return format_hotp_value(hotp_value(secret, counter))


def test_a_new_person_signs_up_with_a_name_and_keeps_the_language_of_the_page(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/accounts/signup/")
    page.locator("details:has(button[name=language]) summary").click()
    page.get_by_role("button", name="English").click()
    page.locator("input[name=name]").fill("김새봄")
    page.locator("input[name=email]").fill("Bom@Campus.test")
    page.locator("input[name=password1]").fill("a-long-new-one")
    page.locator("input[name=password2]").fill("a-long-new-one")
    submit(page)
    page.wait_for_url(HOME)
    is_signed_in(page)
    person = User.objects.get(email="bom@campus.test")
    assert (person.name, person.language) == ("김새봄", "en")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_wrong_password_says_so_and_the_right_one_opens_today(new_page: NewPage) -> None:
    user = member(theme="dark", language="en")
    page = new_page()
    sign_in(page, user.email, "not-the-password")
    expect(page.locator("main")).to_contain_text("비밀번호")
    expect(page.locator("input[name=login]")).to_have_value(user.email)
    sign_in(page, user.email)
    page.wait_for_url(HOME)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_forgotten_password_is_set_anew_by_mail(new_page: NewPage) -> None:
    user = member()
    page = new_page()
    page.goto("/accounts/password/reset/")
    page.locator("input[name=email]").fill(user.email)
    submit(page)
    page.wait_for_url("**/password/reset/done/")
    (letter,) = mail.outbox
    assert letter.to == [user.email]
    address = re.search(r"https?://\S+/accounts/password/reset/key/\S+", letter.body)
    assert address, letter.body
    page.goto(address.group())
    page.locator("input[name=password1]").fill("another-long-one")
    page.locator("input[name=password2]").fill("another-long-one")
    submit(page)
    page.wait_for_url("**/key/done/")
    sign_in(page, user.email, "another-long-one")
    page.wait_for_url(HOME)
    is_signed_in(page)


def test_an_authenticator_app_is_added_and_asked_for_and_a_recovery_code_stands_in_for_it(new_page: NewPage) -> None:
    user = member()
    page = new_page()
    sign_in(page, user.email)
    page.wait_for_url(HOME)
    go_confirmed(page, "/accounts/2fa/totp/activate/")
    secret = page.locator("#authenticator_secret").input_value()
    page.locator("input[name=code]").fill(code_of(secret))
    submit(page)
    page.wait_for_url("**/recovery-codes/**")
    recovery = re.findall(r"\b\d{8}\b", page.locator("main").inner_text() + page.locator("main").inner_html())
    assert Authenticator.objects.filter(user=user, type="totp").exists()

    cache.clear()  # one code opens once; without this the test would wait for the next one
    sign_out(page)
    sign_in(page, user.email)
    page.wait_for_url("**/2fa/authenticate/")
    page.locator("input[name=code]").fill("000000")
    submit(page)
    expect(page).to_have_url(re.compile("authenticate"))
    page.locator("input[name=code]").fill(code_of(secret))
    submit(page)
    page.wait_for_url(HOME)
    is_signed_in(page)

    sign_out(page)
    sign_in(page, user.email)
    page.wait_for_url("**/2fa/authenticate/")
    page.locator("input[name=code]").fill(recovery[0])
    submit(page)
    page.wait_for_url(HOME)
    is_signed_in(page)


def test_a_passkey_is_added_and_then_opens_the_campus_without_a_password(new_page: NewPage) -> None:
    user = member()
    page = new_page()
    key = page.context.new_cdp_session(page)
    key.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    key.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in(page, user.email)
    page.wait_for_url(HOME)
    go_confirmed(page, "/accounts/2fa/webauthn/add/")
    page.locator("input[name=name]").fill("내 노트북")
    page.locator("input[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(re.compile("recovery-codes|webauthn/$"))
    assert Authenticator.objects.filter(user=user, type="webauthn").exists()

    sign_out(page)
    page.goto("/accounts/login/")
    page.locator("#passkey_login").click()
    page.wait_for_url(HOME)
    is_signed_in(page)
