"""Alimtalk and SMS through a provider's address: only what the template names leaves the house, refusals fall back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from campus.core.models import Notice, NoticeSettings, PhoneMessage
from campus.core.notices.choices import Chosen, save_choices
from campus.core.notices.phones import MOST_TRIES, PATIENCE, _claim, send_phone_messages
from campus.core.notices.services import notify, read_all
from campus.people.models import User
from tests import factories

from . import test_notice_choices  # registers the kinds told here
from .phone_provider import Provider, provider

pytestmark = pytest.mark.django_db

assert test_notice_choices

FACTS = {"what": "휴강", "secret": "성적 12점"}


@pytest.fixture
def kakao(settings: Any) -> Iterator[Provider]:
    with provider() as found:
        settings.NOTICES_ALIMTALK = {"url": found.url, "key": "kakao-key", "sender": "@aicampus"}
        settings.NOTICES_PHONE_TEMPLATES = {"test.now": {"code": "T01", "variables": ["what"]}}
        yield found


@pytest.fixture
def sms(settings: Any) -> Iterator[Provider]:
    with provider() as found:
        settings.NOTICES_SMS = {"url": found.url, "key": "sms-key", "sender": "0311234567"}
        yield found


def with_phone(phone: str = "+821012345678", **fields: Any) -> User:
    """A person who wants the kind on the phone."""
    person = factories.UserFactory(**fields)
    save_choices(user_id=person.pk, chosen={"test.mail": Chosen("MAIL", to_phone=True)}, digest_hour=8)
    if phone:
        proven = {"phone": phone, "phone_verified_at": timezone.now()}
        NoticeSettings.objects.filter(user=person).update(**proven)
    return person


@transaction.atomic
def tell(*people: User, **wishes: Any) -> None:
    notify(
        **{"recipient_ids": [one.pk for one in people], "kind": "test.now", "url": "/jobs/", "facts": FACTS} | wishes
    )


def due() -> None:
    PhoneMessage.objects.filter(state="DUE").update(send_after=Now() - timedelta(seconds=1))


def sent() -> int:
    due()
    return send_phone_messages()


def test_only_the_templates_variables_the_link_and_the_number_leave_the_house(kakao: Provider) -> None:
    tell(with_phone(name="김하늘"))
    assert sent() == 1
    ((headers, body),) = kakao.got
    notice = Notice.objects.get()
    assert headers["Authorization"] == "Bearer kakao-key"
    assert body == {
        "reference": f"notice-{notice.pk}",
        "sender": "@aicampus",
        "to": "+821012345678",
        "template": "T01",
        "variables": {"what": "휴강", "link": f"http://127.0.0.1:8000/notices/{notice.pk}/"},
    }
    message = PhoneMessage.objects.get()
    assert (message.state, message.by) == ("SENT", "ALIMTALK")
    assert send_phone_messages() == 0


def test_sms_says_the_title_without_facts_that_the_template_does_not_name(sms: Provider, settings: Any) -> None:
    settings.NOTICES_PHONE_TEMPLATES = {"test.now": {"variables": []}}
    tell(with_phone(language="en"))
    assert sent() == 1
    assert sms.bodies[0]["text"].startswith("[AI Campus] Now –\nhttp://127.0.0.1:8000/notices/")
    assert "휴강" not in str(sms.bodies)
    assert "12점" not in str(sms.bodies)


def test_what_alimtalk_refuses_goes_by_sms(kakao: Provider, sms: Provider) -> None:
    kakao.answers = [422]
    tell(with_phone())
    assert sent() == 1
    assert (len(kakao.got), len(sms.got)) == (1, 1)
    assert PhoneMessage.objects.get().by == "SMS"


def test_what_both_refuse_is_recorded_as_failed_with_the_reason(kakao: Provider, sms: Provider) -> None:
    kakao.answers = sms.answers = [400]
    tell(with_phone())
    assert sent() == 0
    message = PhoneMessage.objects.get()
    assert (message.state, message.by) == ("FAILED", "SMS")
    assert message.why == '400 {"said": "by the provider"}'
    assert sent() == 0
    assert len(sms.got) == 1


def test_a_busy_provider_is_tried_again_under_the_same_reference_and_then_passed_over(
    kakao: Provider, sms: Provider
) -> None:
    kakao.answers = [503]
    tell(with_phone())
    for _try in range(PATIENCE):
        assert sent() == 0
        assert send_phone_messages() == 0  # not before its time
    assert sent() == 1
    assert len({headers["Idempotency-Key"] for headers, _body in kakao.got}) == 1
    assert (len(kakao.got), len(sms.got)) == (PATIENCE + 1, 1)


def test_a_provider_that_is_away_is_waited_for_and_given_up_at_last(settings: Any, kakao: Provider) -> None:
    settings.NOTICES_ALIMTALK = settings.NOTICES_ALIMTALK | {"url": "http://127.0.0.1:1/send"}
    tell(with_phone(), with_phone())
    for tries in range(1, MOST_TRIES + 1):
        assert sent() == 0
        found = set(PhoneMessage.objects.values_list("tries", "state"))
        assert found == {(tries, "FAILED" if tries == MOST_TRIES else "DUE")}


def test_what_a_killed_worker_had_claimed_is_sent_after_its_lease(kakao: Provider) -> None:
    tell(with_phone())
    due()
    assert len(_claim(10)) == 1  # and the worker is killed here
    assert send_phone_messages() == 0
    assert sent() == 1
    assert len(kakao.got) == 1


def test_without_a_wish_a_number_a_template_or_a_provider_nothing_is_queued(kakao: Provider, settings: Any) -> None:
    tell(factories.UserFactory(), with_phone(phone=""))
    tell(with_phone(), kind="test.daily")
    settings.NOTICES_ALIMTALK = {"url": "", "key": "", "sender": ""}
    tell(with_phone())
    assert not PhoneMessage.objects.exists()


def test_what_was_read_meanwhile_is_not_sent(kakao: Provider) -> None:
    person = with_phone()
    tell(person)
    read_all(user_id=person.pk)
    assert sent() == 0
    assert PhoneMessage.objects.get().state == "NONE"


def test_the_same_key_is_queued_once(kakao: Provider) -> None:
    person = with_phone()
    for _again in range(2):
        tell(person, key="lesson:1")
    assert PhoneMessage.objects.count() == 1
