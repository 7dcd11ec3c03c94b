"""A session opens pages until it ends, is ended, or its person may no longer sign in."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campus.people.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def browser(client: Client, user: User) -> Client:
    client.force_login(user)
    assert _is_in(client)
    return client


def _is_in(browser: Client) -> bool:
    return bool(browser.get(reverse("people:profile")).status_code == 200)


def test_a_session_that_ended_opens_nothing(browser: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not _is_in(browser)


def test_signing_out_counts_at_once_also_for_a_cookie_that_was_kept(browser: Client) -> None:
    kept = browser.cookies["sessionid"].value
    browser.post(reverse("account_logout"))
    browser.cookies["sessionid"] = kept
    assert not _is_in(browser)


def test_a_changed_password_ends_other_sessions(browser: Client, user: User) -> None:
    user.set_password("quite another one")
    user.save()
    assert not _is_in(browser)


def test_who_may_no_longer_sign_in_is_out_and_who_is_gone_too(browser: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not _is_in(browser)
    User.objects.filter(pk=user.pk).update(is_active=True)
    assert _is_in(browser)
    User.objects.filter(pk=user.pk).delete()
    assert not _is_in(browser)


def test_what_a_session_keeps_is_kept(browser: Client) -> None:
    session = browser.session
    session["mark"] = "한"
    session.save()
    assert _is_in(browser)
    assert browser.session["mark"] == "한"
