"""Notices: said in the reader's language, once, to nobody else; e-mail after a while, and never in a transaction."""

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.core import mail
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from campus.core.models import Notice
from campus.core.notices.kinds import NoticeKind, register, words_of
from campus.core.notices.mailing import send_due_mail
from campus.core.notices.routing import websocket_urlpatterns
from campus.core.notices.services import notify, open_notice, read_all
from campus.core.notices.topics import ASKED
from campus.people.access import standing_of
from campus.people.api import set_active
from campus.people.models import User
from tests import factories

pytestmark = pytest.mark.django_db

register(
    {
        "test.plain": NoticeKind(_("Running"), "%(used_gpu_s)s · %(last_on)s · %(other)s"),
        "test.mailed": NoticeKind("%(name)s", "text", topic=ASKED),
    }
)


def tell(*people: User, kind: str = "test.plain", **wishes: Any) -> None:
    notify(**{"recipient_ids": [one.pk for one in people], "kind": kind, "url": "/jobs/"} | wishes)


def page_of(user: User, language: str = "en") -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["campus_language"] = language
    return client


def let_mail_be_due() -> None:
    Notice.objects.filter(mail="DUE").update(mail_after=Now() - timedelta(seconds=1))


def test_a_notice_is_said_in_the_readers_language_and_its_facts_as_people_write_them() -> None:
    facts = {"used_gpu_s": 5400, "last_on": "2026-11-21"}
    with translation.override("en"):
        assert words_of("test.plain", facts).text == "1.5 GPU-h · Sat 21 Nov · –"
        assert words_of("test.plain", facts).title == "Running"
    with translation.override("ko"):
        assert words_of("test.plain", facts).text == "1.5 GPU시간 · 11월 21일 (토) · –"
        assert words_of("test.plain", facts).title != "Running"


def test_a_fact_that_is_empty_is_a_dash_and_no_error() -> None:
    with translation.override("en"):
        assert words_of("test.plain", {"used_gpu_s": None, "last_on": ""}).text == "– · – · –"


def test_a_kind_that_is_gone_still_shows_that_there_was_something() -> None:
    with translation.override("en"):
        assert words_of("gone.kind", {"x": 1}).title == "Something changed"


def test_the_same_key_tells_the_same_person_once() -> None:
    one, other = factories.UserFactory(), factories.UserFactory()
    tell(one, key="idle:7")
    tell(one, other, key="idle:7")
    tell(one)
    tell(one)
    assert Notice.objects.filter(recipient=one).count() == 3
    assert Notice.objects.filter(recipient=other).count() == 1


@pytest.mark.parametrize("wishes", [{"kind": "test.unknown"}, {"url": "https://evil.test/"}, {"url": "//evil.test/"}])
def test_what_leads_nowhere_or_elsewhere_is_refused(wishes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="notice"):
        tell(factories.UserFactory(), **wishes)


@pytest.mark.django_db(transaction=True)
def test_notices_are_a_part_of_a_transaction() -> None:
    user = factories.UserFactory()
    with pytest.raises(RuntimeError):
        tell(user)
    with transaction.atomic():
        tell(user)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


def test_everyone_sees_and_opens_their_own_only() -> None:
    reader, stranger = factories.UserFactory(), factories.UserFactory()
    tell(reader)
    notice = Notice.objects.get()
    assert b"notice-body" in page_of(reader).get("/notices/").content
    assert b"notice-body" not in page_of(stranger).get("/notices/").content
    assert page_of(stranger).get(f"/notices/{notice.pk}/").status_code == 404
    assert open_notice(user_id=stranger.pk, notice_id=notice.pk) is None
    notice.refresh_from_db()
    assert notice.read_at is None


def test_opening_one_marks_it_as_read_and_goes_where_it_leads() -> None:
    reader = factories.UserFactory()
    tell(reader)
    tell(reader)
    client = page_of(reader)
    assert 'aria-label="Notices, 2 unread"' in client.get("/me/").content.decode()
    response = client.get(f"/notices/{Notice.objects.latest('id').pk}/")
    assert (response.status_code, response["Location"]) == (302, "/jobs/")
    assert 'aria-label="Notices, 1 unread"' in client.get("/notices/?show=unread").content.decode()
    assert client.post("/notices/read/").status_code == 302
    assert 'aria-label="Notices"' in client.get("/notices/").content.decode()


def test_the_count_comes_with_the_query_that_every_page_makes_anyway(django_assert_num_queries: Any) -> None:
    reader = factories.UserFactory()
    tell(reader)
    with django_assert_num_queries(1):
        assert standing_of(reader).grants == ()
    assert reader._unread_notices == 1
    staff = factories.staff("INSTRUCTOR", factories.platform_scope())
    assert len(standing_of(staff).grants) == 1
    assert staff._unread_notices == 0


def test_the_page_costs_the_same_for_one_and_for_twenty(django_assert_num_queries: Any) -> None:
    reader = factories.UserFactory()
    client = page_of(reader)
    for more in (1, 19):
        for _number in range(more):
            tell(reader)
        with django_assert_num_queries(5):
            client.get("/notices/")


def test_mail_goes_to_whom_the_kind_asks_for_in_their_language_after_a_while() -> None:
    korean, english = factories.UserFactory(name="김하늘"), factories.UserFactory(name="Ada", language="en")
    tell(korean, english, kind="test.mailed", facts={"name": "둘\n줄"}, url="/quota/requests/1/")
    tell(korean)
    assert send_due_mail() == 0  # who sits before the page reads it there
    let_mail_be_due()
    assert send_due_mail() == 2
    assert send_due_mail() == 0
    by_reader = {letter.to[0]: letter for letter in mail.outbox}
    assert set(by_reader) == {korean.email, english.email}
    assert by_reader[english.email].subject == "둘 줄"
    told = Notice.objects.get(recipient=english)
    assert f"http://127.0.0.1:8000/notices/{told.pk}/" in by_reader[english.email].body
    assert "Hello Ada," in by_reader[english.email].body
    assert "Hello" not in by_reader[korean.email].body


def test_what_was_read_and_who_left_gets_no_mail() -> None:
    reader, gone = factories.UserFactory(), factories.UserFactory()
    tell(reader, gone, kind="test.mailed", facts={"name": "x"})
    read_all(user_id=reader.pk)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    let_mail_be_due()
    assert send_due_mail() == 0
    assert mail.outbox == []


def test_the_api_lists_and_reads_ones_own() -> None:
    reader, stranger = factories.UserFactory(), factories.UserFactory()
    tell(reader)
    tell(stranger)
    client = page_of(reader)
    found = client.get("/api/v1/notices/", headers={"accept-language": "en"}).json()["results"]
    assert [(one["kind"], one["title"], one["read_at"]) for one in found] == [("test.plain", "Running", None)]
    assert client.post("/api/v1/notices/read/").json() == {"read": 1}
    assert client.get("/api/v1/notices/?unread=1").json()["results"] == []
    assert Notice.objects.get(recipient=stranger).read_at is None


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_an_open_page_hears_of_news_until_the_account_is_closed() -> None:
    person = await sync_to_async(factories.UserFactory)()
    admin = await sync_to_async(factories.staff)("PLATFORM_ADMIN", await sync_to_async(factories.platform_scope)())
    scope = {"type": "websocket", "path": "/ws/notices/", "query_string": b"", "headers": [], "user": person}
    wire = ApplicationCommunicator(URLRouter(websocket_urlpatterns), scope)

    async def said() -> dict[str, Any]:
        frame: dict[str, Any] = await wire.receive_output(5)
        return json.loads(frame["text"]) if "text" in frame else frame

    await wire.send_input({"type": "websocket.connect"})
    assert (await said())["type"] == "websocket.accept"
    assert await said() == {"type": "notices", "unread": 0}
    await sync_to_async(transaction.atomic(tell))(person)
    assert await said() == {"type": "notices", "unread": 1}
    await sync_to_async(set_active)(user=person, is_active=False, actor=admin, reason="left")
    assert (await said())["code"] == 4401
