"""What the terminal shows, and what it is spared."""

from __future__ import annotations

import itertools

import pytest

from labs.client.problems import REFUSED, SIGNED_OUT, UNREACHABLE, refusal
from labs.client.words import (
    TerminalFilter,
    duration,
    gpu_time,
    gpus,
    gpus_of,
    mib_of,
    plain,
    seconds_of,
    size,
    table,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("1H05M09S", 3909), (" 5m ", 300)],
)
def test_times_are_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "10 minutes", "-5", "1.5h", "5m1h", "١٠"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1h30m"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (725, "12 min 05 s"), (12_000, "3 h 20 min")],
)
def test_durations_are_shown(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("text", "asked"),
    [("2", (2, 1000)), ("1", (1, 1000)), ("0.25", (1, 250)), ("1/8", (1, 125)), (" 4/2 ", (2, 1000)), ("0", (0, 1000))],
)
def test_gpus_are_read_as_whole_ones_or_as_a_share_of_one(text: str, asked: tuple[int, int]) -> None:
    assert gpus_of(text) == asked


@pytest.mark.parametrize("text", ["", "half", "1.5", "-1", "1/3", "1/0", "0.0001", "1e9", "١", "2/"])
def test_other_numbers_of_gpus_are_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(ValueError, match=r"0\.25 or 1/4"):
        gpus_of(text)


def test_gpus_and_their_memory_are_written_and_read() -> None:
    assert [gpus(2, 1000), gpus(1, 250), gpus(1, 875), gpus(1, 300)] == ["2", "1/4", "7/8", "0.3"]
    assert [mib_of("10"), mib_of("10 GiB"), mib_of("0.5"), mib_of("512MiB")] == [10240, 10240, 512, 512]
    with pytest.raises(ValueError, match="512MiB"):
        mib_of("much")


def test_amounts_are_shown() -> None:
    assert [gpu_time(59), gpu_time(60), gpu_time(7200)] == ["59 GPU s", "0.02 GPU h", "2.00 GPU h"]
    assert [size(0), size(1023), size(1024), size(5 * 1024**3)] == ["0 B", "1023 B", "1.0 KiB", "5.0 GiB"]


def test_columns_line_up_with_korean_letters() -> None:
    assert table(["A", "B"], [["가나", "x"], ["abc", "y"]]) == "A     B\n가나  x\nabc   y"


STREAM = (
    "가\x1b[31m빨강\x1b[0m\n"  # colours stay
    "\x1b]0;title\x07"  # the window's title
    "\x1b[2J\x1b[1;1H"  # clear, move
    "\x1b[6n"  # asks the terminal, which would type the answer
    "tab\there\r\n"
    "\x08\x08\x7f\x00end"
).encode()
SHOWN = "가\x1b[31m빨강\x1b[0m\n]0;title[2J[1;1H[6ntab\there\r\nend".encode()


def test_a_jobs_output_cannot_command_the_terminal_however_it_is_cut() -> None:
    for first, second in itertools.combinations(range(len(STREAM) + 1), 2):
        shown = TerminalFilter()
        pieces = [STREAM[:first], STREAM[first:second], STREAM[second:]]
        assert b"".join(map(shown.feed, pieces)) == SHOWN


def test_names_cannot_command_the_terminal() -> None:
    assert plain("a\x1b[2Jb\u202ec\n안녕") == "a�[2Jb�c�안녕"


@pytest.mark.parametrize(
    ("status", "problem", "code", "lines"),
    [
        (401, {"detail": "Invalid token."}, SIGNED_OUT, None),
        (503, {"title": "The database cannot be reached"}, UNREACHABLE, None),
        (502, {}, UNREACHABLE, None),
        (404, {"title": "There is no such page or thing"}, REFUSED, ("There is no such page or thing",)),
        (418, {}, REFUSED, ("the campus refused (418)",)),
        (
            400,
            {
                "title": "Please correct what was entered",
                "errors": [{"field": "gpus", "detail": "At most 8."}, {"field": "", "detail": "And this."}, "junk"],
            },
            REFUSED,
            ("Please correct what was entered", "  gpus: At most 8.", "  And this."),
        ),
        (
            409,
            {
                "title": "Not enough GPU time is left",
                "detail": "1,200 s are wanted, 60 s are left.",
                "helpers": [{"name": "김하늘", "email": "haneul@campus.test", "role": "INSTRUCTOR"}],
            },
            REFUSED,
            (
                "Not enough GPU time is left: 1,200 s are wanted, 60 s are left",
                "Who can help:",
                "  김하늘 <haneul@campus.test>",
            ),
        ),
    ],
)
def test_a_refusal_is_shown_with_field_and_fix(
    status: int, problem: dict[str, object], code: int, lines: tuple[str, ...] | None
) -> None:
    error = refusal(status, problem)
    assert error.exit_code == code
    if lines is not None:
        assert error.lines == lines
