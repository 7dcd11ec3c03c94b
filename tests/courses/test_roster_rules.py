"""Rosters as people's spreadsheets write them, and what a parser must say of those that are wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.catalog.domain.enrolment import Effect, KnownPerson, overcommit_pct, plan_import
from courses.catalog.domain.roster import MAX_ROWS, parse_roster

TWO = "이메일,이름,수강 방식\nsora@example.kr,김소라,대면\nminjun@example.kr,박민준,온라인\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_roster_reads_the_same_in_every_encoding_and_delimiter(encoding, delimiter, end):
    raw = TWO.replace(",", delimiter).replace("\n", end).encode(encoding)

    roster = parse_roster(raw)

    assert roster.errors == ()
    assert [(r.line, r.email, r.name, r.mode) for r in roster.rows] == [
        (2, "sora@example.kr", "김소라", "ONSITE"),
        (3, "minjun@example.kr", "박민준", "ONLINE"),
    ]


@pytest.mark.parametrize(
    "head",
    [
        "email,name,mode",
        "E-mail;Full name;Mode",
        "이메일 주소,성명,참여방식",
        "메일\t이름\t수강방식",
        "Email,이름,구분",
    ],
)
def test_columns_are_known_in_korean_and_english(head):
    delimiter = next(d for d in ",;\t" if d in head)
    raw = f"{head}\n{delimiter.join(['a@b.kr', 'Kim Haneul', 'online'])}\n".encode()

    (row,) = parse_roster(raw).rows

    assert (row.email, row.name, row.mode) == ("a@b.kr", "Kim Haneul", "ONLINE")


@pytest.mark.parametrize(
    ("word", "mode"),
    [
        ("온라인", "ONLINE"), ("비대면", "ONLINE"), ("Online", "ONLINE"), ("원격", "ONLINE"),
        ("현장", "ONSITE"), ("오프라인", "ONSITE"), ("on-site", "ONSITE"), ("On site", "ONSITE"), ("", None),
    ],
)  # fmt: skip
def test_modes_are_known_in_korean_and_english(word, mode):
    (row,) = parse_roster(f"email,name,mode\na@b.kr,김하늘,{word}\n".encode()).rows

    assert row.mode == mode


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("김하늘 kim@b.kr,김하늘,", "email_invalid"),
        ("kim@b,김하늘,", "email_invalid"),
        ("kim@@b.kr,김하늘,", "email_invalid"),
        ("kim..a@b.kr,김하늘,", "email_invalid"),
        ("김@b.kr,김하늘,", "email_invalid"),
        (",김하늘,", "email_missing"),
        ("kim@b.kr,,", "name_missing"),
        ("kim@b.kr,12345,", "name_invalid"),
        ("kim@b.kr,=cmd|calc,", "name_invalid"),
        ("kim@b.kr,<b>김하늘</b>,", "name_invalid"),
        (f"kim@b.kr,{'김' * 81},", "name_too_long"),
        ("kim@b.kr,김하늘,화성", "mode_unknown"),
        ("kim@b.kr,김하늘,online,extra", "cells_extra"),
    ],
)
def test_each_wrong_row_is_named_with_its_line(line, code):
    raw = f"email,name,mode\nfirst@b.kr,이첫째,\n\n{line}\nlast@b.kr,정막내,\n".encode()

    roster = parse_roster(raw)

    assert [(e.code, e.line) for e in roster.errors] == [(code, 4)]
    assert [r.line for r in roster.rows] == [2, 5]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty"),
        (b"\n \n,,\n", "empty"),
        (b"email,name\n", "no_rows"),
        (b"name\nkim\n", "columns_missing"),
        (b"email,e-mail,name\n", "column_twice"),
        (b"\x81\xff\xfe\x00", "encoding"),
        (b"email,name\na\x00@b.kr,kim\n", "binary"),
        (b'email,name\n"a@b.kr,kim\n', "quotes"),
        (b"x" * (2 * 1024 * 1024 + 1), "too_large"),
        (b"email,name\n" + b"".join(b"p%d@b.kr,Kim\n" % n for n in range(MAX_ROWS + 1)), "too_many_rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(raw, code):
    roster = parse_roster(raw)

    assert [e.code for e in roster.errors] == [code]
    assert roster.rows == ()
    assert not roster.is_readable


def test_the_most_rows_are_still_read():
    raw = b"email,name\n" + b"".join(b"p%d@b.kr,Kim\n" % n for n in range(MAX_ROWS))

    assert len(parse_roster(raw).rows) == MAX_ROWS


def test_lines_are_counted_as_an_editor_does_even_after_a_break_inside_quotes():
    raw = 'name,email\n"김\n하늘",a@b.kr\n박민준,nonsense\n'.encode()

    assert [(e.code, e.line) for e in parse_roster(raw).errors] == [("name_invalid", 2), ("email_invalid", 4)]


def test_the_second_of_two_equal_emails_or_numbers_is_an_error_that_names_the_first():
    raw = "email,name,학번\na@b.kr,김하늘,7\nA@B.kr,이하늘,8\nc@b.kr,정하늘,7\n".encode()

    errors = parse_roster(raw).errors

    assert [(e.code, e.line, e.facts["first"]) for e in errors] == [("email_twice", 3, 2), ("number_twice", 4, 2)]


def test_columns_that_are_not_ours_are_named_and_left_out():
    roster = parse_roster("순번,email,name,비고\n1,a@b.kr,김하늘,장학생\n".encode())

    assert roster.ignored_columns == ("순번", "비고")
    assert len(roster.rows) == 1


@given(st.binary(max_size=400))
def test_no_bytes_make_the_parser_raise(raw):
    roster = parse_roster(b"email,name,mode\n" + raw)

    assert all(row.email and row.name for row in roster.rows)
    assert {e.line for e in roster.errors if e.line} | {r.line for r in roster.rows} <= set(range(2, 500))


def _plan(rows_text, people=None, number_owners=None, seats_left=10):
    roster = parse_roster(f"email,name,mode,학번\n{rows_text}".encode())
    return plan_import(
        roster.rows, roster.errors, people=people or {}, number_owners=number_owners or {}, seats_left=seats_left
    )


@pytest.mark.parametrize(
    ("person", "mode", "effect"),
    [
        (None, "", Effect.CREATE),
        (KnownPerson(1, "김하늘"), "", Effect.ENROL),
        (KnownPerson(1, "김하늘", state="WITHDRAWN", mode="ONLINE"), "", Effect.RETURN),
        (KnownPerson(1, "김하늘", state="ACTIVE", mode="ONSITE"), "온라인", Effect.CHANGE_MODE),
        (KnownPerson(1, "김하늘", state="ACTIVE", mode="ONLINE"), "온라인", Effect.KEEP),
        (KnownPerson(1, "김하늘", state="ACTIVE", mode="ONLINE"), "", Effect.KEEP),
    ],
)
def test_a_row_does_what_is_missing(person, mode, effect):
    plan = _plan(f"a@b.kr,김하늘,{mode},\n", {"a@b.kr": person} if person else {})

    assert [p.effect for p in plan.rows] == [effect]
    assert plan.seats_needed == (effect in (Effect.CREATE, Effect.ENROL, Effect.RETURN))


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (KnownPerson(1, "김하늘", is_active=False), "person_closed"),
        (KnownPerson(1, "김하늘", other_cohort="전북반"), "in_other_cohort"),
        (KnownPerson(1, "김하늘", state="COMPLETED"), "completed"),
    ],
)
def test_a_row_that_would_contradict_what_is_known_is_refused(person, code):
    plan = _plan("a@b.kr,김하늘,,\n", {"a@b.kr": person})

    assert [(e.code, e.line) for e in plan.errors] == [(code, 2)]
    assert plan.rows == ()


def test_a_name_on_record_is_kept_and_shown():
    plan = _plan("a@b.kr,김다른,,\n", {"a@b.kr": KnownPerson(1, "김하늘")})

    assert plan.rows[0].kept_name == "김하늘"


def test_a_member_number_of_somebody_else_is_refused():
    plan = _plan("a@b.kr,김하늘,,77\n", number_owners={"77": "other@b.kr"})

    assert [e.code for e in plan.errors] == ["number_of_another"]


def test_a_plan_knows_when_seats_run_short():
    assert _plan("a@b.kr,김하늘,,\nb@b.kr,이하늘,,\n", seats_left=1).is_short_of_seats


@given(st.integers(1, 500), st.integers(0, 10**6), st.integers(1, 10**9))
def test_the_overcommit_lets_every_seat_have_its_share(seats, share, quota):
    pct = overcommit_pct(seats=seats, learner_quota_s=share, quota_s=quota)

    assert pct == 1000 or seats * share <= quota * pct // 100
    assert 100 <= pct <= 1000
