"""NVIDIA's management library, as plain values. The only place that knows it; imported when a node looks for GPUs.

Not yet run against a real GPU: `tests/agent/test_inventory.py` feeds it what the library's manual says it answers.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

MIB = 1024 * 1024


class NoGpus(Exception):
    """This machine has no NVIDIA driver, or none that answers; the message says which."""


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU. `watts` is its power limit."""

    index: int
    uuid: str
    name: str
    memory_mib: int
    watts: int
    device_path: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How one GPU does now; None where its driver does not say."""

    utilisation_pct: int | None
    memory_used_mib: int | None
    power_w: int | None
    is_healthy: bool


class Nvml:
    """An open library. `library` is the module `pynvml`."""

    def __init__(self, library: Any) -> None:
        self._library = library
        try:
            library.nvmlInit()
        except library.NVMLError as error:  # NVMLError_LibraryNotFound where there is no driver
            raise NoGpus(str(error)) from error

    @classmethod
    def open(cls) -> Nvml:
        """Raises NoGpus."""
        try:
            import pynvml  # a node without GPUs need not have it
        except ImportError as error:
            raise NoGpus("the package nvidia-ml-py is not installed") from error
        return cls(pynvml)

    def cards(self) -> tuple[Card, ...]:
        """The GPUs of this machine in the driver's order. Raises NoGpus when there is none."""
        try:
            cards = tuple(self._card(index) for index in range(self._library.nvmlDeviceGetCount()))
        except self._library.NVMLError as error:
            raise NoGpus(str(error)) from error
        if not cards:
            raise NoGpus("the driver knows no GPU")
        return cards

    def reading(self, index: int) -> Reading:
        """How one GPU does. A GPU that fell off the bus reads as unhealthy."""
        library = self._library
        try:
            handle = library.nvmlDeviceGetHandleByIndex(index)
            memory = library.nvmlDeviceGetMemoryInfo(handle)
        except library.NVMLError:
            return Reading(None, None, None, is_healthy=False)
        utilisation = self._known(lambda: library.nvmlDeviceGetUtilizationRates(handle).gpu)
        milliwatts = self._known(lambda: library.nvmlDeviceGetPowerUsage(handle))
        return Reading(
            utilisation_pct=utilisation,
            memory_used_mib=memory.used // MIB,
            power_w=None if milliwatts is None else round(milliwatts / 1000),
            is_healthy=True,
        )

    def close(self) -> None:
        """Let go of the driver."""
        with contextlib.suppress(self._library.NVMLError):
            self._library.nvmlShutdown()

    def _card(self, index: int) -> Card:
        library = self._library
        handle = library.nvmlDeviceGetHandleByIndex(index)
        milliwatts = self._known(lambda: library.nvmlDeviceGetPowerManagementLimit(handle))
        minor = self._known(lambda: library.nvmlDeviceGetMinorNumber(handle))
        return Card(
            index=index,
            uuid=_text(library.nvmlDeviceGetUUID(handle)),
            name=_text(library.nvmlDeviceGetName(handle)),
            memory_mib=library.nvmlDeviceGetMemoryInfo(handle).total // MIB,
            watts=0 if milliwatts is None else round(milliwatts / 1000),
            # The device file is numbered by the driver's minor number, which need not be the index.
            device_path=f"/dev/nvidia{index if minor is None else minor}",
        )

    def _known(self, ask: Any) -> int | None:
        """The number, or None where this model does not support the question."""
        try:
            return int(ask())
        except self._library.NVMLError:
            return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
