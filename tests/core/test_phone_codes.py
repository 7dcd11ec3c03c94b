"""A phone number is proven by a code: numbers and limits by table and property, the way to it over the page."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from campus.core.errors import CampusError, InvalidInput, TooManyAttempts
from campus.core.models import AuditEntry, NoticeSettings, PhoneCheck
from campus.core.notices.domain import codes, numbers
from campus.core.notices.domain.codes import Sent, Verdict
from campus.core.notices.phone_codes import NotSent, confirm_code, forget_phone, send_code
from campus.people.models import User
from tests import factories

from .phone_provider import Provider, provider

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
NUMBER = "+821012345678"


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept", "shown"),
    [
        ("010-1234-5678", NUMBER, "010-1234-5678"),
        (" 010 1234 5678 ", NUMBER, "010-1234-5678"),
        ("+82 10-1234-5678", NUMBER, "010-1234-5678"),
        ("+82 (0)10 1234 5678", NUMBER, "010-1234-5678"),
        ("0082 10 1234 5678", NUMBER, "010-1234-5678"),
        ("011-123-4567", "+82111234567", "011-123-4567"),
        ("02-123-4567", "+8221234567", "02-123-4567"),
        ("02.1234.5678", "+82212345678", "02-1234-5678"),
        ("+41 79 123 45 67", "+41791234567", "+41791234567"),
    ],
)
def test_a_number_is_kept_in_e164_and_shown_as_koreans_write_it(typed: str, kept: str, shown: str) -> None:
    assert numbers.e164(typed) == kept
    assert numbers.shown(kept) == shown
    assert numbers.e164(numbers.shown(kept)) == kept


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+821012345678", "010-****-5678"), ("+8221234567", "02-***-4567"), ("+14155550123", "+14*****0123"), ("", "")],
)
def test_a_masked_number_shows_its_last_four_digits(number: str, masked: str) -> None:
    assert numbers.masked(number) == masked


@pytest.mark.parametrize(
    "typed",
    ["", "12345", "1012345678", "call me", "010-1234-5678-9999", "82+1012345678", "+", "+0 123 456 789", "+123",
     "0000000000", "+82 00 1234 5678", "010-1234-567８", "+1234567890123456", "tel:+821012345678"],
)  # fmt: skip
def test_what_is_no_number_or_of_no_country_is_refused(typed: str) -> None:
    with pytest.raises(numbers.BadNumber):
        numbers.e164(typed)


@given(st.text(max_size=24))
def test_whatever_is_typed_is_refused_or_kept_as_e164(typed: str) -> None:
    try:
        number = numbers.e164(typed)
    except numbers.BadNumber:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{7,14}", number)
    assert numbers.e164(number) == number


# --- limits ---------------------------------------------------------------------------------------------------------


def ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=one) for one in minutes]


@pytest.mark.parametrize(
    ("asked", "to_number", "waits"),
    [
        ([], [], None),
        (ago(0.5), [], 0.5),
        (ago(1), [], None),
        (ago(10, 20, 30, 40), [], None),
        (ago(10, 20, 30, 40, 50), [], 24 * 60 - 50),
        ([], ago(0.5), None),
        ([], ago(10, 20, 30, 40, 60), 24 * 60 - 60),
        (ago(1440, 1441, 1442, 1443, 1444), [], None),
        (ago(0.5, 10, 20, 30, 1400), [], 40),
    ],
)
def test_codes_are_sent_a_minute_apart_and_five_a_day(asked: Any, to_number: Any, waits: float | None) -> None:
    until = codes.wait_until(asked, to_number, NOW)
    assert until == (NOW + timedelta(minutes=waits) if waits is not None else None)


@given(st.lists(st.floats(0, 3 * 24 * 60), max_size=40))
def test_whoever_asks_at_any_time_never_gets_a_sixth_code_within_a_day(times: list[float]) -> None:
    sent: list[datetime] = []
    for minute in sorted(times):
        now = NOW + timedelta(minutes=minute)
        if codes.wait_until(sent, [], now) is None:
            sent.append(now)
    for at in sent:
        assert sum(at - codes.DAY < other <= at for other in sent) <= codes.MOST_ASKED
    assert all(after - before >= codes.PAUSE for before, after in pairwise(sent))


@pytest.mark.parametrize(
    ("sent", "is_same", "verdict"),
    [
        (None, False, Verdict.EXPIRED),
        (Sent(NOW), True, Verdict.RIGHT),
        (Sent(NOW), False, Verdict.WRONG),
        (Sent(NOW, 3), False, Verdict.WRONG),
        (Sent(NOW, 4), True, Verdict.RIGHT),
        (Sent(NOW, 4), False, Verdict.SPENT),
        (Sent(NOW, 5), True, Verdict.SPENT),
        (Sent(NOW, 0, is_used=True), True, Verdict.EXPIRED),
        (Sent(NOW - timedelta(minutes=9, seconds=59)), True, Verdict.RIGHT),
        (Sent(NOW - codes.LIFE), True, Verdict.EXPIRED),
    ],
)
def test_a_code_is_right_once_for_ten_minutes_and_five_tries(
    sent: Sent | None, is_same: bool, verdict: Verdict
) -> None:  # fmt: skip
    assert codes.judge(sent, is_same, NOW) is verdict


# --- the way to a number --------------------------------------------------------------------------------------------


@pytest.fixture
def sms(settings: Any) -> Iterator[Provider]:
    with provider() as found:
        settings.NOTICES_SMS = {"url": found.url, "key": "sms-key", "sender": "0311234567"}
        settings.NOTICES_PHONE_TEMPLATES = {"people.password_changed": {"variables": []}}
        yield found


def code_in(body: dict[str, Any]) -> str:
    (code,) = re.findall(r"(?<!\d)[0-9]{6}(?!\d)", body["text"])
    return code


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def earlier(minutes: float) -> None:
    PhoneCheck.objects.update(sent_at=F("sent_at") - timedelta(minutes=minutes))


@pytest.fixture
def person(db: None) -> User:
    return factories.UserFactory()


def test_only_the_code_proves_the_number_and_works_once(sms: Provider, person: User) -> None:
    send_code(user_id=person.pk, phone="010-1234-5678")
    (body,) = sms.bodies
    assert body["to"] == NUMBER
    code = code_in(body)
    assert code not in str(PhoneCheck.objects.values()), "only a digest is kept"
    assert not NoticeSettings.objects.exclude(phone="").exists()
    with pytest.raises(InvalidInput):
        confirm_code(user_id=person.pk, code=other_than(code))
    with pytest.raises(InvalidInput):
        confirm_code(user_id=factories.UserFactory().pk, code=code)
    assert confirm_code(user_id=person.pk, code=f" {code[:3]} {code[3:]} ") == NUMBER
    kept = NoticeSettings.objects.get(user=person)
    assert (kept.phone, kept.phone_verified_at is not None) == (NUMBER, True)
    forget_phone(user_id=person.pk)
    forget_phone(user_id=person.pk)
    with pytest.raises(InvalidInput) as refusal:
        confirm_code(user_id=person.pk, code=code)
    assert refusal.value.code == "code_expired"
    assert not NoticeSettings.objects.exclude(phone="").exists()
    entries = AuditEntry.objects.filter(subject=person, verb="person.phone_changed").order_by("id")
    assert [entry.changes["phone"] for entry in entries] == [["", "010-****-5678"], ["010-****-5678", ""]]


def test_five_wrong_tries_spend_a_code_though_each_is_refused(sms: Provider, person: User) -> None:
    send_code(user_id=person.pk, phone=NUMBER)
    code = code_in(sms.bodies[0])
    said = []
    for guess in [other_than(code)] * 5 + [code]:
        with pytest.raises(InvalidInput) as refusal:
            confirm_code(user_id=person.pk, code=guess)
        said.append(refusal.value.code)
    assert said == ["code_wrong"] * 4 + ["code_spent"] * 2


def test_a_code_is_too_late_after_ten_minutes_and_a_new_one_replaces_it(sms: Provider, person: User) -> None:
    send_code(user_id=person.pk, phone=NUMBER)
    earlier(10)
    with pytest.raises(InvalidInput) as refusal:
        confirm_code(user_id=person.pk, code=code_in(sms.bodies[0]))
    assert refusal.value.code == "code_expired"
    send_code(user_id=person.pk, phone=NUMBER)
    earlier(2)
    send_code(user_id=person.pk, phone="010-9999-8888")
    first, last = (code_in(body) for body in sms.bodies[1:])
    if first != last:
        with pytest.raises(InvalidInput):
            confirm_code(user_id=person.pk, code=first)
    assert confirm_code(user_id=person.pk, code=last) == "+821099998888"


def test_asking_again_waits_and_a_number_gets_five_a_day_whoever_asks(sms: Provider, person: User) -> None:
    send_code(user_id=person.pk, phone=NUMBER)
    with pytest.raises(TooManyAttempts) as refusal:
        send_code(user_id=person.pk, phone=NUMBER)
    assert "until_at" in refusal.value.facts
    for _other in range(4):
        send_code(user_id=factories.UserFactory().pk, phone=NUMBER)
    with pytest.raises(TooManyAttempts):
        send_code(user_id=factories.UserFactory().pk, phone=NUMBER)
    assert len(sms.got) == 5
    send_code(user_id=factories.UserFactory().pk, phone="010-0000-1111")


def test_what_no_provider_takes_is_said_and_counts(sms: Provider, person: User) -> None:
    sms.answers = [500]
    with pytest.raises(NotSent):
        send_code(user_id=person.pk, phone=NUMBER)
    with pytest.raises(TooManyAttempts):
        send_code(user_id=person.pk, phone=NUMBER)


def test_alimtalk_carries_a_code_only_by_its_own_template(sms: Provider, person: User, settings: Any) -> None:
    with provider() as kakao:
        settings.NOTICES_ALIMTALK = {"url": kakao.url, "key": "k", "sender": "@aicampus"}
        send_code(user_id=person.pk, phone=NUMBER)
        assert (len(kakao.got), len(sms.got)) == (0, 1)
        settings.NOTICES_PHONE_CODE_TEMPLATE = "C01"
        earlier(2)
        send_code(user_id=person.pk, phone=NUMBER)
        assert (kakao.bodies[0]["template"], len(sms.got)) == ("C01", 1)
        code = kakao.bodies[0]["variables"]["code"]
    assert confirm_code(user_id=person.pk, code=code) == NUMBER


@pytest.mark.parametrize(("phone", "is_proven"), [("01012345678", True), (NUMBER, False), ("", True)])
def test_the_database_keeps_no_number_that_was_not_proven(person: User, phone: str, is_proven: bool) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeSettings.objects.create(user=person, phone=phone, phone_verified_at=NOW if is_proven else None)


@pytest.mark.django_db(transaction=True)
def test_two_that_ask_at_once_get_one_code(sms: Provider) -> None:
    person = factories.UserFactory()
    outcomes: list[str] = []

    def ask() -> None:
        try:
            send_code(user_id=person.pk, phone=NUMBER)
            outcomes.append("sent")
        except CampusError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    askers = [Thread(target=ask) for _ in range(6)]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    assert sorted(outcomes) == ["sent"] + ["too_many_attempts"] * 5
    assert len(sms.got) == 1


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_page_leads_from_the_number_to_the_code_to_proven(sms: Provider, person: User, settings: Any) -> None:
    client = Client()
    client.force_login(person)
    client.cookies["campus_language"] = "en"

    def shown() -> str:
        return client.get("/me/notices/").content.decode()

    assert "Send a code" in shown()
    assert "Confirm the number" not in shown()
    refused = client.post("/me/notices/phone/", {"phone": "none of yours"})
    assert (refused.status_code, "none of yours" in refused.content.decode()) == (400, True)
    assert client.post("/me/notices/phone/", {"phone": "010 1234 5678"}).status_code == 302
    assert "on its way to 010-1234-5678" in shown()
    code = code_in(sms.bodies[0])
    wrong = client.post("/me/notices/phone/code/", {"code": other_than(code)})
    assert (wrong.status_code, "not the code that was sent" in wrong.content.decode()) == (400, True)
    again = client.post("/me/notices/phone/", {"phone": "010 1234 5678"})
    assert (again.status_code, "short while ago" in again.content.decode()) == (400, True)
    assert client.post("/me/notices/phone/code/", {"code": code}).status_code == 302
    assert "Verified" in shown()
    assert client.get("/api/v1/notices/choices/").json()["phone"] == NUMBER
    assert client.post("/me/notices/phone/remove/").status_code == 302
    assert "Verified" not in shown()
    settings.NOTICES_SMS = {"url": "", "key": "", "sender": ""}
    assert "Send a code" not in shown()
