"""Phone numbers: as people type them, kept as ITU-T E.164 has them, shown as Koreans write them."""

import re

KOREA = "82"
_TYPED = re.compile(r"\+?[0-9][0-9 ().-]*")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
#: What a Korean number holds behind its area's or network's 0: 2-123-4567 up to 10-1234-5678.
_NATIONAL = range(8, 11)


class BadNumber(ValueError):
    """This is no phone number, or nobody can tell of which country."""


def e164(typed: str) -> str:
    """Return `+` and digits. Without `+` or `00` it is a Korean number and begins with 0. Raises BadNumber."""
    text = typed.strip()
    if not _TYPED.fullmatch(text):
        raise BadNumber
    digits = re.sub(r"\D", "", text)
    if text.startswith("+"):
        number = digits
    elif digits.startswith("00"):
        number = digits[2:]
    elif digits.startswith("0"):
        number = KOREA + digits[1:]
    else:
        raise BadNumber
    if number.startswith(KOREA):
        national = number[len(KOREA) :].removeprefix("0")  # “+82 010 …” is a common slip
        if len(national) not in _NATIONAL or national.startswith("0"):
            raise BadNumber
        number = KOREA + national
    if not _E164.fullmatch(f"+{number}"):
        raise BadNumber
    return f"+{number}"


def masked(number: str) -> str:
    """Show no more of a kept number than its owner needs to know which it is: 010-****-5678; nothing of none."""
    text = shown(number)
    head = text.find("-") + 1 or 3
    return re.sub(r"\d", "*", text[head:-4]).join((text[:head], text[-4:])) if number else ""


def shown(number: str) -> str:
    """Write a kept number for people: 010-1234-5678, 02-123-4567; of other countries as it is kept."""
    if not number.startswith(f"+{KOREA}"):
        return number
    national = "0" + number[len(KOREA) + 1 :]
    head = 2 if national.startswith("02") else 3
    return f"{national[:head]}-{national[head:-4]}-{national[-4:]}"
