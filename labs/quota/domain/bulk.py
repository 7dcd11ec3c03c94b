"""One change for many accounts: set, add or multiply what each was granted. Whole GPU-seconds."""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from .allocation import SECONDS_A_STEP, seconds_of_hours


class Op(StrEnum):
    """How an amount of GPU-hours is meant; for MULTIPLY it is a factor."""

    SET = "set"
    ADD = "add"
    MULTIPLY = "multiply"


def delta_s(op: Op, amount: Decimal, allocated_s: int) -> int:
    """Return by how much an allocation of `allocated_s` changes.

    A product is rounded to the step in which people allocate. Raises ValueError for hours that are no such step.
    """
    if op is Op.MULTIPLY:
        steps = (allocated_s * amount / SECONDS_A_STEP).quantize(Decimal(1), ROUND_HALF_UP)
        return int(steps) * SECONDS_A_STEP - allocated_s
    seconds = seconds_of_hours(amount)
    return seconds if op is Op.ADD else seconds - allocated_s


def hours_text(gpu_seconds: int) -> str:
    """Write GPU-seconds as plain decimal hours for a field or a CSV: no trailing zeros, four decimals at most."""
    hours = (Decimal(gpu_seconds) / 3600).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return f"{hours.normalize():f}" if hours else "0"
