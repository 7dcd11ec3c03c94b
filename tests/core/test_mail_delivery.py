"""E-mails over SMTP to a real server: what it takes, refuses, is too slow for; nothing is lost, nothing comes twice."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation

from campus.core import formats
from campus.core.models import Digest, Notice
from campus.core.notices import mailing
from campus.core.notices.digests import send_digests
from campus.core.notices.mailing import MOST_TRIES, send_due_mail
from campus.core.notices.services import notify
from campus.people.models import User
from tests import factories

from . import test_notice_choices  # registers the kinds told here
from .post_office import PostOffice, post_office, silent_server

pytestmark = pytest.mark.django_db(transaction=True)

assert test_notice_choices

MORNING = (timezone.localtime() + timedelta(days=2)).replace(hour=8, minute=30)


@pytest.fixture
def office(settings: Any) -> Iterator[PostOffice]:
    with post_office(settings) as opened:
        yield opened


@transaction.atomic
def tell(*people: User, kind: str = "test.now", what: str = "it") -> None:
    notify(recipient_ids=[one.pk for one in people], kind=kind, url="/jobs/", facts={"what": what})


def let_mail_be_due() -> None:
    Notice.objects.filter(mail="DUE").update(mail_after=Now() - timedelta(seconds=1))
    Digest.objects.filter(mail="DUE").update(mail_after=Now() - timedelta(seconds=1))


def states() -> Counter[str]:
    return Counter(Notice.objects.values_list("mail", flat=True))


def received(office: PostOffice) -> Counter[str]:
    return Counter(str(letter["X-To"]) for letter in office.letters)


def test_a_letter_arrives_as_text_and_html_with_the_way_out(office: PostOffice) -> None:
    person = factories.UserFactory(name="Ada", language="en")
    tell(person, what="<1>")
    let_mail_be_due()
    assert send_due_mail() == 1
    (letter,) = office.letters
    plain, html = office.texts(letter)
    assert (letter["Subject"], letter["X-To"]) == ("Now <1>", person.email)
    assert "Hello Ada," in plain
    assert "Now &lt;1&gt;" in html
    assert letter["List-Unsubscribe"].strip().startswith("<http://127.0.0.1:8000/notices/stop/")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Message-ID"] == f"<notice-{Notice.objects.get().pk}@127.0.0.1>"
    assert plain.count("/notices/stop/") == 1


def test_a_digest_arrives_in_korean(office: PostOffice) -> None:
    person = factories.UserFactory(name="김하늘")
    tell(person, kind="test.daily", what="과제 1")
    tell(person, kind="test.daily", what="과제 2")
    assert send_digests(now=MORNING) == 1
    plain, html = office.texts(office.letters[0])
    with translation.override("ko"):
        assert formats.campus_date(MORNING) in office.letters[0]["Subject"]
    assert all("과제 1" in text and "과제 2" in text and "김하늘" in text for text in (plain, html))


def test_while_the_server_is_down_all_of_it_waits_and_costs_no_try(office: PostOffice) -> None:
    people = [factories.UserFactory() for _number in range(3)]
    office.close()
    tell(*people)
    tell(*people, kind="test.daily")
    for _again in range(MOST_TRIES + 2):
        let_mail_be_due()
        assert send_due_mail() == 0
        assert send_digests(now=MORNING) == 0
    assert states() == {"DUE": 3, "DIGEST": 3}
    assert set(Notice.objects.filter(mail="DUE").values_list("mail_tries", flat=True)) == {0}
    office.open()
    let_mail_be_due()
    assert send_due_mail() == 3
    assert send_digests(now=MORNING) == 3
    assert states() == {"SENT": 6}
    assert received(office) == {one.email: 2 for one in people}


def test_a_server_that_says_nothing_is_asked_once_a_sweep(settings: Any) -> None:
    tell(*[factories.UserFactory() for _number in range(20)])
    let_mail_be_due()
    with silent_server(settings):
        began = time.monotonic()
        assert send_due_mail() == 0
        assert time.monotonic() - began < 20 * settings.EMAIL_TIMEOUT
    assert states() == {"DUE": 20}


def test_a_refused_address_ends_its_own_letter_only_and_a_busy_mailbox_is_tried_again(office: PostOffice) -> None:
    gone, busy, well = (factories.UserFactory() for _number in range(3))
    office.refuse = {gone.email: "550 no such mailbox", busy.email: "451 try later"}
    tell(gone, busy, well)
    let_mail_be_due()
    assert send_due_mail() == 1
    found = dict(Notice.objects.values_list("recipient_id", "mail"))
    assert found == {gone.pk: "FAILED", busy.pk: "DUE", well.pk: "SENT"}
    assert send_due_mail() == 0  # not before its time
    office.refuse.clear()
    let_mail_be_due()
    assert send_due_mail() == 1
    assert received(office) == {busy.email: 1, well.email: 1}


def test_a_mailbox_that_stays_busy_is_given_up_at_last(office: PostOffice) -> None:
    office.answer = "452 out of room"
    tell(factories.UserFactory())
    for tries in range(1, MOST_TRIES + 1):
        let_mail_be_due()
        assert send_due_mail() == 0
        notice = Notice.objects.get()
        assert (notice.mail_tries, notice.mail) == (tries, "FAILED" if tries == MOST_TRIES else "DUE")


def four_sweeps() -> None:
    """Four workers at once, each with a connection of its own, past their look before the first writes."""

    def run() -> None:
        try:
            send_due_mail()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_four_workers_at_once_send_every_letter_once(office: PostOffice) -> None:
    people = [factories.UserFactory() for _number in range(30)]
    tell(*people)
    let_mail_be_due()
    four_sweeps()
    assert received(office) == {one.email: 1 for one in people}
    assert states() == {"SENT": 30}


def test_without_the_claims_lock_letters_would_come_twice(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: nobody locks what he takes, and all have looked before the first writes."""
    people = [factories.UserFactory() for _number in range(10)]
    tell(*people)
    let_mail_be_due()
    gate = threading.Barrier(4)

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_how: self.all())
    fellows = mailing._fellows

    def together(waiting: Any, claimed: Any) -> Any:
        gate.wait(20)
        return fellows(waiting, claimed)

    monkeypatch.setattr(mailing, "_fellows", together)
    four_sweeps()
    assert max(received(office).values()) > 1


def test_what_a_killed_worker_had_claimed_is_sent_after_its_lease(office: PostOffice) -> None:
    person = factories.UserFactory()
    tell(person)
    let_mail_be_due()
    assert len(mailing._claim(10)) == 1  # and the worker is killed here
    assert send_due_mail() == 0
    let_mail_be_due()
    assert send_due_mail() == 1
    assert received(office) == {person.email: 1}


def test_who_was_overtaken_after_the_lease_settles_nothing() -> None:
    tell(factories.UserFactory())
    let_mail_be_due()
    ((slow,),) = mailing._claim(10)
    let_mail_be_due()
    ((_quick,),) = mailing._claim(10)
    mailing.settle(Notice.objects.filter(pk=slow.pk), slow.mail_tries, mailing.NOT_TRIED)
    notice = Notice.objects.get()
    assert (notice.mail, notice.mail_tries) == ("DUE", 2)
