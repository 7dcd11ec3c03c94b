"""What a run costs."""

from decimal import ROUND_CEILING, Decimal


def charge_s(*, run_s: float, gpus: int, hold_s: int) -> int:
    """Return the GPU-seconds to charge for `run_s` seconds on `gpus` GPUs: rounded up, never above the hold.

    The seconds are taken as they are written in decimal, so that 1.1 s on 10 GPUs costs 11 and not 12.
    Raises ValueError for what cannot be a run: negative or not finite seconds, no GPU, a negative hold.
    """
    seconds = Decimal(str(run_s))
    if not seconds.is_finite() or seconds < 0 or gpus < 1 or hold_s < 0:
        raise ValueError(f"no run: {run_s} s on {gpus} GPUs, hold {hold_s}")
    return min(int((seconds * gpus).to_integral_value(rounding=ROUND_CEILING)), hold_s)
