"""Numbers, durations and times as people here write them, in the active language."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

_WEEKDAYS_KO = "월화수목금토일"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZES = ("B", "KB", "MB", "GB", "TB", "PB")
_SHARES_SPOKEN = {
    Fraction(1, 8): _("an eighth of a GPU"),
    Fraction(1, 4): _("a quarter of a GPU"),
    Fraction(3, 8): _("three eighths of a GPU"),
    Fraction(1, 2): _("half a GPU"),
    Fraction(5, 8): _("five eighths of a GPU"),
    Fraction(3, 4): _("three quarters of a GPU"),
    Fraction(7, 8): _("seven eighths of a GPU"),
}


def is_korean() -> bool:
    """Say whether the active language is Korean."""
    return (get_language() or "ko").startswith("ko")


def number(value: float, decimals: int = 0) -> str:
    """Write a number with thousands separators and at most `decimals` decimals, no trailing zeros."""
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def hours(seconds: float) -> str:
    """Write seconds as hours: two decimals below 1, one below 100, none above."""
    value = seconds / 3600
    return number(value, 2 if abs(value) < 1 else 1 if abs(value) < 100 else 0)


def gpu_hours(gpu_seconds: float) -> str:
    """Write GPU-seconds as GPU hours: 5400 is "1.5 GPU-h". Below 0.1 h they stay seconds: "90 GPU-s"."""
    if gpu_seconds and abs(gpu_seconds) < 360:
        return gettext("%(seconds)s GPU-s") % {"seconds": number(gpu_seconds)}
    return gettext("%(hours)s GPU-h") % {"hours": hours(gpu_seconds)}


def gpu_number(gpus: Decimal | float) -> str:
    """Write how many GPUs: "2", "2.5", and of shares of one in eighths "1/4"."""
    share = Fraction(gpus).limit_denominator(1000)
    return f"{share.numerator}/{share.denominator}" if share in _SHARES_SPOKEN else number(float(gpus), 3)


def gpu_count(gpus: Decimal | float) -> str:
    """Write how many GPUs with their unit: "2 GPUs", "1/4 GPU"."""
    counted = ngettext("%(count)s GPU", "%(count)s GPUs", 1 if 0 < gpus <= 1 else 2)
    return counted % {"count": gpu_number(gpus)}


def gpu_spoken(gpus: Decimal | float) -> str:
    """Write it as it is said: "a quarter of a GPU", since "1/4" is read out as a date or a division."""
    said = _SHARES_SPOKEN.get(Fraction(gpus).limit_denominator(1000))
    return gpu_count(gpus) if said is None else str(said)


def gpu_memory(mib: int) -> str:
    """Write memory of a GPU, in GiB from one on: "20 GiB", "512 MiB"."""
    return f"{number(mib / 1024, 1)} GiB" if mib >= 1024 else f"{number(mib)} MiB"


def duration(seconds: float) -> str:
    """Write seconds in the two largest units: 3725 is "1 h 2 min"."""
    total = round(abs(seconds))
    days, rest = divmod(total, 86_400)
    hour, rest = divmod(rest, 3_600)
    minute, second = divmod(rest, 60)
    units = [
        (days, ngettext("%(n)s day", "%(n)s days", days)),
        (hour, gettext("%(n)s h")),
        (minute, gettext("%(n)s min")),
        (second, gettext("%(n)s s")),
    ]
    first = next((index for index, (count, _) in enumerate(units) if count), 3)
    shown = [text % {"n": count} for count, text in units[first : first + 2] if count]
    text = " ".join(shown) or gettext("%(n)s s") % {"n": 0}
    return f"−{text}" if seconds < 0 and total else text


def clock(seconds: float) -> str:
    """Write seconds as a clock: 3725 is "1:02:05", 65 is "1:05"."""
    minute, second = divmod(round(seconds), 60)
    hour, minute = divmod(minute, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def file_size(size: float) -> str:
    """Write bytes in the largest unit that keeps them at 1 or more (1,024 bytes are a KB)."""
    value, unit = float(size), 0
    while abs(value) >= 1024 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{number(value, 0 if unit == 0 or value >= 100 else 1)} {_SIZES[unit]}"


def percent(share: float, decimals: int = 0) -> str:
    """Write a share of 1 as a percentage: 0.1234 is "12%"."""
    return f"{number(share * 100, decimals)}%"


def day_text(day: date, this_year: int) -> str:
    """Write a day: "11월 21일 (토)" or "Sat 21 Nov"; the year only where it is not this one."""
    if is_korean():
        year = "" if day.year == this_year else f"{day.year}년 "
        return f"{year}{day.month}월 {day.day}일 ({_WEEKDAYS_KO[day.weekday()]})"
    year = "" if day.year == this_year else f" {day.year}"
    return f"{_WEEKDAYS_EN[day.weekday()]} {day.day} {_MONTHS_EN[day.month - 1]}{year}"


def campus_date(value: date | datetime) -> str:
    """Write the day of a date, or of an aware time in the campus's zone."""
    this_year = timezone.localtime().year
    return day_text(timezone.localtime(value).date() if isinstance(value, datetime) else value, this_year)


def campus_time(value: datetime) -> str:
    """Write an aware time in the campus's zone: "11월 21일 (토) 14:00" or "Sat 21 Nov 14:00"."""
    local = timezone.localtime(value)
    return f"{campus_date(value)} {local:%H:%M}"


def exact_time(value: datetime) -> str:
    """Write an aware time to the second with its zone, for the hover."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S %Z}"
