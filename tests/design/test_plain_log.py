"""The log as readers without scripts see it: no controls, and never slow, whatever a program prints."""

import time

import pytest

from campus.core.templatetags.ui_figures import plain_log


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (b"plain\n", "plain\n"),
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07after", "after"),
        (b" 10%\r 20%\rdone\n", "done\n"),
        (b"windows\r\nlines\r\n", "windows\nlines\n"),
        (b"a\x00b\x08c", "abc"),
        (b"\xff\n", "\ufffd\n"),
        (b"<b>&", "<b>&"),
    ],
)
def test_controls_are_taken_out(stored: bytes, shown: str) -> None:
    assert plain_log(stored) == shown


@pytest.mark.parametrize("unit", [b"x", b"\r", b"\x1b[", b"\x1b]", b"\x1b[1", b"a\r", b"\n"])
def test_half_a_megabyte_of_one_thing_is_read_in_linear_time(unit: bytes) -> None:
    began = time.process_time()
    plain_log(unit * (512 * 1024 // len(unit)))
    # A pattern that looks again from each byte takes minutes for this.
    assert time.process_time() - began < 2
