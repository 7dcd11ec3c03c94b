"""The rules of attendance: tables, and what must hold for any evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.attendance.domain.beats import FIRST_PART, GAP, PART, Watch, beat, lapsed
from courses.attendance.domain.files import kind_of
from courses.attendance.domain.rolling import CODE_LENGTH, STEP_S, code_of, left_of, read, step_of
from courses.attendance.domain.rules import BadRules, Rules, as_json, rules_from
from courses.attendance.domain.signals import Seen, Signal, suspicions, usual_network
from courses.attendance.domain.standing import Grade, standing
from courses.attendance.domain.verdict import Act, Judged, Mark, Meeting, Sign, Why, judge, presence, union

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MIN = timedelta(minutes=1)
CLASS = Meeting(NINE, NINE + 100 * MIN)
OVER = CLASS.ends_at + MIN
RULES = Rules()


def came(minute: float, number: int = 1) -> Sign:
    return Sign(number, Act.IN, NINE + minute * MIN)


def went(minute: float, number: int = 2) -> Sign:
    return Sign(number, Act.OUT, NINE + minute * MIN)


def there(start: float, end: float, number: int = 1) -> Sign:
    return Sign(number, Act.SPAN, NINE + start * MIN, NINE + end * MIN)


def said(mark: Mark, number: int = 9) -> Sign:
    return Sign(number, Act.MARK, NINE, mark=mark)


@pytest.mark.parametrize(
    ("signs", "rules", "mark", "minutes", "why"),
    [
        ([], RULES, Mark.ABSENT, 0, (Why.NO_SIGN,)),
        ([came(-10)], RULES, Mark.PRESENT, 100, (Why.IN_TIME,)),
        ([came(10)], RULES, Mark.PRESENT, 90, (Why.IN_TIME,)),
        ([came(10.5)], RULES, Mark.LATE, 89, (Why.CAME_LATE,)),
        ([came(60)], RULES, Mark.ABSENT, 40, (Why.CAME_LATE, Why.TOO_SHORT)),
        ([came(0), went(80)], RULES, Mark.LEFT_EARLY, 80, (Why.WENT_EARLY,)),
        ([came(0), went(90)], RULES, Mark.PRESENT, 90, (Why.IN_TIME,)),
        ([came(20), went(80)], RULES, Mark.LATE, 60, (Why.CAME_LATE, Why.WENT_EARLY)),
        ([came(0, 1), went(30, 2), came(40, 3)], RULES, Mark.PRESENT, 90, (Why.IN_TIME,)),
        ([came(0)], replace(RULES, needs_check_out=True), Mark.ABSENT, 0, (Why.NO_CHECK_OUT, Why.TOO_SHORT)),
        ([came(0), went(99)], replace(RULES, needs_check_out=True), Mark.PRESENT, 99, (Why.IN_TIME,)),
        # Online: what was watched counts, in any number of pages, each minute once.
        ([there(0, 60), there(50, 100, 2)], RULES, Mark.PRESENT, 100, (Why.IN_TIME,)),
        ([there(0, 0.5)], RULES, Mark.ABSENT, 0, (Why.WENT_EARLY, Why.TOO_SHORT)),
        ([there(0, 49)], RULES, Mark.ABSENT, 49, (Why.WENT_EARLY, Why.TOO_SHORT)),
        ([there(0, 50)], RULES, Mark.LEFT_EARLY, 50, (Why.WENT_EARLY,)),
        # On site first, the rest from home.
        ([came(0), went(30), there(35, 100, 3)], RULES, Mark.PRESENT, 95, (Why.IN_TIME,)),
        # A check-in of the time before the class was moved.
        ([came(-60 * 24)], RULES, Mark.ABSENT, 0, (Why.NO_SIGN,)),
        ([came(100)], RULES, Mark.ABSENT, 0, (Why.NO_SIGN,)),
        ([said(Mark.LATE)], RULES, Mark.LATE, 0, (Why.STAFF,)),
        ([came(0), said(Mark.ABSENT), said(Mark.PRESENT, 10)], RULES, Mark.PRESENT, 100, (Why.STAFF,)),
    ],
)
def test_a_class_that_is_over_is_judged_by_its_evidence(signs, rules, mark, minutes, why):
    judged = judge(CLASS, signs, rules, is_excused=False, now=OVER)
    assert (judged.mark, judged.minutes, judged.why) == (mark, minutes, why)


@pytest.mark.parametrize(
    ("signs", "after", "mark"),
    [
        ([], 50, Mark.NONE),
        ([came(5)], 20, Mark.PRESENT),
        ([came(30)], 31, Mark.LATE),
        ([came(0), went(20)], 40, Mark.PRESENT),
    ],
)
def test_nobody_is_absent_before_the_class_is_over(signs, after, mark):
    assert judge(CLASS, signs, RULES, is_excused=False, now=NINE + after * MIN).mark is mark


def test_an_excuse_lifts_what_counts_against_and_leaves_presence_as_it_is():
    def excused(*signs):
        return judge(CLASS, signs, RULES, is_excused=True, now=OVER).mark

    assert excused() is Mark.EXCUSED
    assert excused(came(40)) is Mark.EXCUSED
    assert excused(came(0)) is Mark.PRESENT
    assert excused(said(Mark.ABSENT)) is Mark.ABSENT, "a person's word outweighs it"


minutes = st.integers(-30, 130)
moves = st.builds(Sign, st.integers(1, 50), st.sampled_from([Act.IN, Act.OUT]), minutes.map(lambda m: NINE + m * MIN))
spans = st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: there(*pair))
evidence = st.lists(st.one_of(moves, spans), max_size=8)
policies = st.builds(
    Rules, late_after_min=st.integers(0, 60), leave_early_min=st.integers(0, 60), least_present_pct=st.integers(0, 100),
    needs_check_out=st.booleans(),
)  # fmt: skip
ORDER = [Mark.ABSENT, Mark.LATE, Mark.LEFT_EARLY, Mark.PRESENT]


@given(evidence, policies, spans)
def test_having_been_seen_longer_never_makes_a_verdict_worse(signs, rules, more):
    def rank(found: Judged) -> tuple[bool, int]:
        return found.mark is not Mark.ABSENT, found.minutes

    before = judge(CLASS, signs, rules, is_excused=False, now=OVER)
    after = judge(CLASS, [*signs, more], rules, is_excused=False, now=OVER)
    assert rank(after) >= rank(before)
    if before.mark is Mark.PRESENT:
        assert after.mark is Mark.PRESENT


@given(evidence, policies, minutes)
def test_minutes_never_exceed_the_class_and_the_order_of_evidence_is_nothing(signs, rules, after):
    now = NINE + after * MIN
    found = presence(CLASS, signs, now, needs_check_out=rules.needs_check_out)
    assert all(CLASS.starts_at <= start < end <= min(CLASS.ends_at, max(now, CLASS.starts_at)) for start, end in found)
    unique = [replace(sign, number=number) for number, sign in enumerate(signs)]
    judged = judge(CLASS, unique, rules, is_excused=False, now=now)
    assert judged == judge(CLASS, unique[::-1], rules, is_excused=False, now=now)
    assert 0 <= judged.minutes <= 100
    assert (judged.mark is Mark.NONE) <= (now < CLASS.ends_at)


@given(st.lists(st.tuples(minutes, minutes)))
def test_a_union_covers_every_minute_once(pairs):
    merged = union((NINE + a * MIN, NINE + b * MIN) for a, b in pairs)
    covered = {m for a, b in pairs for m in range(a, b)}
    assert sum((end - start) // MIN for start, end in merged) == len(covered)
    assert all(merged[i][1] < merged[i + 1][0] for i in range(len(merged) - 1))


P, L, E, X, A = Mark.PRESENT, Mark.LATE, Mark.LEFT_EARLY, Mark.EXCUSED, Mark.ABSENT


@pytest.mark.parametrize(
    ("marks", "planned", "absences", "allowed", "grade"),
    [
        ([], 40, 0, 9, Grade.GOOD),
        ([P] * 20, 40, 0, 9, Grade.GOOD),
        ([L, L], 40, 0, 9, Grade.GOOD),
        ([L, L, L], 40, 1, 9, Grade.GOOD),
        ([L, E, L, A], 40, 2, 9, Grade.GOOD),
        ([A] * 5, 40, 5, 9, Grade.NEAR),
        ([A] * 9, 40, 9, 9, Grade.NEAR),
        ([A] * 10, 40, 10, 9, Grade.FAILED),
        ([A] * 9 + [L] * 3, 40, 10, 9, Grade.FAILED),
        ([X] * 40, 40, 0, 9, Grade.GOOD),
        ([A], 3, 1, 0, Grade.FAILED),
        ([A], 0, 1, 0, Grade.NEAR),
    ],
)
def test_three_lates_make_an_absence_and_a_quarter_of_absences_fails(marks, planned, absences, allowed, grade):
    found = standing(marks, planned, RULES)
    assert (found.absences, found.allowed, found.grade) == (absences, allowed, grade)


@given(st.lists(st.sampled_from([P, L, E, X, A])), st.integers(1, 80), st.integers(1, 100), st.integers(0, 5))
def test_as_many_absences_as_are_allowed_pass_and_one_more_fails(marks, planned, fail_pct, lates):
    rules = Rules(fail_pct=fail_pct, lates_per_absence=lates)
    found = standing(marks, planned, rules)
    assert (found.grade is Grade.FAILED) == (found.absences > found.allowed)
    assert found.left == max(0, found.allowed - found.absences)


SECRET = b"of one station"
times = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(times, st.floats(0, 60))
def test_a_code_holds_for_its_step_and_one_more(at, later):
    code = code_of(SECRET, 7, step_of(at))
    asked = at + timedelta(seconds=later)
    steps = step_of(asked) - step_of(at)
    scan = read(SECRET, 7, code, asked)
    assert (scan is not None) == (steps <= 1)
    if scan:
        assert (scan.step, scan.is_fresh) == (step_of(at), steps == 0)
    assert read(SECRET, 8, code, at) is None
    assert read(b"of another", 7, code, at) is None
    assert 1 <= left_of(at) <= STEP_S


@pytest.mark.parametrize("code", ["", "x", "0" * CODE_LENGTH, "ㄱ" * CODE_LENGTH, "\ud800"])
def test_what_is_no_code_is_read_as_none(code):
    assert read(SECRET, 7, code, NINE) is None


def scan(
    number: int, person: int, device: str = "", network: str = "hall", step: int = 1, *, fresh: bool = True
) -> Seen:
    return Seen(number, person, device or f"phone-{person}", network, 101, step, fresh)


HALL = [scan(n, n) for n in range(1, 7)]


@pytest.mark.parametrize(
    ("one", "earlier", "signals"),
    [
        (scan(9, 9), HALL, []),
        (scan(9, 9, "phone-1"), HALL, [Signal.SHARED_DEVICE]),
        (scan(9, 1, "phone-1"), HALL, []),  # again with one's own phone
        (scan(9, 9, network="elsewhere"), HALL, [Signal.FAR_NETWORK]),
        (scan(9, 9, network="elsewhere"), HALL[:4], []),  # four scans say nothing of a room
        (scan(9, 9, network=""), HALL, []),
        (scan(9, 9, fresh=False), HALL, []),  # slow, but from here
        (scan(9, 9, network="elsewhere", fresh=False), HALL[:2], [Signal.RELAYED]),
        (scan(9, 9, network="elsewhere", step=2, fresh=False), HALL[:2], []),
        (
            scan(9, 9, "phone-1", "elsewhere", fresh=False), HALL,
            [Signal.SHARED_DEVICE, Signal.RELAYED, Signal.FAR_NETWORK],
        ),
    ],
)  # fmt: skip
def test_what_is_remarkable_about_a_scan_is_named(one, earlier, signals):
    assert [found.signal for found in suspicions(one, earlier)] == signals


def test_a_room_whose_phones_use_many_networks_has_no_usual_one():
    assert usual_network(101, HALL) == "hall"
    assert usual_network(101, [*HALL, scan(8, 8, network="a"), scan(9, 9, network="b")]) == ""
    assert usual_network(102, HALL) == ""


def beats(*seconds: float, leave: bool = False) -> timedelta:
    """The time that is credited for beats at these seconds, with what is still open."""
    watch, total = None, timedelta()
    for index, second in enumerate(seconds):
        last = leave and index == len(seconds) - 1
        beaten = beat(watch, NINE + timedelta(seconds=second), is_leaving=last)
        watch = beaten.watch
        total += beaten.span[1] - beaten.span[0] if beaten.span else timedelta()
    return total + (watch.seen_at - watch.since if watch else timedelta())


def test_opening_the_stream_alone_is_no_presence():
    assert beats(0) == timedelta()
    assert beats(0, 3, leave=True) == timedelta(seconds=3)


def test_time_without_heartbeats_is_not_credited():
    assert beats(0, 30, 60, 3000, 3030) == timedelta(seconds=90)
    assert lapsed(Watch(NINE, NINE + MIN), NINE + MIN + GAP) is None
    assert lapsed(Watch(NINE, NINE + MIN), NINE + 2 * MIN + GAP) == (NINE, NINE + MIN)


@given(st.lists(st.floats(0, 4000), min_size=1, max_size=60), st.booleans())
def test_no_client_is_credited_more_than_passed(seconds, leave):
    inside = sorted(seconds)
    assert timedelta() <= beats(*inside, leave=leave) <= timedelta(seconds=inside[-1] - inside[0])
    assert beats(*seconds, leave=leave) <= timedelta(seconds=max(seconds) - min(seconds)), "nor by a clock that jumps"


def test_a_long_watch_is_written_in_parts_the_first_of_them_soon():
    watch, parts = Watch(NINE, NINE), []
    for number in range(1, 41):
        beaten = beat(watch, NINE + timedelta(seconds=30 * number))
        watch = beaten.watch
        parts += [beaten.span] if beaten.span else []
    lengths = [end - start for start, end in parts]
    assert FIRST_PART <= lengths[0] <= FIRST_PART + timedelta(seconds=30)
    assert all(PART <= length <= PART + timedelta(seconds=30) for length in lengths[1:])


@pytest.mark.parametrize(
    ("said_rules", "field", "why"),
    [
        ({"late_min": 1}, "late_min", "unknown"),
        ({"late_after_min": "5"}, "late_after_min", "type"),
        ({"late_after_min": True}, "late_after_min", "type"),
        ({"needs_check_out": 1}, "needs_check_out", "type"),
        ({"fail_pct": 0}, "fail_pct", "low"),
        ({"fail_pct": 101}, "fail_pct", "high"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_by_field(said_rules, field, why):
    with pytest.raises(BadRules) as refused:
        rules_from(said_rules)
    assert (refused.value.field, refused.value.why) == (field, why)


def test_a_policy_is_read_back_as_it_was_written():
    rules = Rules(late_after_min=5, needs_check_out=True)
    assert rules_from(as_json(rules)) == rules
    assert rules_from({}) == Rules()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7", ("application/pdf", "pdf")),
        (b"\x89PNG\r\n\x1a\n", ("image/png", "png")),
        (b"\xff\xd8\xff\xe0", ("image/jpeg", "jpg")),
        (b"<svg onload=", None),
        (b"PK\x03\x04", None),
        (b"", None),
    ],
)
def test_a_document_is_what_its_bytes_say(head, kind):
    assert kind_of(head) == kind
