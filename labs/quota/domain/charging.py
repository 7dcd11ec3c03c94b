"""What a run costs: its GPU-seconds times the rate of its GPU type, in whole seconds of account."""

from decimal import ROUND_CEILING, Decimal

ONE = Decimal(1)


def cost_s(*, gpu_seconds: int | Decimal, rate: Decimal = ONE) -> int:
    """Return what so many GPU-seconds cost at `rate`, rounded up. Raises ValueError for a rate that is not positive."""
    if not rate > 0:
        raise ValueError(f"no rate: {rate}")
    return int((Decimal(gpu_seconds) * rate).to_integral_value(rounding=ROUND_CEILING))


def charge_s(*, run_s: float, gpus: int | Decimal, hold_s: int, rate: Decimal = ONE) -> int:
    """Return the GPU-seconds to charge for `run_s` seconds on `gpus` GPUs: rounded up, never above the hold.

    A share of a GPU is that part of one: half a GPU is Decimal("0.5"). The seconds are taken as they are written in
    decimal, so that 1.1 s on 10 GPUs costs 11 and not 12.
    Raises ValueError for what cannot be a run: negative or not finite seconds, no GPU, a negative hold, no rate.
    """
    seconds = Decimal(str(run_s))
    if not seconds.is_finite() or seconds < 0 or not gpus > 0 or hold_s < 0 or not rate > 0:
        raise ValueError(f"no run: {run_s} s on {gpus} GPUs at {rate}, hold {hold_s}")
    return min(int((seconds * gpus * rate).to_integral_value(rounding=ROUND_CEILING)), hold_s)
