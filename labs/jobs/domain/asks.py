"""How many GPUs are asked for: whole ones, or a share of one."""

from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from .shares import WHOLE_GPU

MOST_GPUS = 2**15


class GpuAsk(NamedTuple):
    """`gpus` whole GPUs, or of one GPU `milli` thousandths."""

    gpus: int = 1
    milli: int = WHOLE_GPU

    @property
    def in_all(self) -> Decimal:
        """A share counts as that part of a GPU."""
        return Decimal(self.gpus * self.milli) / WHOLE_GPU

    @property
    def text(self) -> str:
        """As forms and addresses write it: 2, 0.25."""
        return f"{self.in_all.normalize():f}"

    @classmethod
    def of(cls, text: str) -> "GpuAsk":
        """Read what `text` wrote. Raises ValueError for what is no number of GPUs.

        Whether so many, or such a share, may be asked for is not judged.
        """
        try:
            value = Decimal(text.strip())
            thousandths = value * WHOLE_GPU
        except InvalidOperation:
            raise ValueError(text) from None
        if not value.is_finite() or abs(value) >= MOST_GPUS or thousandths != int(thousandths):
            raise ValueError(text)
        if 0 < value < 1:
            return cls(1, int(thousandths))
        if value != int(value):
            raise ValueError(text)
        return cls(int(value))
