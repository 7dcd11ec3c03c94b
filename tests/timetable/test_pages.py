"""The timetable's pages: what each person sees, the clash with its free times, the move, the calendar."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from courses.timetable.models import ClassSeries, ClassSession, Holiday
from courses.timetable.services import PlaceWish
from tests.courses import build as courses

from . import build
from .test_booking import Term

pytestmark = pytest.mark.django_db


@pytest.fixture
def term():
    return Term()


def client_of(user):
    client = Client()
    client.force_login(user)
    user.language = "en"
    user.save()
    client.cookies["language"] = "en"
    return client


def week_url(at, **more):
    query = "&".join(f"{name}={value}" for name, value in {"day": at.date().isoformat(), **more}.items())
    return f"{reverse('timetable:week')}?{query}"


def form_data(term, **changes):
    given = {
        "title": "실습 준비", "kind": "LAB", "day": build.at(0, 9).date().isoformat(),
        "starts": "09:00", "ends": "11:00",
        f"cohort_{term.yongin.pk}": "on", f"room_{term.yongin.pk}": term.room.pk, f"gpus_{term.yongin.pk}": 4,
        f"site_{term.yongin.pk}": term.site.pk, "teachers": [term.planner.pk],
    }  # fmt: skip
    return given | changes


def test_each_sees_the_classes_that_are_theirs(term):
    made = term.plan()
    learner = courses.learner(term.jeonbuk).user
    stranger = courses.learner(courses.cohort()).user
    for user, sees in ((learner, True), (term.planner, True), (stranger, False)):
        client = client_of(user)
        for name in ("week", "month"):
            page = client.get(
                f"{reverse(f'timetable:{name}')}?day={made.starts_at.date().isoformat()}"
            ).content.decode()
            assert (made.title in page) is sees
        assert client.get(reverse("timetable:class", args=[made.pk])).status_code == (200 if sees else 404)


def test_a_learner_reads_the_room_of_the_own_cohort(term):
    made = term.plan()
    page = (
        client_of(courses.learner(term.jeonbuk).user).get(reverse("timetable:class", args=[made.pk])).content.decode()
    )
    assert term.other_room.name in page or term.other_room.name_ko in page
    assert term.room.name_ko not in page


def test_a_clash_shows_every_clash_and_a_click_on_a_free_time_books_it(term):
    term.plan(title="앞 수업")
    client = client_of(term.planner)
    url = reverse("timetable:new", args=[term.run.slug])
    answer = client.post(url, form_data(term))
    assert answer.status_code == 400
    assert {one.clash.kind for one in answer.context["clashes"]} == {"ROOM", "TEACHER", "COHORT"}
    slot = answer.context["slots"][0]
    assert f'value="{timezone.localtime(slot.starts_at).isoformat()}' in answer.content.decode()
    value = f"{slot.starts_at.isoformat()},{slot.ends_at.isoformat()}"
    booked = client.post(url, form_data(term, slot=value))
    assert booked.status_code == 302
    assert ClassSession.objects.get(title="실습 준비").starts_at == slot.starts_at == build.at(0, 11)


def test_the_type_of_gpu_that_a_class_keeps_is_chosen_and_outlives_a_change_of_title(term):
    client = client_of(term.planner)
    typed = {f"gpu_type_{term.yongin.pk}": "h100"}
    assert client.post(reverse("timetable:new", args=[term.run.slug]), form_data(term, **typed)).status_code == 302
    made = ClassSession.objects.get(title="실습 준비")
    url = reverse("timetable:edit", args=[made.pk])
    shown = client.get(url).context["form"]
    assert shown[f"gpu_type_{term.yongin.pk}"].value() == "h100"
    assert client.post(url, form_data(term, title="다른 제목", sequence=0, **typed)).status_code == 302
    place = made.places.get()
    assert (place.gpu_type, place.reservation.gpu_type) == ("h100", "h100")
    assert "h100" in client.get(reverse("timetable:class", args=[made.pk])).content.decode()


def test_a_class_is_changed_and_what_was_typed_stays_on_an_error(term):
    made = term.plan(places=(PlaceWish(term.yongin.pk, term.room.pk),))
    client = client_of(term.planner)
    url = reverse("timetable:edit", args=[made.pk])
    shown = client.get(url)
    assert shown.context["form"]["starts"].value().hour == 9
    bad = client.post(url, form_data(term, ends="08:00", sequence=0))
    assert (bad.status_code, "실습 준비" in bad.content.decode()) == (400, True)
    assert client.post(url, form_data(term, starts="13:00", ends="15:00", sequence=0)).status_code == 302
    made.refresh_from_db()
    assert (made.starts_at, made.kind, made.sequence) == (build.at(0, 13), "LAB", 1)
    late = client.post(url, form_data(term, sequence=0))
    assert late.status_code == 400
    assert made.sequence == 1


def test_a_move_answers_with_the_clashes_or_the_new_time(term):
    made = term.plan()
    term.plan(start=build.at(1, 9), title="화요일")
    client = client_of(term.planner)
    url = reverse("timetable:move", args=[made.pk])
    wish = {"day": build.at(1, 9).date().isoformat(), "time": "10:00", "zone": "Asia/Seoul", "sequence": 0}
    refused = client.post(url, wish)
    assert refused.status_code == 409
    assert len(refused.json()["clashes"]) == 6
    assert refused.json()["slots"]
    moved = client.post(url, wish | {"time": "11:00"})
    assert (moved.status_code, moved.json()["sequence"]) == (200, 1)
    made.refresh_from_db()
    assert made.starts_at == build.at(1, 11)
    for bad in (
        {"day": "x", "time": "10:00", "zone": "Asia/Seoul"},
        {"starts_at": "soon"},
        {},
        wish | {"zone": "../x"},
    ):
        assert client.post(url, bad).status_code == 400


def test_a_series_leaves_holidays_out_and_says_so(term):
    Holiday.objects.create(on=build.at(2, 0).date(), name_ko="개교기념일")
    client = client_of(term.planner)
    data = form_data(
        term, weekdays=["0", "2"], from_on=build.at(0, 0).date().isoformat(),
        until_on=build.at(9, 0).date().isoformat(),
        skipped=build.at(7, 0).date().isoformat(),
    )  # fmt: skip
    answer = client.post(reverse("timetable:new-series", args=[term.run.slug]), data, follow=True)
    assert answer.status_code == 200
    starts = ClassSession.objects.values_list("starts_at", flat=True)
    assert list(starts) == [build.at(0, 9), build.at(9, 9)]
    series = ClassSeries.objects.get()
    page = client.get(reverse("timetable:series", args=[series.pk]))
    assert page.context["form"]["skipped"].value() == build.at(7, 0).date().isoformat()
    ended = client.post(reverse("timetable:end-series", args=[series.pk]), {"reason": "폐강"})
    assert ended.status_code == 302
    assert not ClassSession.objects.filter(state="PLANNED").exists()


def test_cancelling_leads_to_a_make_up_class(term):
    made = term.plan()
    client = client_of(term.planner)
    url = reverse("timetable:cancel", args=[made.pk])
    assert client.post(url, {"reason": ""}).status_code == 400
    assert client.post(url, {"reason": "강사 병가"}).status_code == 302
    page = client.get(reverse("timetable:class", args=[made.pk])).content.decode()
    assert "강사 병가" in page
    data = form_data(term, day=build.at(3, 0).date().isoformat())
    assert client.post(reverse("timetable:make-up", args=[made.pk]), data).status_code == 302
    assert ClassSession.objects.get(replaces=made).title == "실습 준비"


def test_a_learner_takes_a_slot_of_office_hours_and_gives_it_up(term):
    made = term.plan(kind="OFFICE", slot_minutes=20, hours=1)
    learner = courses.learner(term.yongin).user
    client = client_of(learner)
    assert made.title in client.get(reverse("timetable:office-hours")).content.decode()
    took = client.post(
        reverse("timetable:take-slot", args=[made.pk]), {"starts_at": build.at(0, 9).isoformat(), "topic": "과제"}
    )
    assert took.status_code == 302
    slot = made.slots.get()
    assert "과제" in client_of(term.planner).get(reverse("timetable:class", args=[made.pk])).content.decode()
    other = client_of(courses.learner(term.yongin).user)
    assert other.post(reverse("timetable:give-up-slot", args=[slot.pk])).status_code == 404
    assert client.post(reverse("timetable:give-up-slot", args=[slot.pk])).status_code == 302
    assert not made.slots.exists()


def test_pages_cost_the_same_at_one_class_and_at_twenty(term):
    learner = courses.learner(term.yongin).user
    admin = courses.staff("PLATFORM_ADMIN", courses.root())
    first = term.plan()
    term.plan(start=build.at(0, 20), hours=1, kind="OFFICE", slot_minutes=20, stream_id=None)
    Holiday.objects.create(on=build.at(0, 0).date(), name_ko="개교기념일")
    urls = [
        week_url(build.at(0, 9)), f"{reverse('timetable:month')}?day={build.at(0, 9).date().isoformat()}",
        reverse("timetable:office-hours"), reverse("timetable:settings"), reverse("timetable:calendar"),
        reverse("timetable:class", args=[first.pk]),
    ]  # fmt: skip
    people = {url: (admin if "settings" in url else term.planner) for url in urls}

    def counts():
        found = {}
        for url in urls:
            for user in {people[url], *([] if "settings" in url else [learner])}:
                client = client_of(user)
                with CaptureQueriesContext(connection) as seen:
                    assert client.get(url).status_code == 200
                found[url, user.pk] = len(seen)
        return found

    few = counts()
    for number in range(1, 20):
        day, hour = divmod(number, 5)
        term.plan(start=build.at(day, 9 + 2 * hour), hours=1 + number % 2, title=f"수업 {number}")
        Holiday.objects.create(on=build.at(number, 0).date(), name_ko=f"휴일 {number}")
    for day in range(5):
        term.plan(start=build.at(day, 19), hours=1, kind="OFFICE", slot_minutes=20, stream_id=None, title=f"상담 {day}")
    assert counts() == few
    assert max(few.values()) <= 20
