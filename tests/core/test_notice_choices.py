"""Choosing how one is told: by topic, at once, once a day, on the site, not at all; and the links that end e-mails."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from campus.core.errors import NotFound
from campus.core.models import Digest, Notice, NoticeChoice, NoticeSettings
from campus.core.notices.choices import Chosen, save_choices, unsubscribe, unsubscribe_token
from campus.core.notices.digests import open_digests, send_digests
from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.mailing import send_due_mail
from campus.core.notices.services import notify, read_all
from campus.core.notices.topics import GROUPS, Topic, register_topics, topics
from campus.people.models import User
from tests import factories

pytestmark = pytest.mark.django_db

register_topics(
    {
        "test.mail": Topic("Mailed things", "campus", "MAIL"),
        "test.digest": Topic("Daily things", "campus", "DIGEST"),
        "test.must": Topic("Grave things", "account", must=True),
    }
)
register(
    {
        "test.now": NoticeKind("Now %(what)s", "text %(what)s", topic="test.mail"),
        "test.daily": NoticeKind("Daily %(what)s", "text %(what)s", topic="test.digest"),
        "test.grave": NoticeKind("Grave", topic="test.must"),
    }
)

#: A morning to come at the campus: nothing that these tests send was sent on that day.
MORNING = (timezone.localtime() + timedelta(days=2)).replace(hour=8, minute=30)
DAY = timedelta(days=1)


def tell(*people: User, kind: str = "test.now", what: str = "it", **wishes: Any) -> None:
    notify(recipient_ids=[one.pk for one in people], kind=kind, url="/jobs/", facts={"what": what}, **wishes)


def choose(user: User, **ways: str) -> None:
    chosen = {f"test.{topic}": Chosen(way) for topic, way in ways.items()}
    save_choices(user_id=user.pk, chosen=chosen, digest_hour=8)


def let_mail_be_due() -> None:
    Notice.objects.filter(mail="DUE").update(mail_after=Now() - timedelta(seconds=1))


def sent() -> list[str]:
    return [letter.subject for letter in mail.outbox]


def digest_at(now: datetime) -> int:
    """What the sweep of that minute sends."""
    return send_digests(now=now)


def test_a_topic_reaches_each_as_they_chose() -> None:
    people = {way: factories.UserFactory(language="en") for way in ("MAIL", "DIGEST", "SITE", "OFF")}
    usual = factories.UserFactory()
    for way, person in people.items():
        choose(person, mail=way)
    tell(*people.values(), usual)
    made = dict(Notice.objects.values_list("recipient_id", "mail"))
    assert made == {people["MAIL"].pk: "DUE", people["DIGEST"].pk: "DIGEST", people["SITE"].pk: "NONE", usual.pk: "DUE"}


def test_what_must_come_comes_whatever_is_stored() -> None:
    person = factories.UserFactory()
    choose(person, must="OFF")
    NoticeChoice.objects.filter(user=person, topic="test.must").update(way="OFF")
    tell(person, kind="test.grave")
    assert Notice.objects.get().mail == "DUE"


def test_every_topic_of_the_product_stands_under_a_heading_and_warnings_cannot_be_off() -> None:
    product = {name: topic for name, topic in topics().items() if not name.startswith("test.")}
    assert all(topic.group in GROUPS for topic in product.values())
    graves = {name for name, topic in product.items() if topic.must}
    assert graves == {"account.security", "attendance.warning", "support.messages"}
    assert product["work.grades"].default == "DIGEST"


def test_several_of_a_kind_within_a_moment_are_one_mail_and_the_next_waits() -> None:
    person, other = factories.UserFactory(language="en"), factories.UserFactory(language="en")
    for number in range(3):
        tell(person, what=str(number))
    tell(other, what="9")
    first = Notice.objects.filter(recipient=person).earliest("id")
    Notice.objects.filter(pk__in=[first.pk, Notice.objects.get(recipient=other).pk]).update(mail_after=Now())
    assert send_due_mail() == 2
    assert sorted(sent()) == ["Now 0, and 2 more", "Now 9"]
    assert all(f"text {number}" in mail.outbox[0].body + mail.outbox[1].body for number in range(3))
    tell(person, what="later")
    let_mail_be_due()
    assert send_due_mail() == 0
    Notice.objects.exclude(mailed_at=None).update(mailed_at=Now() - timedelta(minutes=11))
    assert send_due_mail() == 1
    assert sent()[-1] == "Now later"


def test_the_digest_comes_once_a_day_at_ones_hour_in_the_campus_time_zone() -> None:
    early, late = factories.UserFactory(language="en"), factories.UserFactory(language="en")
    NoticeSettings.objects.create(user=late, digest_hour=21)
    for number in range(3):
        tell(early, late, kind="test.daily", what=str(number))
    assert digest_at(MORNING - timedelta(hours=1)) == 0
    assert digest_at(MORNING) == 1
    assert digest_at(MORNING) == 0
    assert mail.outbox[0].to == [early.email]
    assert all(f"Daily {number}" in mail.outbox[0].body for number in range(3))
    tell(early, kind="test.daily", what="more")
    assert digest_at(MORNING + timedelta(hours=2)) == 0
    assert digest_at(MORNING + timedelta(hours=13)) == 1
    assert mail.outbox[1].to == [late.email]
    assert digest_at(MORNING + DAY) == 1
    assert "Daily more" in mail.outbox[2].body
    assert "Daily 0" not in mail.outbox[2].body
    assert set(Notice.objects.values_list("mail", flat=True)) == {"SENT"}


def test_a_day_without_news_or_with_all_of_it_read_has_no_digest() -> None:
    reader, gone = factories.UserFactory(), factories.UserFactory()
    tell(reader, gone, kind="test.daily")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    open_digests(now=MORNING)
    read_all(user_id=reader.pk)
    assert digest_at(MORNING) == 0
    assert Digest.objects.get().mail == "NONE"
    assert digest_at(MORNING + DAY) == 0
    assert Digest.objects.count() == 1
    assert mail.outbox == []


def test_a_second_digest_of_a_day_cannot_be_written() -> None:
    person = factories.UserFactory()
    Digest.objects.create(user=person, day=MORNING.date(), mail_after=MORNING)
    with pytest.raises(IntegrityError), transaction.atomic():
        Digest.objects.create(user=person, day=MORNING.date(), mail_after=MORNING)


def test_a_digest_is_written_in_the_persons_language_as_text_and_html_by_topic() -> None:
    person = factories.UserFactory(name="김하늘", language="ko")
    tell(person, kind="test.daily", what="<b>굵게</b>")
    assert digest_at(MORNING) == 1
    letter = mail.outbox[0]
    html = letter.alternatives[0][0]
    assert "김하늘" in letter.body
    assert "Hello" not in letter.body
    assert "Daily things" in letter.body
    assert "&lt;b&gt;굵게&lt;/b&gt;" in html
    assert "<b>굵게</b>" in letter.body
    assert 'lang="ko"' in html
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def one_click(letter: Any) -> str:
    """The path of the address that a mail program posts to by itself."""
    return str(letter.extra_headers["List-Unsubscribe"]).strip("<>").removeprefix("http://127.0.0.1:8000")


def test_one_click_ends_the_mails_of_that_kind_without_signing_in_and_nothing_else() -> None:
    person, other = factories.UserFactory(language="en"), factories.UserFactory(language="en")
    tell(person, other)
    let_mail_be_due()
    assert send_due_mail() == 2
    letter = next(one for one in mail.outbox if one.to == [person.email])
    anyone = Client(enforce_csrf_checks=True)
    assert anyone.get(one_click(letter)).status_code == 200
    assert not NoticeChoice.objects.exists()  # a mail scanner that follows links stops nothing
    assert anyone.post(one_click(letter), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert list(NoticeChoice.objects.values_list("user_id", "topic", "way")) == [(person.pk, "test.mail", "SITE")]
    tell(person, other)
    assert set(Notice.objects.filter(mail="DUE").values_list("recipient_id", flat=True)) == {other.pk}
    assert Notice.objects.filter(recipient=person).count() == 2


def test_one_click_in_a_digest_ends_the_digest() -> None:
    person = factories.UserFactory()
    tell(person, kind="test.daily")
    digest_at(MORNING)
    assert Client().post(one_click(mail.outbox[0])).status_code == 200
    tell(person, kind="test.daily")
    assert digest_at(MORNING + DAY) == 0


def test_a_link_that_we_did_not_sign_or_for_what_must_come_is_none() -> None:
    person = factories.UserFactory()
    good = unsubscribe_token(person.pk, "test.mail")
    for token in (good[:-2], unsubscribe_token(person.pk, "test.must"), unsubscribe_token(person.pk, "test.gone"), "x"):
        with pytest.raises(NotFound):
            unsubscribe(token=token)
        assert Client().post(f"/notices/stop/{token}/").status_code == 404


def test_a_letter_that_must_come_offers_no_way_out() -> None:
    tell(factories.UserFactory(), kind="test.grave")
    let_mail_be_due()
    send_due_mail()
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers


def test_what_waits_follows_a_new_choice() -> None:
    person = factories.UserFactory()
    tell(person)
    choose(person, mail="DIGEST")
    assert Notice.objects.get().mail == "DIGEST"
    choose(person, mail="SITE")
    assert Notice.objects.get().mail == "NONE"
    assert digest_at(MORNING) == 0


def page(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["campus_language"] = "en"
    return client


def test_the_page_keeps_choices_and_offers_learners_nothing_of_staff() -> None:
    learner = factories.UserFactory()
    teacher = factories.staff("INSTRUCTOR", factories.cohort_scope(factories.campus()))
    client = page(learner)
    shown = client.get("/me/notices/").content.decode()
    assert "Grades, and answers about them" in shown
    assert "Questions about grades" not in shown
    assert "Questions about grades" in page(teacher).get("/me/notices/").content.decode()
    fields = {"work.grades": "MAIL", "digest_hour": "19"}
    form = client.get("/me/notices/").context["form"]
    usual = {name: form[name].value() for name in form.fields}
    assert client.post("/me/notices/", usual | fields).status_code == 302
    assert NoticeSettings.objects.get().digest_hour == 19
    assert NoticeChoice.objects.get(topic="work.grades").way == "MAIL"
    assert not NoticeChoice.objects.filter(topic__startswith="teaching.").exists()
    assert client.post("/me/notices/", usual | {"work.grades": "TELEGRAM"}).status_code == 400


def test_a_changed_password_is_told_by_mail(client: Client) -> None:
    person = factories.UserFactory()
    client.force_login(person)
    new = {"oldpassword": factories.PASSWORD, "password1": "Nagano-7-Berge", "password2": "Nagano-7-Berge"}
    assert client.post("/accounts/password/change/", new).status_code == 302
    notice = Notice.objects.get()
    assert (notice.kind, notice.mail, notice.recipient_id) == ("people.password_changed", "DUE", person.pk)


def test_a_program_reads_and_changes_how_one_is_told(client: Client) -> None:
    user = factories.UserFactory()
    client.force_login(user)
    address = "/api/v1/notices/choices/"
    before = {row["topic"]: row for row in client.get(address).json()["topics"]}
    assert (before["test.mail"]["way"], before["test.must"]["must"]) == ("MAIL", True)
    assert not any(row["group"] == "teaching" for row in before.values()), "as the page: only what concerns one"

    def put(*topics: dict[str, Any], hour: int = 9) -> Any:
        return client.put(address, {"digest_hour": hour, "topics": topics}, content_type="application/json")

    answer = put({"topic": "test.mail", "way": "OFF"}, {"topic": "test.must", "way": "OFF"}).json()
    after = {row["topic"]: row["way"] for row in answer["topics"]}
    assert (answer["digest_hour"], after["test.mail"], after["test.must"]) == (9, "OFF", "MAIL")
    assert after["test.digest"] == before["test.digest"]["way"], "what is left out stays"
    for refused in (put(hour=24), put({"topic": "no.such", "way": "OFF"}), put({"topic": "test.mail", "way": "LOUD"})):
        assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")
    assert NoticeSettings.objects.get(user=user).digest_hour == 9


def test_a_program_marks_one_notice_as_read(client: Client) -> None:
    reader, other = factories.UserFactory(), factories.UserFactory()
    tell(reader)
    told = Notice.objects.get()
    client.force_login(other)
    assert client.post(f"/api/v1/notices/{told.pk}/read/").status_code == 404
    client.force_login(reader)
    assert client.post(f"/api/v1/notices/{told.pk}/read/").json() == {"url": "/jobs/"}
    assert client.get("/api/v1/notices/?unread=1").json()["results"] == []
