"""How a node's processors and memory are divided: each GPU (or CPU slot) carries an equal part of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from infra.executors.contract import WHOLE_GPU

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


def share_of(capacity: Capacity, gpus: int, *, milli: int = WHOLE_GPU, memory_mib: int | None = None) -> Share:
    """The share of a run that holds `gpus` of the node's GPUs, or `milli` thousandths of one.

    `memory_mib` is the memory it was given, where that is the machine's own; None gives it the same part of that as of
    the processors. Raises ValueError when it asks for none or for more than there are, or for a part of several.
    """
    if not 1 <= gpus <= capacity.gpus or not 1 <= milli <= WHOLE_GPU or (milli < WHOLE_GPU and gpus > 1):
        raise ValueError(f"{gpus} of {capacity.gpus} GPUs, {milli} thousandths of each")
    rest = usable(capacity)
    cpu_cores = rest.cpus * gpus * milli / (capacity.gpus * WHOLE_GPU)
    if memory_mib is None:
        memory_mib = rest.memory_mib * gpus * milli // (capacity.gpus * WHOLE_GPU)
    memory_mib = max(memory_mib, MIN_MEMORY_MIB)
    return Share(
        cpu_cores=round(cpu_cores, 3),
        memory_bytes=memory_mib * MIB,
        work_bytes=min(memory_mib // 2, MAX_WORK_MIB) * MIB,
        max_processes=max(MIN_PROCESSES, math.ceil(cpu_cores) * 32),
    )


class Part(NamedTuple):
    """What of one GPU an attempt has: thousandths, and memory in MiB; None is all of it."""

    milli: int = WHOLE_GPU
    memory_mib: int | None = None


def fit_together(parts: Iterable[Part], *, gpu_memory_mib: int) -> bool:
    """Say whether these parts of one GPU can be had at once."""
    held = list(parts)
    milli = sum(part.milli for part in held)
    return milli <= WHOLE_GPU and (len(held) < 2 or sum(part.memory_mib or 0 for part in held) <= gpu_memory_mib)
