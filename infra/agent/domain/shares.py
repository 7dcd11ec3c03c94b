"""How a node's processors and memory are divided: each GPU (or CPU slot) carries an equal part of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

MIB = 1024 * 1024
MIN_MEMORY_MIB = 64
MIN_PROCESSES = 256
MAX_WORK_MIB = 8 * 1024


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the machine has, or what its operator lets the agent use of it."""

    cpus: float
    memory_mib: int
    gpus: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one run gets."""

    cpu_cores: float
    memory_bytes: int
    work_bytes: int
    """Of that memory, what files in /work may take."""
    max_processes: int
    """Processes and threads: libraries start several a core."""


def usable(capacity: Capacity) -> Capacity:
    """What is left for runs after the reserve for the agent and the system.

    A twentieth of the processors (0.1 to 2) and a tenth of the memory (256 MiB to 8 GiB), never more than half.
    """
    cpu_reserve = min(max(capacity.cpus / 20, 0.1), 2.0, capacity.cpus / 2)
    memory_reserve = min(max(capacity.memory_mib // 10, 256), 8 * 1024, capacity.memory_mib // 2)
    return Capacity(capacity.cpus - cpu_reserve, capacity.memory_mib - memory_reserve, capacity.gpus)


def share_of(capacity: Capacity, gpus: int) -> Share:
    """The share of a run that holds `gpus` of the node's GPUs.

    Raises ValueError when it asks for none or for more than there are.
    """
    if not 1 <= gpus <= capacity.gpus:
        raise ValueError(f"{gpus} of {capacity.gpus} GPUs")
    rest = usable(capacity)
    cpu_cores = rest.cpus * gpus / capacity.gpus
    memory_mib = max(rest.memory_mib * gpus // capacity.gpus, MIN_MEMORY_MIB)
    return Share(
        cpu_cores=round(cpu_cores, 3),
        memory_bytes=memory_mib * MIB,
        work_bytes=min(memory_mib // 2, MAX_WORK_MIB) * MIB,
        max_processes=max(MIN_PROCESSES, math.ceil(cpu_cores) * 32),
    )
