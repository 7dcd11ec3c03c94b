"""Class reservations on a real database: never more GPUs than the site has, who clashes, and what is released."""

import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.core.models import AuditEntry
from infra.pool.models import Node, Site
from labs.scheduling import reservations
from labs.scheduling.api import cancel_reservation, move_reservation, reservations_of, reserve_class
from labs.scheduling.models import ClassReservation
from labs.scheduling.tending import tend_reservations
from tests import factories
from tests.jobs.build import World, running, settle

SOON = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)


def hour(n: float) -> datetime:
    return SOON + timedelta(hours=n)


def book(world: World, *, gpus: int = 2, start: float = 0, end: float = 1, **fields: Any) -> ClassReservation:
    asked: dict[str, Any] = {
        "account_id": world.cohort_account.pk,
        "site_id": Site.objects.get().pk,
        "gpus": gpus,
        "start_at": hour(start),
        "end_at": hour(end),
        "title": "Deep learning, 3rd week",
        "actor": world.learner,
    }
    return reserve_class(**(asked | fields))


@pytest.fixture
def site(world: World) -> Site:
    """Four GPUs of one type and two of another."""
    world.node(gpus=4)
    world.node(gpus=2, gpu_type="nvidia-a100")
    return Site.objects.get()


def test_a_class_is_kept_and_it_is_written_down_who_did_it(world: World, site: Site) -> None:
    made = book(world, gpus=4, gpu_type="nvidia-h100")
    assert list(reservations_of(account_ids=[world.cohort_account.pk], from_at=hour(0), until_at=hour(1))) == [made]
    entry = AuditEntry.objects.get(verb="reservation.made")
    assert (entry.actor, entry.changes["gpus"]) == (world.learner, ["", 4])
    assert site.campus.scope_id in entry.scope_path


def test_a_clash_names_what_clashes_and_the_nearest_free_times(world: World, site: Site) -> None:
    first = book(world, gpus=4, start=0, end=2)
    book(world, gpus=6, start=2, end=3)
    with pytest.raises(Conflict) as refused:
        book(world, gpus=3, start=1, end=2)
    assert refused.value.code == "reservation_clash"
    facts = refused.value.facts
    assert (facts["gpus_free"], [one["id"] for one in facts["clashes"]]) == (2, [first.pk])
    slots = [
        (datetime.fromisoformat(one["start_at"]), datetime.fromisoformat(one["end_at"])) for one in facts["free_slots"]
    ]
    assert slots[:2] == [(hour(-1), hour(0)), (hour(3), hour(4))]
    assert book(world, gpus=3, start_at=slots[1][0], end_at=slots[1][1]).state == "BOOKED"


def test_one_may_begin_where_another_ends(world: World, site: Site) -> None:
    book(world, gpus=6, start=0, end=1)
    book(world, gpus=6, start=1, end=2)


def test_types_and_the_whole_are_both_counted(world: World, site: Site) -> None:
    book(world, gpus=3, gpu_type="nvidia-h100")
    with pytest.raises(Conflict):
        book(world, gpus=2, gpu_type="nvidia-h100")
    book(world, gpus=1)
    book(world, gpus=2, gpu_type="nvidia-a100")
    with pytest.raises(Conflict):
        book(world, gpus=1)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"gpus": 0}, "gpus"),
        ({"gpus": 7}, "gpus"),
        ({"gpus": 3, "gpu_type": "nvidia-a100"}, "gpus"),
        ({"title": " "}, "title"),
        ({"start": 1, "end": 1}, "end_at"),
        ({"start": 0, "end": 25}, "end_at"),
        ({"start": -9, "end": -8}, "start_at"),
        ({"release_after_s": 5}, "release_after_s"),
        ({"site_id": 0}, "site_id"),
        ({"account_id": 0}, "account_id"),
    ],
)
def test_what_is_wrong_is_named(world: World, site: Site, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        book(world, **fields)
    assert list(refused.value.fields) == [wrong]


def test_a_learners_account_is_no_class(world: World, site: Site) -> None:
    with pytest.raises(InvalidInput):
        book(world, account_id=world.account.pk)


def test_nodes_that_refuse_code_do_not_count(world: World, site: Site) -> None:
    Node.objects.filter(gpus__gpu_type="nvidia-h100").update(confinement="REFUSED")
    with pytest.raises(InvalidInput):
        book(world, gpus=3)


def test_the_same_key_gives_the_first_again_until_it_is_cancelled(world: World, site: Site) -> None:
    first = book(world, gpus=4, key="session:7")
    assert book(world, gpus=4, key="session:7") == first
    cancel_reservation(reservation_id=first.pk, actor=None)
    second = book(world, gpus=4, key="session:7")
    assert second != first
    assert list(reservations_of(key="session:7")) == [second]


def test_moving_frees_the_old_time_and_checks_the_new_one(world: World, site: Site) -> None:
    moved, other = book(world, gpus=6), book(world, gpus=6, start=2, end=3)
    with pytest.raises(Conflict):
        move_reservation(reservation_id=moved.pk, actor=None, start_at=hour(2.5), end_at=hour(3.5))
    move_reservation(reservation_id=moved.pk, actor=None, start_at=hour(1), end_at=hour(2))
    book(world, gpus=6)
    entry = AuditEntry.objects.get(verb="reservation.moved")
    assert set(entry.changes) == {"start_at", "end_at"}
    cancel_reservation(reservation_id=other.pk, actor=None, reason="holiday")
    assert cancel_reservation(reservation_id=other.pk, actor=None).state == "CANCELLED"
    with pytest.raises(Conflict):
        move_reservation(reservation_id=other.pk, actor=None, gpus=1)
    with pytest.raises(NotFound):
        cancel_reservation(reservation_id=0, actor=None)


def test_the_database_itself_keeps_no_more_than_there_are(world: World, site: Site) -> None:
    made = book(world, gpus=4)
    for fields in ({"gpus": 3}, {"gpus": 2, "gpu_type": "nvidia-h100", "n": 3}):
        rows = [
            ClassReservation(
                account=made.account, site=site, title="x", start_at=hour(0.5), end_at=hour(2),
                gpus=fields["gpus"], gpu_type=fields.get("gpu_type", ""),
            )
            for _ in range(int(fields.get("n", 1)))
        ]  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            ClassReservation.objects.bulk_create(rows)
    with pytest.raises(IntegrityError), transaction.atomic():
        ClassReservation.objects.filter(pk=made.pk).update(gpus=7)


# ---- two who book the last GPUs at the same time --------------------------------------------------------------------


def rush(world: World, people: int) -> int:
    """So many book four of six GPUs for the same hour at once; how many got them."""
    gate, won = threading.Barrier(people), []

    def run() -> None:
        try:
            gate.wait(20)
            with transaction.atomic():
                won.append(book(world, gpus=4))
        except (Conflict, IntegrityError):
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return len(won)


@contextmanager
def trigger_off() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE scheduling_classreservation DISABLE TRIGGER USER")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE scheduling_classreservation ENABLE TRIGGER USER")


def no_lock(site_id: int) -> None:
    """In the lock's place."""


@pytest.mark.django_db(transaction=True)
def test_of_those_who_book_the_last_gpus_at_once_one_gets_them(world: World, site: Site) -> None:
    with trigger_off():
        assert rush(world, 6) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_several_would(world: World, site: Site, monkeypatch: Any) -> None:
    """The negative control of the test above."""
    meeting = threading.Barrier(2)
    check = reservations._check_room

    def check_together(wish: ClassReservation, now: datetime) -> None:
        check(wish, now)
        meeting.wait(20)

    monkeypatch.setattr(reservations, "_lock", no_lock)
    monkeypatch.setattr(reservations, "_check_room", check_together)
    with trigger_off():
        assert rush(world, 2) == 2


@pytest.mark.django_db(transaction=True)
def test_without_the_services_lock_the_database_still_refuses(world: World, site: Site, monkeypatch: Any) -> None:
    meeting = threading.Barrier(2)
    check = reservations._check_room

    def check_together(wish: ClassReservation, now: datetime) -> None:
        check(wish, now)
        meeting.wait(20)

    monkeypatch.setattr(reservations, "_lock", no_lock)
    monkeypatch.setattr(reservations, "_check_room", check_together)
    assert rush(world, 2) == 1


# ---- who comes, and where nobody comes ------------------------------------------------------------------------------


def begun(world: World, **fields: Any) -> ClassReservation:
    """A class that began ten minutes ago."""
    made = book(world, **fields)
    now = timezone.now()
    ClassReservation.objects.filter(pk=made.pk).update(
        start_at=now - timedelta(minutes=10), end_at=now + timedelta(minutes=50)
    )
    made.refresh_from_db()
    return made


def at_minute(made: ClassReservation, minute: float) -> list[int]:
    with transaction.atomic():
        return tend_reservations(made.start_at + timedelta(minutes=minute))


def test_what_nobody_comes_for_is_released_after_its_time(world: World, site: Site) -> None:
    made = begun(world, release_after_s=15 * 60)
    assert at_minute(made, 14.9) == []
    assert at_minute(made, 15) == [made.pk]
    made.refresh_from_db()
    assert made.state == "RELEASED"
    assert AuditEntry.objects.get(verb="reservation.released").actor is None
    assert at_minute(made, 16) == []


def test_whoever_waits_or_runs_keeps_it(world: World, site: Site) -> None:
    made = begun(world, release_after_s=15 * 60)
    job = world.submit()
    assert at_minute(made, 20) == []
    attempt = running(job, Node.objects.first())
    assert at_minute(made, 40) == []
    settle(attempt)
    assert at_minute(made, 50) == []
    assert at_minute(made, 55.1) == [made.pk]


def test_a_job_of_another_class_does_not_keep_it(world: World, site: Site) -> None:
    made = begun(world)
    with transaction.atomic():
        other = factories.account("COHORT", world.cohort_account.parent, world.cohort_account.scope, 3600 * 10)
        learner = factories.UserFactory()
        account = factories.learner_account(other, learner, 3600)
    world.submit(owner=learner, account_id=account.pk)
    assert at_minute(made, 15) == [made.pk]


def test_before_it_begins_and_after_it_ends_nothing_is_released(world: World, site: Site) -> None:
    made = book(world)
    assert at_minute(made, -1) == at_minute(made, 61) == []
