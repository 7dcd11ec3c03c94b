"""What this machine offers: its GPUs, or the CPU slots that it declares in their place, and how they do."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import psutil
import structlog

from infra.agent.domain import gpu_types
from infra.agent.domain.shares import Capacity, Part, Share, share_of, usable
from infra.agent.nvml import Card, NoGpus, Nvml
from infra.agent.settings import Settings
from infra.agent.wire import GpuReport, GpuSample
from infra.executors.contract import WHOLE_GPU, GpuGrant

log = structlog.get_logger("infra.agent")

SAMPLE_EVERY_S = 5.0
SLOT_WATTS = 0  # a slot is a part of a processor, not a device with a power limit of its own
MIB = 1024 * 1024
WHOLE = Part()


class UnknownGpu(Exception):
    """An attempt was given a GPU that is not on this node."""


class Inventory:
    """Found out once at start; `samples` follows the GPUs while `run` goes on in a thread of its own."""

    def __init__(self, settings: Settings, nvml: Nvml | None) -> None:
        cards = _own(nvml.cards(), settings.gpu_part) if nvml else ()
        self._nvml = nvml if cards else None
        count = len(cards) or settings.slots
        self.capacity = Capacity(
            cpus=settings.cpus or float(len(psutil.Process().cpu_affinity()) or 1),
            memory_mib=settings.memory_mib or psutil.virtual_memory().total // MIB,
            gpus=count,
        )
        self.grants = _grants_of_cards(cards) if cards else _slots(settings, self.capacity)
        self.reports = _reports(self.grants, cards)
        self.gives_parts = settings.share_gpus if cards else bool(self.grants)
        """A part of one of its GPUs can be had: whoever has it is kept to it, or the operator trusts them."""
        self.samples: Sequence[GpuSample] = [GpuSample(grant.index) for grant in self.grants]

    @classmethod
    def find(cls, settings: Settings) -> Inventory:
        """Look for GPUs; without any, take the CPU slots of the settings."""
        try:
            nvml = Nvml.open()
            found = cls(settings, nvml)
        except NoGpus as error:
            log.info("no GPU here, CPU slots stand in", why=str(error), slots=settings.slots)
            return cls(settings, None)
        if found._nvml is None:
            log.info("other agents have this machine's GPUs, CPU slots stand in", slots=settings.slots)
            nvml.close()
        return found

    def grants_for(self, wanted: Sequence[tuple[int, str]], part: Part = WHOLE) -> tuple[GpuGrant, ...]:
        """The node's GPUs that (index, uuid) name, or this part of one.

        Raises UnknownGpu, also when a GPU was exchanged since, and for a part of one on a node that gives none.
        """
        own = {grant.index: grant for grant in self.grants}
        for index, uuid in wanted:
            if index not in own or own[index].uuid != uuid:
                raise UnknownGpu(f"GPU {index} ({uuid}) is not on this node")
        if not wanted or len({index for index, _uuid in wanted}) != len(wanted):
            raise UnknownGpu("no GPU, or one GPU twice")
        if part.milli == WHOLE_GPU:
            return tuple(own[index] for index, _uuid in wanted)
        if not self.gives_parts or len(wanted) != 1:
            raise UnknownGpu("this node gives no parts of a GPU")
        return (replace(own[wanted[0][0]], milli=part.milli, memory_mib=part.memory_mib or 0),)

    def share_for(self, grants: Sequence[GpuGrant]) -> Share:
        """Processors and memory of a run with these GPUs. The memory of a part of a CPU slot is the machine's own."""
        first = grants[0]
        of_machine = first.memory_mib if first.is_share and first.kind == "cpu-slot" else None
        return share_of(self.capacity, len(grants), milli=first.milli, memory_mib=of_machine)

    def memory_of(self, index: int) -> int:
        """The memory of one of its GPUs in MiB; 0 for one that it has not."""
        return next((grant.memory_mib for grant in self.grants if grant.index == index), 0)

    def run(self, stopping: threading.Event) -> None:
        """Sample until told to stop. Apart from the heartbeat: a driver that hangs must not cost the leases."""
        while self._nvml is not None and not stopping.is_set():
            self.samples = [self._sample(self._nvml, grant.index) for grant in self.grants]
            stopping.wait(SAMPLE_EVERY_S)

    def close(self) -> None:
        """Let go of the driver."""
        if self._nvml is not None:
            self._nvml.close()

    @staticmethod
    def _sample(nvml: Nvml, index: int) -> GpuSample:
        reading = nvml.reading(index)
        return GpuSample(
            index, reading.utilisation_pct, reading.memory_used_mib, reading.power_w, is_healthy=reading.is_healthy
        )


def _own(cards: Sequence[Card], part: tuple[int, int]) -> tuple[Card, ...]:
    """Those of the machine's GPUs that are this agent's."""
    which, of = part
    return tuple(cards[which - 1 :: of])


def _grants_of_cards(cards: Sequence[Card]) -> tuple[GpuGrant, ...]:
    return tuple(GpuGrant(card.index, card.uuid, "nvidia", card.device_path, card.memory_mib) for card in cards)


def _slots(settings: Settings, capacity: Capacity) -> tuple[GpuGrant, ...]:
    memory_mib = usable(capacity).memory_mib // max(capacity.gpus, 1)
    return tuple(
        GpuGrant(index, f"slot-{settings.name[:50]}-{index}", "cpu-slot", None, memory_mib)
        for index in range(settings.slots)
    )


def _reports(grants: Sequence[GpuGrant], cards: Sequence[Card]) -> tuple[GpuReport, ...]:
    if cards:
        return tuple(
            GpuReport(card.index, card.uuid, "NVIDIA", gpu_types.slug_of(card.name), card.memory_mib, card.watts)
            for card in cards
        )
    return tuple(
        GpuReport(grant.index, grant.uuid, "CPU_SLOT", gpu_types.CPU_SLOT, grant.memory_mib, SLOT_WATTS)
        for grant in grants
    )
