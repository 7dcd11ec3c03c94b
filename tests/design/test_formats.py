"""Numbers, durations and times as people write them in both languages."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.template import Context, Template
from django.utils import translation

from campus.core import formats


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0, "0 GPU-h", "0 GPU시간"),
        (90, "90 GPU-s", "90 GPU초"),
        (900, "0.25 GPU-h", "0.25 GPU시간"),
        (5400, "1.5 GPU-h", "1.5 GPU시간"),
        (4_444_444, "1,235 GPU-h", "1,235 GPU시간"),
    ],
)
def test_gpu_seconds_read_as_hours(seconds: int, english: str, korean: str) -> None:
    with translation.override("en"):
        assert formats.gpu_hours(seconds) == english
    with translation.override("ko"):
        assert formats.gpu_hours(seconds) == korean


@pytest.mark.parametrize(
    ("gpus", "number", "english", "korean"),
    [
        (1, "1", "1 GPU", "GPU 1개"),
        (2, "2", "2 GPUs", "GPU 2개"),
        (0, "0", "0 GPUs", "GPU 0개"),
        (Decimal("0.25"), "1/4", "1/4 GPU", "GPU 1/4개"),
        (0.5, "1/2", "1/2 GPU", "GPU 1/2개"),
        (Decimal("0.875"), "7/8", "7/8 GPU", "GPU 7/8개"),
        (Decimal("0.3"), "0.3", "0.3 GPU", "GPU 0.3개"),
        (Decimal("2.5"), "2.5", "2.5 GPUs", "GPU 2.5개"),
    ],
)
def test_gpus_and_shares_of_one_are_counted(gpus: Decimal | float, number: str, english: str, korean: str) -> None:
    assert formats.gpu_number(gpus) == number
    with translation.override("en"):
        assert formats.gpu_count(gpus) == english
    with translation.override("ko"):
        assert formats.gpu_count(gpus) == korean


def test_a_share_is_read_out_in_words() -> None:
    shown = Template(
        "{% load ui %}{{ share|gpu_count }}|{{ share|gpu_number }}|{{ whole|gpu_count }}|{{ none|gpu_count }}"
    )
    quarter = '<span aria-hidden="true">{}</span><span class="visually-hidden">{}</span>'
    values = {"share": Decimal("0.25"), "whole": 2, "none": None}
    with translation.override("en"):
        said = "a quarter of a GPU"
        expected = f"{quarter.format('1/4 GPU', said)}|{quarter.format('1/4', said)}|2 GPUs|–"
        assert shown.render(Context(values)) == expected
    with translation.override("ko"):
        assert "GPU 4분의 1개" in shown.render(Context(values))


def test_memory_of_a_gpu_is_written_in_gib_from_one_on() -> None:
    assert [formats.gpu_memory(mib) for mib in (512, 1024, 10_240, 81_559)] == [
        "512 MiB",
        "1 GiB",
        "10 GiB",
        "79.6 GiB",
    ]


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0, "0 s", "0초"),
        (59, "59 s", "59초"),
        (60, "1 min", "1분"),
        (3725, "1 h 2 min", "1시간 2분"),
        (86_400, "1 day", "1일"),
        (180_000, "2 days 2 h", "2일 2시간"),
        (-90, "−1 min 30 s", "−1분 30초"),
    ],
)
def test_a_duration_names_its_two_largest_units(seconds: int, english: str, korean: str) -> None:
    with translation.override("en"):
        assert formats.duration(seconds) == english
    with translation.override("ko"):
        assert formats.duration(seconds) == korean


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (20 * 1024**2, "20 MB")])
def test_bytes_take_the_largest_unit_that_fits(size: int, text: str) -> None:
    assert formats.file_size(size).replace(",", "") == text


@time_machine.travel(datetime(2026, 11, 21, 3, tzinfo=UTC), tick=False)
def test_a_time_is_written_as_people_here_write_it_in_the_zone_of_the_campus() -> None:
    at = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
    with translation.override("ko"):
        assert formats.campus_time(at) == "11월 21일 (토) 14:00"
        assert formats.campus_time(at.replace(year=2025)) == "2025년 11월 21일 (금) 14:00"
    with translation.override("en"):
        assert formats.campus_time(at) == "Sat 21 Nov 14:00"
        assert formats.campus_time(at.replace(year=2025)) == "Fri 21 Nov 2025 14:00"


@time_machine.travel(datetime(2026, 11, 21, 3, tzinfo=UTC), tick=False)
def test_a_day_begins_at_midnight_of_the_campus_not_of_utc() -> None:
    late_evening_in_utc = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    with translation.override("ko"):
        assert formats.campus_date(late_evening_in_utc) == "11월 21일 (토)"


def test_filters_show_a_dash_for_nothing() -> None:
    text = Template("{% load ui %}{{ x|gpu_hours }}{{ x|duration }}{{ x|percent }}{{ x|campus_time }}")
    assert text.render(Context({"x": None})) == "––––"
