"""Checking in, watching, marking, asking, judging and closing: what each leaves behind."""

import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.utils import timezone

from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooManyAttempts
from campus.core.models import AuditEntry, Notice
from courses.attendance import tasks
from courses.attendance.models import (
    Contest,
    DeviceMark,
    Evidence,
    Excuse,
    Flag,
    KioskCode,
    LabConsent,
    Mark,
    Policy,
    Register,
    Station,
    StreamWatch,
    Verdict,
    VerdictHistory,
)
from courses.attendance.services import asking, closing, flagging, marking, policies, stations, streaming
from courses.attendance.services.checking import check_at_kiosk, enrolment_at
from courses.timetable.models import ClassSession
from tests.courses import build as courses

from . import build
from .build import MIN

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 a note of a doctor"


@pytest.fixture
def cohort():
    return courses.cohort()


@pytest.fixture
def learner(cohort):
    return courses.learner(cohort)


@pytest.fixture
def teacher(cohort):
    return courses.staff("INSTRUCTOR", cohort.scope)


def _mark(session, *enrolments, mark="PRESENT", actor, reason="봤어요", revision=None):
    return marking.mark(
        session=session, wishes=[marking.Wish(one.pk, revision) for one in enrolments], mark=mark, reason=reason,
        actor=actor, cohort_ids=[one.cohort_id for one in enrolments], now=timezone.now(),
    )  # fmt: skip


def test_a_check_in_is_evidence_a_verdict_and_its_history(cohort, learner):
    session = build.session(cohort)
    done = build.came(build.screen(session), learner)
    found = build.verdict(session, learner)
    assert (done.is_new, found.mark, found.revision, found.why) == (True, "PRESENT", 1, ["IN_TIME"])
    assert found.policy.version == 1
    (history,) = found.history.all()
    assert (history.mark, history.cause, history.by) == ("PRESENT", "EVIDENCE", learner.user)


def test_checking_in_twice_is_as_once(cohort, learner):
    session = build.session(cohort)
    screen = build.screen(session)
    assert build.came(screen, learner).is_new
    assert not build.came(screen, learner).is_new
    assert Evidence.objects.count() == 1


def test_who_checks_out_early_left_early_and_may_come_back(cohort, learner):
    begins = timezone.now() - 90 * MIN
    session = build.session(cohort, starts_at=begins)
    screen = build.screen(session)
    build.came(screen, learner, begins)
    build.came(screen, learner, begins + 30 * MIN, is_leaving=True)
    build.came(screen, learner, begins + 80 * MIN)
    found = build.verdict(build.over(session), learner)
    assert (found.mark, found.minutes) == ("PRESENT", 50)


def test_checking_out_without_having_come_adds_nothing(cohort, learner):
    done = build.came(build.screen(build.session(cohort)), learner, is_leaving=True)
    assert not done.is_new


@pytest.mark.parametrize(
    ("starts_in", "code"), [(timedelta(hours=2), "early"), (timedelta(hours=-4), "over"), (None, "cancelled")]
)
def test_nobody_checks_in_at_the_wrong_time(cohort, learner, starts_in, code):
    state = ClassSession.State.CANCELLED if starts_in is None else ClassSession.State.PLANNED
    session = build.session(cohort, starts_at=timezone.now() + (starts_in or timedelta()), state=state)
    with pytest.raises(Conflict) as refused:
        build.came(build.screen(session), learner)
    assert refused.value.code == code
    assert not Evidence.objects.exists()


def test_a_stranger_is_on_no_roll(cohort):
    with pytest.raises(NotAllowed):
        enrolment_at(build.session(cohort), courses.person().pk)


@pytest.mark.parametrize("model", [Evidence, Policy, VerdictHistory])
def test_what_was_seen_and_decided_is_never_changed_nor_deleted(cohort, learner, model):
    build.came(build.screen(build.session(cohort)), learner)
    row = model.objects.get()
    rows = model.objects.filter(pk=row.pk)
    for act in (lambda: rows._raw_delete(rows.db), lambda: _rewrite(row)):
        with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
            act()


def _rewrite(row):
    field = "at" if isinstance(row, Evidence | VerdictHistory) else "made_at"
    type(row).objects.filter(pk=row.pk).update(**{field: timezone.now() - timedelta(days=1)})


def test_a_code_is_read_while_it_is_shown_and_one_step_longer(cohort):
    screen = build.screen(build.session(cohort))
    now = timezone.now()
    code = stations.shown_code(screen, now)
    assert stations.read_code(code, now)[0] == screen
    assert stations.read_code(code, now + timedelta(seconds=15))[1].is_fresh is False
    with pytest.raises(Conflict):
        stations.read_code(code, now + timedelta(seconds=31))
    stations.close_station(station=screen, now=now)
    with pytest.raises(Conflict):
        stations.read_code(code, now)


def test_a_kiosk_shows_no_code_that_could_be_scanned(cohort):
    kiosk = build.screen(build.session(cohort), kind=Station.Kind.KIOSK)
    with pytest.raises(Conflict):
        stations.read_code(stations.shown_code(kiosk, timezone.now()), timezone.now())


def test_at_the_kiosk_a_code_counts_once_and_a_card_number_always(cohort, learner):
    session = build.session(cohort)
    kiosk = build.screen(session, kind=Station.Kind.KIOSK)
    now = timezone.now()
    code = stations.kiosk_code(session=session, enrolment=learner, now=now)
    assert stations.kiosk_code(session=session, enrolment=learner, now=now).code == code.code
    found, done = check_at_kiosk(station=kiosk, typed=f" {code.code} ", now=now)
    assert (found, done.is_new, done.verdict.mark) == (learner, True, "PRESENT")
    with pytest.raises(InvalidInput):
        check_at_kiosk(station=kiosk, typed=code.code, now=now)
    learner.user.member_number = "A-7"
    learner.user.save(update_fields=["member_number"])
    assert check_at_kiosk(station=kiosk, typed="a-7", is_leaving=True, now=now)[1].is_new


def test_a_kiosk_knows_nobody_of_another_class_and_stops_guessing(cohort, learner):
    kiosk = build.screen(build.session(cohort), kind=Station.Kind.KIOSK)
    stranger = courses.learner(courses.cohort())
    stranger.user.member_number = "B-8"
    stranger.user.save(update_fields=["member_number"])
    for _try in range(stations.WRONG_TRIES):
        with pytest.raises(InvalidInput):
            check_at_kiosk(station=kiosk, typed="B-8", now=timezone.now())
    with pytest.raises(TooManyAttempts):
        check_at_kiosk(station=kiosk, typed="B-8", now=timezone.now())


def test_a_stream_that_counts_later_says_when_on_the_campuss_clock(cohort, learner):
    session = build.session(cohort)
    opens = session.starts_at - timedelta(minutes=15)
    with pytest.raises(Conflict, match=f"{timezone.localtime(opens):%H:%M}"):
        streaming.hear(
            session=session, enrolment=learner, tab=uuid.uuid4(), now=opens - timedelta(minutes=1)
        )  # fmt: skip


def _hear(session, learner, tab, seconds, **said):
    return streaming.hear(
        session=session, enrolment=learner, tab=tab, now=session.starts_at + timedelta(seconds=seconds), **said
    )


def test_opening_the_stream_is_no_presence_and_a_minute_of_it_is_seen(cohort, learner):
    session, tab = build.session(cohort, starts_at=timezone.now()), uuid.uuid4()
    _hear(session, learner, tab, 0)
    assert not Evidence.objects.exists()
    for second in (30, 60):
        _hear(session, learner, tab, second)
    assert build.verdict(session, learner).mark == "PRESENT"
    assert Evidence.objects.get().kind == "STREAM"


def test_two_pages_at_once_count_once_and_what_a_closed_page_saw_is_kept(cohort, learner):
    session, tabs = build.session(cohort, starts_at=timezone.now()), (uuid.uuid4(), uuid.uuid4())
    for second in range(0, 3601, 30):
        for tab in tabs:
            _hear(session, learner, tab, second)
    streaming.end_lapsed(session=session, now=session.starts_at + timedelta(seconds=3800))
    assert not StreamWatch.objects.exists()
    found = build.verdict(build.over(session), learner)
    assert (found.mark, found.minutes) == ("LEFT_EARLY", 60)


def test_beats_after_the_class_count_for_nothing(cohort, learner):
    session, tab = build.session(cohort, starts_at=timezone.now(), minutes=10), uuid.uuid4()
    for second in range(0, 1200, 30):
        _hear(session, learner, tab, second)
    assert max(Evidence.objects.values_list("until", flat=True)) <= session.ends_at
    assert build.verdict(build.over(session), learner).minutes == 10


def test_a_class_that_is_over_judges_everybody_on_its_roll_once(cohort, learner):
    session = build.session(cohort, starts_at=timezone.now() - timedelta(hours=3))
    late = courses.learner(cohort)  # enrolled after the class: not on its roll
    type(learner).objects.filter(pk=learner.pk).update(enrolled_at=session.starts_at - MIN)
    now = timezone.now()
    assert closing.due_classes(now) == [session.pk]
    assert closing.close_class(session_id=session.pk, now=now)
    assert build.verdict(session, learner).mark == "ABSENT"
    assert not Verdict.objects.filter(enrolment=late).exists()
    assert closing.due_classes(now) == []
    assert not closing.close_class(session_id=session.pk, now=now)
    # Moved in the timetable: drawn anew.
    ClassSession.objects.filter(pk=session.pk).update(sequence=1)
    assert closing.due_classes(now) == [session.pk]
    assert closing.close_class(session_id=session.pk, now=now)
    assert Register.objects.get(session=session).sequence == 1
    # Moved to a day to come: nobody is absent from it yet.
    later = now + timedelta(days=2)
    ClassSession.objects.filter(pk=session.pk).update(sequence=2, starts_at=later, ends_at=later + MIN)
    assert closing.due_classes(now) == [session.pk]
    assert closing.close_class(session_id=session.pk, now=now)
    assert build.verdict(session, learner).mark == "NONE"
    assert closing.due_classes(now) == []


def test_the_sweep_writes_what_closed_pages_saw_and_draws_what_is_over(cohort, learner):
    begins = timezone.now() - timedelta(hours=3)
    session, tab = build.session(cohort, starts_at=begins), uuid.uuid4()
    type(learner).objects.filter(pk=learner.pk).update(enrolled_at=begins - MIN)
    for second in (0, 20, 40):  # too short to be written while the page was open
        _hear(session, learner, tab, second)
    tasks.sweep()
    tasks.sweep()
    assert Evidence.objects.get().until - Evidence.objects.get().at == timedelta(seconds=40)
    assert build.verdict(session, learner).mark == "ABSENT"
    assert Register.objects.count() == 1
    tasks.forget_devices()


def test_office_hours_have_no_roll(cohort):
    build.session(cohort, starts_at=timezone.now() - timedelta(hours=3), kind="OFFICE", slot_minutes=15)
    assert closing.due_classes(timezone.now()) == []


def test_staff_mark_with_a_reason_and_take_it_back(cohort, learner, teacher):
    session = build.session(cohort)
    build.came(build.screen(session), learner)
    batch = _mark(session, learner, mark="ABSENT", actor=teacher)
    found = build.verdict(session, learner)
    assert (found.mark, found.why, found.revision) == ("ABSENT", ["STAFF"], 2)
    assert marking.undo(batch=batch, actor=teacher, cohort_ids=[cohort.pk], now=timezone.now()) == 1
    found.refresh_from_db()
    assert (found.mark, found.revision) == ("PRESENT", 3)
    assert [row.cause for row in found.history.all()] == ["STAFF", "STAFF", "EVIDENCE"]
    with pytest.raises(Conflict):
        marking.undo(batch=batch, actor=teacher, cohort_ids=[cohort.pk], now=timezone.now())
    entry = AuditEntry.objects.get(verb="attendance.marked")
    assert (entry.subject, entry.changes, entry.reason) == (learner.user, {"mark": ["PRESENT", "ABSENT"]}, "봤어요")


def test_undoing_the_later_of_two_marks_leaves_the_earlier(cohort, learner, teacher):
    session = build.session(cohort)
    _mark(session, learner, mark="LATE", actor=teacher)
    second = _mark(session, learner, mark="ABSENT", actor=teacher)
    marking.undo(batch=second, actor=teacher, cohort_ids=[cohort.pk], now=timezone.now())
    assert build.verdict(session, learner).mark == "LATE"


def test_a_mark_needs_a_reason_and_a_mark_and_a_learner_of_the_class(cohort, learner, teacher):
    session = build.session(cohort)
    for said in ({"reason": " "}, {"mark": "NONE"}, {"mark": "PERFECT"}, {"reason": "가" * 301}):
        with pytest.raises(InvalidInput):
            _mark(session, learner, actor=teacher, **said)
    stranger = courses.learner(courses.cohort())
    with pytest.raises(NotFound):
        marking.mark(
            session=session, wishes=[marking.Wish(learner.pk), marking.Wish(stranger.pk)], mark="LATE", reason="r",
            actor=teacher, cohort_ids=[cohort.pk], now=timezone.now(),
        )  # fmt: skip
    assert not Evidence.objects.exists(), "all of them or none"


def test_who_marks_what_changed_meanwhile_is_told(cohort, learner, teacher):
    session = build.session(cohort)
    _mark(session, learner, mark="LATE", actor=teacher, revision=0)
    with pytest.raises(Conflict) as refused:
        _mark(session, learner, mark="ABSENT", actor=teacher, revision=0)
    assert refused.value.facts["changed"] == [{"enrolment": learner.pk, "mark": "LATE", "revision": 1}]
    assert build.verdict(session, learner).mark == "LATE"


def test_another_policy_draws_every_verdict_anew_and_keeps_the_old_ones(cohort, learner, teacher):
    begins = timezone.now() - timedelta(hours=3)
    session = build.session(cohort, starts_at=begins)
    type(learner).objects.filter(pk=learner.pk).update(enrolled_at=begins - MIN)
    build.came(build.screen(session), learner, begins + 8 * MIN)
    build.over(session)
    assert build.verdict(session, learner).mark == "PRESENT"
    said = {"late_after_min": 5}
    preview = policies.preview_policy(run=cohort.run, said=said, now=timezone.now())
    assert preview.moves == [("PRESENT", "LATE", 1)]
    assert build.verdict(session, learner).mark == "PRESENT", "a preview writes nothing"
    made = policies.save_policy(
        run=cohort.run, said=said, reason="학칙", seen_version=1, actor=teacher, now=timezone.now()
    )
    found = build.verdict(session, learner)
    assert (found.mark, found.policy, made.version) == ("LATE", made, 2)
    assert [(row.mark, row.policy.version, row.cause) for row in found.history.all()] == [
        ("LATE", 2, "POLICY"),
        ("PRESENT", 1, "CLOSE"),
        ("PRESENT", 1, "EVIDENCE"),
    ]
    with pytest.raises(Conflict):
        policies.save_policy(run=cohort.run, said={}, reason="", seen_version=1, actor=teacher, now=timezone.now())
    with pytest.raises(InvalidInput):
        policies.save_policy(
            run=cohort.run, said={"fail_pct": 0}, reason="", seen_version=2, actor=teacher, now=timezone.now()
        )


def test_what_a_new_policy_leaves_as_it_was_it_confirms_without_a_line_of_history(cohort, learner, teacher):
    session = build.session(cohort)
    build.came(build.screen(session), learner)
    made = policies.save_policy(
        run=cohort.run, said={"fail_pct": 30}, reason="", seen_version=1, actor=teacher, now=timezone.now()
    )
    found = build.verdict(session, learner)
    assert (found.policy, found.revision) == (made, 1)


def _excuse(learner, session, **said):
    fields = {"reason": "ILLNESS", "text": "열이 났어요", "documents": [], **said}
    return asking.ask_excuse(enrolment=learner, session=session, **fields)


def _upload(content=PDF, name="진단서.pdf"):
    return SimpleUploadedFile(name, content)


def test_a_granted_excuse_lifts_an_absence_and_a_refused_one_says_why(cohort, learner, teacher):
    session = build.over(build.session(cohort, starts_at=timezone.now() - MIN))
    asked = _excuse(learner, session, documents=[_upload(), _upload(name="같은것.pdf")])
    (document,) = asked.documents.all()
    assert (document.name, document.media_type, document.file.read()) == ("같은것.pdf", "application/pdf", PDF)
    assert Notice.objects.get(kind="attendance.excuse_asked").recipient == teacher
    with pytest.raises(Conflict):
        _excuse(learner, session)
    asking.decide_excuse(excuse=asked, is_granted=True, answer="", actor=teacher, now=session.ends_at + MIN)
    assert build.verdict(session, learner).mark == "EXCUSED"
    assert Notice.objects.get(kind="attendance.excuse_granted").recipient == learner.user
    with pytest.raises(Conflict):
        asking.decide_excuse(excuse=asked, is_granted=False, answer="아니요", actor=teacher, now=timezone.now())


def test_a_refusal_needs_words_and_lets_one_ask_again(cohort, learner, teacher):
    session = build.session(cohort)
    asked = _excuse(learner, session)
    with pytest.raises(InvalidInput):
        asking.decide_excuse(excuse=asked, is_granted=False, answer="", actor=teacher, now=timezone.now())
    asking.decide_excuse(excuse=asked, is_granted=False, answer="서류가 없어요", actor=teacher, now=timezone.now())
    again = _excuse(learner, session)
    asking.withdraw_excuse(excuse=again, actor=learner.user, now=timezone.now())
    with pytest.raises(Conflict):
        asking.withdraw_excuse(excuse=again, actor=learner.user, now=timezone.now())
    assert Excuse.objects.count() == 2


@pytest.mark.parametrize(
    "uploads",
    [
        [_upload(b"<html>", "x.pdf")],
        [_upload(PDF + b"0" * (5 * 1024 * 1024), "big.pdf")],
        [_upload(PDF + str(n).encode(), f"{n}.pdf") for n in range(4)],
        [_upload(b"", "empty.pdf")],
    ],
)
def test_documents_are_bounded_in_kind_size_and_number(cohort, learner, uploads):
    with pytest.raises(InvalidInput) as refused:
        _excuse(learner, build.session(cohort), documents=uploads)
    assert list(refused.value.fields) == ["documents"]
    assert not Excuse.objects.exists()


def test_a_disputed_mark_is_kept_or_changed_once(cohort, learner, teacher):
    session = build.session(cohort)
    with pytest.raises(Conflict):
        asking.contest(enrolment=learner, session=session, text="왔어요")
    build.over(session)
    made = asking.contest(enrolment=learner, session=session, text="왔어요")
    with pytest.raises(Conflict):
        asking.contest(enrolment=learner, session=session, text="정말이에요")
    asking.decide_contest(contest=made, mark="PRESENT", answer="사진에 있어요", actor=teacher, now=timezone.now())
    found = build.verdict(session, learner)
    assert (found.mark, found.why) == ("PRESENT", ["STAFF"])
    assert Contest.objects.get().state == "CHANGED"
    with pytest.raises(Conflict):
        asking.decide_contest(contest=made, mark="", answer="그대로", actor=teacher, now=timezone.now())
    assert Notice.objects.get(kind="attendance.contest_changed").recipient == learner.user


def test_one_phone_for_two_is_flagged_and_a_person_decides(cohort, learner, teacher):
    session = build.session(cohort)
    screen, friend = build.screen(session), courses.learner(cohort)
    build.came(screen, learner, device="phone")
    build.came(screen, friend, device="phone")
    flag = Flag.objects.get()
    assert (flag.kind, flag.evidence.enrolment, flag.other.enrolment) == ("SHARED_DEVICE", friend, learner)
    assert build.verdict(session, friend).mark == "PRESENT", "a flag alone changes nothing"
    with pytest.raises(InvalidInput):
        flagging.judge_flag(flag_id=flag.pk, is_harmless=False, note="", actor=teacher, now=timezone.now())
    with pytest.raises(InvalidInput):
        flagging.judge_flag(flag_id=flag.pk, is_harmless=False, note="가" * 301, actor=teacher, now=timezone.now())
    flagging.judge_flag(flag_id=flag.pk, is_harmless=False, note="자리에 없었음", actor=teacher, now=timezone.now())
    assert build.verdict(session, friend).mark == "NONE"
    assert build.verdict(session, learner).mark == "PRESENT"
    with pytest.raises(Conflict):
        flagging.judge_flag(flag_id=flag.pk, is_harmless=True, note="괜찮음", actor=teacher, now=timezone.now())


def test_a_harmless_flag_leaves_the_mark(cohort, learner, teacher):
    session = build.session(cohort)
    screen, friend = build.screen(session), courses.learner(cohort)
    for one in (learner, friend):
        build.came(screen, one, device="phone")
    flagging.judge_flag(
        flag_id=Flag.objects.get().pk, is_harmless=True, note="함께 왔음", actor=teacher, now=timezone.now()
    )
    assert build.verdict(session, friend).mark == "PRESENT"


def test_marks_of_devices_are_forgotten_and_the_evidence_stays(cohort, learner):
    build.came(build.screen(build.session(cohort)), learner, device="phone", network="hall")
    now = timezone.now()
    assert closing.forget(now) == 0
    assert closing.forget(now + closing.DEVICES_KEPT_FOR + timedelta(days=1)) == 1
    assert Evidence.objects.count() == 1
    assert not DeviceMark.objects.exists()


def test_kiosk_codes_go_when_the_class_is_closed(cohort, learner):
    session = build.session(cohort)
    stations.kiosk_code(session=session, enrolment=learner, now=timezone.now())
    build.over(session)
    assert not KioskCode.objects.exists()


def test_lab_evidence_counts_only_while_the_learner_agrees(cohort, learner):
    session = build.session(cohort, kind="LAB", starts_at=timezone.now() - timedelta(hours=3))
    type(learner).objects.filter(pk=learner.pk).update(enrolled_at=session.starts_at - MIN)
    Evidence.objects.create(
        session=session, enrolment=learner, kind="LAB", act="SPAN", at=session.starts_at, until=session.ends_at
    )
    build.over(session)
    found = build.verdict(session, learner)
    assert found.mark == "ABSENT"
    asking.set_lab_consent(enrolment=learner, is_given=True, now=timezone.now())
    found.refresh_from_db()
    assert found.mark == "PRESENT"
    asking.set_lab_consent(enrolment=learner, is_given=False, now=timezone.now())
    found.refresh_from_db()
    assert (found.mark, LabConsent.objects.get().given_at) == ("ABSENT", None)


def test_who_reaches_the_limit_is_told_once(cohort, learner):
    type(learner).objects.filter(pk=learner.pk).update(enrolled_at=timezone.now() - timedelta(days=9))
    for day in (1, 2):
        build.over(build.session(cohort, starts_at=timezone.now() - timedelta(days=day)))
    (notice,) = Notice.objects.filter(recipient=learner.user)
    assert notice.kind == "attendance.limit_reached"


def test_every_mark_that_is_stored_is_one_that_rules_give():
    from courses.attendance.domain.verdict import Mark as PureMark

    assert Mark.values == [mark.value for mark in PureMark]
