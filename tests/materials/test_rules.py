"""The rules of materials as tables and properties: credit for watching, captions, files, notebooks, ranges."""

import base64
import json
import math
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.materials.domain import chapters, containers, files, intervals, notebooks, ranges, times, webvtt
from courses.materials.domain.intervals import MAX_SPEED, SLACK_MS, Watched, claims, credit, gaps, length, merge

HOUR_MS = 3_600_000
piece = st.tuples(st.integers(0, 100_000), st.integers(0, 100_000))
pieces = st.lists(piece, max_size=20)
reports = st.lists(
    st.tuples(pieces.map(lambda found: merge((a, b) for a, b in found)), st.integers(0, 60_000)), max_size=15
)


def seconds(found):
    """Every millisecond that pieces hold, the slow way."""
    return {ms for start, end in found for ms in range(start, end)}


# --- intervals ------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_merging_keeps_exactly_what_was_there_in_order_and_apart(found):
    merged = merge(found)
    assert seconds(merged) == seconds(found)
    assert all(before[1] < after[0] for before, after in pairwise(merged))
    assert length(merged) == len(seconds(found))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_gaps_and_pieces_make_the_whole(found):
    merged = merge(found)
    assert seconds(gaps(merged, 60)) == set(range(60)) - seconds(merged)


@given(reports)
def test_credit_never_exceeds_the_time_that_passed_at_double_speed(found):
    watched, now = Watched(), 1_000_000
    for claimed, passed in found:
        now += passed
        watched = credit(watched, claimed, now).watched
    assert watched.total_ms <= SLACK_MS + MAX_SPEED * sum(passed for _claimed, passed in found)


@given(reports)
def test_credit_is_a_part_of_what_was_claimed_and_only_grows(found):
    watched, now, said = Watched(), 0, set()
    for claimed, passed in found:
        now += passed
        before = watched
        got = credit(watched, claimed, now)
        watched, said = got.watched, said | set(claimed)
        assert length(merge((*before.pieces, *watched.pieces))) == watched.total_ms
        assert length(got.counted) + got.refused_ms == length(claimed)
    assert length(merge((*watched.pieces, *said))) == length(merge(said))


@given(reports)
def test_the_same_report_again_gains_nothing(found):
    once, now = Watched(), 0
    for claimed, passed in found:
        now += passed
        once = credit(once, claimed, now).watched
        again = credit(once, once.pieces, now).watched
        assert again.pieces == once.pieces


@given(reports, st.randoms())
def test_two_tabs_gain_no_more_than_the_clock(found, random):
    """The same reports, from two tabs in any order, within the same time."""
    watched, now = Watched(at_ms=0), 0
    order = [*found, *found]
    random.shuffle(order)
    for claimed, passed in order:
        now += passed // 2
        watched = credit(watched, claimed, now).watched
    assert watched.total_ms <= SLACK_MS + MAX_SPEED * now


@pytest.mark.parametrize("speed", [0.75, 1, 1.5, 2])
def test_an_honest_player_is_credited_in_full_even_when_reports_are_late(speed):
    watched, at = credit(Watched(), (), 0).watched, 0
    for beat in range(1, 31):
        upto = round(beat * 10_000 * speed)
        late = (0, 900, 0, 400)[beat % 4]
        got = credit(watched, ((at, upto),), beat * 10_000 + late)
        assert got.refused_ms == 0
        watched, at = got.watched, upto
    assert watched.pieces == ((0, at),)


def test_skipping_to_the_end_credits_only_what_was_played():
    watched = credit(Watched(), (), 0).watched
    watched = credit(watched, ((0, 10_000),), 10_000).watched
    watched = credit(watched, ((3_590_000, 3_600_000),), 20_000).watched
    assert watched.total_ms == 20_000
    assert gaps(watched.pieces, HOUR_MS) == ((10_000, 3_590_000),)


def test_a_forged_hour_after_ten_seconds_counts_twenty_of_it():
    watched = credit(Watched(), (), 0).watched
    got = credit(watched, ((0, HOUR_MS),), 10_000)
    assert got.watched.total_ms == 20_000 + SLACK_MS
    assert got.refused_ms == HOUR_MS - 20_000 - SLACK_MS


def test_a_page_that_waited_for_a_day_may_claim_minutes_only():
    watched = credit(Watched(), (), 0).watched
    assert credit(watched, ((0, HOUR_MS),), 24 * HOUR_MS).watched.total_ms == 2 * intervals.MOST_GAP_MS + SLACK_MS


def test_a_page_that_was_just_opened_has_played_nothing_yet():
    watched = Watched(at_ms=0, slack_ms=SLACK_MS)
    got = credit(watched, ((0, HOUR_MS),), 100_000, is_new_page=True)
    assert got.watched.total_ms == SLACK_MS
    assert credit(got.watched, ((10_000, HOUR_MS),), 110_000).watched.total_ms == SLACK_MS + 20_000


def test_a_clock_that_runs_backwards_allows_nothing():
    watched = Watched(at_ms=50_000)
    got = credit(watched, ((0, 10_000),), 10_000)
    assert got.counted == ()
    assert got.watched.at_ms == 50_000


def test_scattered_claims_beyond_reason_take_nothing_away():
    before = Watched(tuple((n * 1000, n * 1000 + 200) for n in range(intervals.MOST_PIECES)), at_ms=0)
    got = credit(before, ((900_500, 900_700),), 60_000)
    assert got.watched.pieces == before.pieces
    assert got.refused_ms == 200


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (None, "not_a_list"),
        ({"0": 1}, "not_a_list"),
        ([[0, 1]] * 51, "too_many"),
        ([[0]], "not_a_pair"),
        ([[0, 1, 2]], "not_a_pair"),
        ([5], "not_a_pair"),
        ([["0", "1"]], "not_a_time"),
        ([[False, True]], "not_a_time"),
        ([[0, math.nan]], "not_a_time"),
        ([[0, math.inf]], "not_a_time"),
        ([[-1, 5]], "no_interval"),
        ([[5, 5]], "no_interval"),
        ([[6, 5]], "no_interval"),
        ([[0, 1e9]], "beyond_the_end"),
        ([[1e300, 1e301]], "beyond_the_end"),
        ([[59, 63]], "beyond_the_end"),
    ],
)
def test_times_that_no_player_sends_are_refused(said, code):
    with pytest.raises(intervals.BadClaim) as refusal:
        claims(said, 60_000)
    assert refusal.value.code == code


def test_a_player_may_round_the_end_of_the_video():
    assert claims([[50, 60.9], [0, 10.0004]], 60_000) == ((0, 10_000), (50_000, 60_000))


@pytest.mark.parametrize(
    ("watched", "duration", "percent"),
    [(0, 1000, 0), (899, 1000, 89), (59_100, 60_000, 100), (0, 0, 0), (950, 1000, 100)],
)
def test_percent_rounds_down_and_forgives_the_last_frames(watched, duration, percent):
    assert intervals.percent(watched, duration) == percent


# --- ranges ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", (0, 999)),
        ("bytes=0-0", (0, 0)),
        ("bytes=10-19", (10, 19)),
        ("bytes=990-5000", (990, 999)),
        ("bytes=-10", (990, 999)),
        ("bytes=-5000", (0, 999)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("bytes=5-2", None),
        ("bytes=0-1,5-6", None),
        ("bytes=a-b", None),
    ],
)
def test_one_range_is_served_and_nonsense_ignored(header, part):
    found = ranges.part_of(header, 1000)
    assert (found and (found.start, found.end)) == part


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_beyond_the_file_is_unsatisfiable(header):
    with pytest.raises(ranges.Unsatisfiable):
        ranges.part_of(header, 1000)


@given(st.text(max_size=40), st.integers(0, 5000))
def test_a_range_never_leaves_the_file(header, size):
    try:
        part = ranges.part_of(f"bytes={header}", size)
    except ranges.Unsatisfiable:
        return
    assert part is None or 0 <= part.start <= part.end < size


# --- captions -------------------------------------------------------------------------------------------------------

GOOD = b"""WEBVTT - demo

NOTE a comment
that is dropped

STYLE
::cue { color: red }

1
00:01.000 --> 00:04.000 align:start position:10%
<v Lee>Hello <i>there</i> &amp; welcome

00:00:05.500 --> 00:00:09.000
<script>alert(1)</script>
second &lt;b&gt; line
"""


def test_captions_become_plain_text_and_are_written_anew():
    cues = webvtt.read(GOOD)
    assert [(one.start_ms, one.end_ms, one.text) for one in cues] == [
        (1_000, 4_000, "Hello there & welcome"),
        (5_500, 9_000, "alert(1)\nsecond <b> line"),
    ]
    written = webvtt.write(cues)
    assert "second &lt;b&gt; line" in written
    assert "<" not in written.replace("-->", "")
    assert webvtt.read(written.encode()) == cues
    assert webvtt.transcript(cues) == "Hello there & welcome\nalert(1) second <b> line"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_header"),
        (b"WEBVTTX\n\n00:01.000 --> 00:02.000\nhi\n", "no_header"),
        (b"1\n00:00:01,000 --> 00:00:04,000\nsrt\n", "no_header"),
        (b"WEBVTT\n", "empty"),
        (b"WEBVTT\n\n\xff\xfe", "not_utf8"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\na\0b\n", "not_utf8"),
        (b"WEBVTT\n\nhello\nworld\n", "no_timing"),
        (b"WEBVTT\n\n00:01 --> 00:02\nhi\n", "no_timing"),
        (b"WEBVTT\n\n00:61.000 --> 00:62.000\nhi\n", "no_timing"),
        (b"WEBVTT\n\n00:02.000 --> 00:01.000\nhi\n", "ends_before_it_starts"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n<i></i>\n", "no_words"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + b"x" * 501 + b"\n", "too_long"),
        (b"WEBVTT\n\n00:05.000 --> 00:06.000\na\n\n00:01.000 --> 00:02.000\nb\n", "out_of_order"),
        (b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\nhi\n\n" * 5_001, "too_many"),
        (b"WEBVTT\n\n" + b"x" * (512 * 1024), "too_large"),
    ],
)
def test_captions_are_read_strictly(content, code):
    with pytest.raises(times.BadTimedText) as refusal:
        webvtt.read(content)
    assert refusal.value.code == code


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), min_size=1, max_size=5))
def test_no_words_of_a_caption_become_markup_or_another_caption(texts):
    cues = tuple(webvtt.Cue(n * 1000, n * 1000 + 500, " ".join(text.split())) for n, text in enumerate(texts))
    written = webvtt.write(cues)
    assert written.count("-->") == len(cues)
    assert "<" not in written


# --- chapters -------------------------------------------------------------------------------------------------------


def test_chapters_are_a_line_each():
    marks = chapters.read("0:00 Start\n\n 02:30  경사 하강법 \n1:02:05 End\n")
    assert [(one.at_ms, one.title) for one in marks] == [(0, "Start"), (150_000, "경사 하강법"), (3_725_000, "End")]
    assert chapters.read(chapters.write(marks)) == marks


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("Start", "not_a_chapter", 1),
        ("0:00 A\n0:75 B", "not_a_chapter", 2),
        ("0:10 A\n0:10 B", "out_of_order", 2),
        ("0:00 " + "x" * 121, "title_too_long", 1),
        ("0:00.5 A", "not_a_chapter", 1),
        ("\n".join(f"{n}:00 A" for n in range(101)), "too_many", 101),
    ],
)
def test_lines_that_are_no_chapters_are_named(text, code, line):
    with pytest.raises(times.BadTimedText) as refusal:
        chapters.read(text)
    assert (refusal.value.code, refusal.value.line) == (code, line)


CHAPTERS = b"""WEBVTT

NOTE made by an editor

intro
00:00.000 --> 00:30.500
Start

00:31.250 --> 01:00:00.000
<b>Gradient</b>
descent &amp; more
"""


def test_chapters_of_a_file_keep_their_milliseconds_when_they_are_typed_again():
    marks = chapters.read_file(CHAPTERS)
    assert [(one.at_ms, one.title) for one in marks] == [(0, "Start"), (31_250, "Gradient descent & more")]
    assert chapters.write(marks) == "0:00 Start\n0:31.250 Gradient descent & more"
    assert chapters.read(chapters.write(marks)) == marks


def cue(start, end, words="x"):
    return f"{times.exact(start * 1000)} --> {times.exact(end * 1000)}\n{words}\n\n".encode()


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"0:00 Start\n", "no_header", 1),
        (b"WEBVTT\n\n", "empty", 0),
        (b"WEBVTT\n\n" + cue(0, 9) + cue(5, 6), "overlaps", 6),
        (b"WEBVTT\n\n" + cue(5, 6) + cue(0, 1), "out_of_order", 6),
        (b"WEBVTT\n\n" + cue(0, 1, "x" * 121), "title_too_long", 3),
        (b"WEBVTT\n\n" + b"".join(cue(n, n + 1) for n in range(101)), "too_many", 303),
        (b"WEBVTT\n\n" + b"x" * (512 * 1024), "too_large", 0),
    ],
)
def test_a_file_of_chapters_is_read_as_strictly_as_captions(content, code, line):
    with pytest.raises(times.BadTimedText) as refusal:
        chapters.read_file(content)
    assert (refusal.value.code, refusal.value.line) == (code, line)


@given(
    st.lists(
        st.tuples(st.integers(1, 5_000), st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)), max_size=9
    )
)
def test_what_is_written_is_read_again_typed_or_as_a_file(found):
    at, marks = 0, []
    for step, text in found:
        if title := " ".join(text.replace("\0", "").split()):
            at += step
            marks.append(chapters.ChapterMark(at, title))
    assert chapters.read(chapters.write(marks)) == tuple(marks)
    cues = [webvtt.Cue(one.at_ms, one.at_ms + 1, one.title) for one in marks if "-->" not in one.title]
    if cues:
        again = chapters.read_file(webvtt.write(cues).encode())
        assert [(one.at_ms, one.title) for one in again] == [(one.start_ms, one.text) for one in cues]


@pytest.mark.parametrize(
    ("text", "ms"), [("12:34", 754_000), ("1:00:00", 3_600_000), ("0:00", None), ("", None), ("12", None)]
)
def test_a_length_is_minutes_and_seconds(text, ms):
    assert times.length_ms(text) == ms


# --- containers -----------------------------------------------------------------------------------------------------


def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def mp4(duration=45_000, scale=1000, before=b""):
    header = struct.pack(">IIIII", 0, 0, 0, scale, duration) + bytes(80)
    return box(b"ftyp", b"isom\0\0\2\0isom") + before + box(b"moov", box(b"mvhd", header))


def element(kind, body):
    return kind + bytes([0x40 | len(body) >> 8, len(body) & 255]) + body


def webm(duration=45_000.0, kind=b"webm"):
    info = element(b"\x2a\xd7\xb1", (1_000_000).to_bytes(3, "big")) + element(b"\x44\x89", struct.pack(">d", duration))
    return element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", kind)) + element(
        b"\x18\x53\x80\x67", element(b"\x15\x49\xa9\x66", info)
    )


def container(content):
    return containers.container_of(lambda at, count: content[at : at + count], len(content))


def test_an_mp4_is_known_by_its_bytes_and_says_how_long_it_is():
    assert container(mp4()) == containers.Container("video/mp4", 45_000)
    assert container(mp4(before=box(b"mdat", b"x" * 5000))) == containers.Container("video/mp4", 45_000)


def test_a_webm_is_known_by_its_bytes_and_says_how_long_it_is():
    assert container(webm()) == containers.Container("video/webm", 45_000)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF....AVI ",
        b"\x89PNG\r\n\x1a\n",
        b"<html>",
        b"PK\3\4" + bytes(40),
        webm(kind=b"matroska"),
        b"\x1a\x45\xdf\xa3",
    ],
)
def test_what_is_no_video_is_refused_whatever_it_is_called(content):
    assert container(content) is None


@pytest.mark.parametrize(
    "content", [mp4(duration=0), mp4(scale=0), mp4(duration=2**32 - 1), webm(math.nan), webm(-5.0)]
)
def test_a_length_that_cannot_be_is_no_length(content):
    assert container(content).duration_ms is None


@given(st.binary(max_size=400), st.sampled_from([mp4()[:24], webm()[:20], b"\0\0\0\x18ftyp"]))
def test_broken_containers_are_read_without_harm(noise, head):
    found = container(head + noise)
    assert found is None or found.duration_ms is None or 0 < found.duration_ms <= containers.MOST_MS


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "head", "shown"),
    [
        ("a.pdf", b"%PDF-1.4", "application/pdf"),
        ("a.html", b"%PDF-1.4", "application/pdf"),
        ("a.png", b"<svg onload=x>", ""),
        ("a.svg", b"<svg>", ""),
        ("a.html", b"<script>", ""),
        ("a.txt", b"<script>", files.PLAIN),
        ("a.txt", b"\0\1", ""),
        ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.webp", b"RIFF\0\0\0\0WEBP", "image/webp"),
        ("a.zip", b"PK\3\4", ""),
    ],
)
def test_only_harmless_kinds_are_shown(name, head, shown):
    assert files.shown_type(name, head) == shown


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\수업 자료.pdf", "수업 자료.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "a__Set-Cookie_ x.pdf"),
        ("‮fdp.exe", "_fdp.exe"),
        ("...", "file"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_name_is_only_a_name(said, name):
    assert files.safe_name(said) == name


@given(st.text(max_size=300))
def test_every_name_is_short_and_of_one_part(said):
    name = files.safe_name(said)
    assert 0 < len(name) <= files.MOST_NAME
    assert not set(name) & set('/\\\r\n\0"')


# --- notebooks ------------------------------------------------------------------------------------------------------

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def notebook(*cells, **fields):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | fields).encode()


def code(*outputs, source="x = 1", **fields):
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "execution_count": 3} | fields


def shown(data):
    return {"output_type": "display_data", "data": data}


def test_a_notebook_is_plain_values():
    found = notebooks.read(
        notebook(
            {"cell_type": "markdown", "source": ["# 제목\n", "글"]},
            code({"output_type": "stream", "text": ["1\n", "2"]}, source=["a\n", "b"]),
        )
    )
    assert found.language == "python"
    assert [(cell.kind, cell.source, cell.count) for cell in found.cells] == [
        ("markdown", "# 제목\n글", None),
        ("code", "a\nb", 3),
    ]
    assert found.cells[1].outputs == (notebooks.Output("text", "1\n2"),)
    assert found.text == "# 제목\n글\n\na\nb"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (shown({"text/html": "<script>alert(1)</script>"}), ("dropped", "text/html")),
        (shown({"text/html": "<b>1</b>", "text/plain": "1"}), ("text", "1")),
        (shown({"image/svg+xml": "<svg onload=x>"}), ("dropped", "image/svg+xml")),
        (shown({"application/javascript": "alert(1)"}), ("dropped", "application/javascript")),
        (shown({"image/png": PNG}), ("picture", f"data:image/png;base64,{PNG}")),
        (shown({"image/png": base64.b64encode(b"<svg>").decode()}), ("dropped", "image/png")),
        (shown({"image/png": '" onerror="alert(1)'}), ("dropped", "image/png")),
        (shown({"image/png": "A" * 3_000_000}), ("dropped", "image/png")),
        ({"output_type": "error", "ename": "ValueError", "evalue": "<b>"}, ("error", "ValueError: <b>")),
    ],
)
def test_outputs_are_text_and_real_pictures_and_nothing_else(output, expected):
    (cell,) = notebooks.read(notebook(code(output))).cells
    assert (cell.outputs[0].kind, cell.outputs[0].text) == expected


def test_pictures_of_a_notebook_have_a_common_bound():
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(1_500_000)).decode()
    cells = notebooks.read(notebook(*[code(shown({"image/png": large})) for _ in range(4)])).cells
    assert [cell.outputs[0].kind for cell in cells] == ["picture", "picture", "dropped", "dropped"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"nbformat": 4, "cells": NaN}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_a_notebook"),
        (notebook(nbformat=3), "not_a_notebook"),
        (notebook("text"), "not_a_notebook"),
        (notebook({"cell_type": "widget", "source": ""}), "not_a_notebook"),
        (notebook(code(outputs="text")), "not_a_notebook"),
        (notebook(*[code()] * 1_001), "too_many_cells"),
        (notebook(metadata=json.loads('{"a":' * 60 + "1" + "}" * 60)), "too_deep"),
        (b" " * (10 * 1024 * 1024 + 1), "too_large"),
    ],
)
def test_what_is_no_notebook_is_refused(content, code):
    with pytest.raises(notebooks.BadNotebook) as refusal:
        notebooks.read(content)
    assert refusal.value.code == code


def test_halves_of_characters_do_not_reach_the_page():
    (cell,) = notebooks.read(b'{"nbformat":4,"cells":[{"cell_type":"markdown","source":"a\\ud800b\\u0000"}]}').cells
    assert cell.source.encode() == b"a?b"
