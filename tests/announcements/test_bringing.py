"""Bringing to thousands: killed at any batch, doubled by four workers, nobody is lost and nobody told twice."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.models import QuerySet
from django.db.models.functions import Now

from campus.core.models import Notice
from campus.core.notices.mailing import send_due_mail
from courses.announcements.models import Announcement, Delivery
from courses.announcements.services import Wish, bringing, publish, save_announcement
from courses.announcements.tasks import publish_and_bring
from courses.catalog.models import Enrolment
from labs.quota.models import Account
from tests.core.post_office import post_office
from tests.courses import build

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 1_200


@pytest.fixture
def announcement() -> Announcement:
    """An announcement to a cohort of 1,200, published and brought to nobody yet."""
    build.root()
    home, run = build.campus(), build.run()
    cohort = build.cohort(run, home, seats=PEOPLE)
    teacher = build.staff("INSTRUCTOR", cohort.scope)
    account = Account.objects.get(pk=cohort.account_id)
    Enrolment.objects.bulk_create(
        Enrolment(cohort=cohort, run=run, user=one, account=account) for one in build.people(PEOPLE)
    )
    found = save_announcement(
        wish=Wish("모두에게", "본문", "COHORT", role="LEARNERS", cohort_id=cohort.pk), actor=teacher
    )
    return publish(announcement_id=found.pk, actor=teacher)


def at_once(act: Callable[[], Any], workers: int = 4) -> list[Exception]:
    """Run it in threads with connections of their own; return what went wrong."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            act()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


def reached() -> tuple[int, int, int]:
    """How many deliveries, how many people have one, how many notices."""
    rows = Delivery.objects.values_list("recipient_id", flat=True)
    return len(rows), len(set(rows)), Notice.objects.filter(kind="announcements.published").count()


def kill_this_worker() -> None:
    """What kill -9 looks like to the database: the connection is gone in the midst of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_worker_killed_in_any_batch_loses_nobody_and_doubles_nobody(
    announcement: Announcement, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    notify, calls = bringing.notify, iter(range(1, 100))

    def notify_until_killed(**wish: Any) -> None:
        notify(**wish)
        if next(calls) == batch:
            kill_this_worker()

    monkeypatch.setattr(bringing, "notify", notify_until_killed)
    (error,) = at_once(publish_and_bring, workers=1)
    assert isinstance(error, OperationalError)
    done = (batch - 1) * bringing.BATCH
    assert reached() == (done, done, done)
    publish_and_bring()
    assert reached() == (PEOPLE, PEOPLE, PEOPLE)
    publish_and_bring()
    assert reached() == (PEOPLE, PEOPLE, PEOPLE)


def test_four_workers_at_once_tell_everybody_once(announcement: Announcement) -> None:
    assert at_once(publish_and_bring) == []
    assert reached() == (PEOPLE, PEOPLE, PEOPLE)


@pytest.fixture
def without_lock_and_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The negative control: no lock, no unique keys, and all have looked before the first writes."""
    gate = threading.Barrier(4)
    notify = bringing.notify

    def notify_without_key(**wish: Any) -> None:
        if wish.pop("key"):
            notify(**wish)

    audience = bringing.audience

    def look_together(about: Announcement) -> QuerySet[Any]:
        found = audience(about)
        gate.wait(20)
        return found

    monkeypatch.setattr(bringing, "audience", look_together)
    monkeypatch.setattr(bringing, "notify", notify_without_key)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_how: self.all())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE announcements_delivery DROP CONSTRAINT delivery_once_a_person")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM announcements_delivery")
        cursor.execute(
            "ALTER TABLE announcements_delivery ADD CONSTRAINT delivery_once_a_person"
            " UNIQUE (announcement_id, recipient_id)"
        )


@pytest.mark.usefixtures("without_lock_and_keys")
def test_without_lock_and_keys_people_would_be_told_four_times(announcement: Announcement) -> None:
    assert at_once(lambda: bringing.bring_batch(announcement_id=announcement.pk)) == []
    deliveries, people, notices = reached()
    assert (deliveries, people, notices) == (4 * bringing.BATCH, bringing.BATCH, 4 * bringing.BATCH)


def test_each_person_is_told_over_smtp_once(announcement: Announcement, settings: Any) -> None:
    Enrolment.objects.filter(pk__in=Enrolment.objects.order_by("pk")[40:].values("pk")).update(state="WITHDRAWN")
    publish_and_bring()
    Notice.objects.filter(mail="DUE").update(mail_after=Now() - timedelta(seconds=1))
    with post_office(settings) as office:
        at_once(send_due_mail)
        assert sorted(str(one["X-To"]) for one in office.letters) == sorted(
            Notice.objects.values_list("recipient__email", flat=True)
        )
        assert len(office.letters) == 40
        assert {one["Subject"] for one in office.letters} == {"모두에게"}
