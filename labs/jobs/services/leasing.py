"""What a placement gets of its GPUs: whole ones, or pieces of one that others share."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection

from infra.pool.models import Gpu
from labs.jobs.domain.shares import WHOLE_GPU, Held, Piece, left_of, memory_of_share, take
from labs.jobs.models_leases import SHARES_LOCK

ALL_OF_IT = Piece(0, WHOLE_GPU)


@dataclass(frozen=True)
class Placement:
    """Run this job on these GPUs (ids) of this node. `factors` say why it was its turn.

    `reservation_id` is the class reservation upon which it starts; `is_borrowed` says that the site is another's.
    With `gpu_milli` below 1000 it gets that many thousandths of its one GPU and `gpu_memory_mib` of its memory.
    """

    job_id: int
    node_id: int
    gpu_ids: Sequence[int]
    factors: Mapping[str, Any] = field(default_factory=dict)
    reservation_id: int | None = None
    is_borrowed: bool = False
    gpu_milli: int = WHOLE_GPU
    gpu_memory_mib: int = 0

    @property
    def is_share(self) -> bool:
        return self.gpu_milli < WHOLE_GPU


class GpuTaken(Exception):
    """What a placement counts on was given to another meanwhile, or its node shares no GPUs any more."""


class Lease(NamedTuple):
    """A piece of a GPU for a job, and the memory that goes with it in MiB."""

    gpu_id: int
    job_id: int
    piece: Piece
    memory_mib: int = 0


def leases_for(wanted: Mapping[int, Placement], gpus: Mapping[int, list[Gpu]], job_ids: Sequence[int]) -> list[Lease]:
    """What these jobs get of their GPUs. Raises GpuTaken where a share does not fit in what others leave."""
    shares = [wanted[job_id] for job_id in job_ids if wanted[job_id].is_share]
    leases = [
        Lease(gpu.pk, job_id, ALL_OF_IT) for job_id in job_ids if not wanted[job_id].is_share for gpu in gpus[job_id]
    ]
    if shares:
        held = _held_of({gpus[one.job_id][0].pk for one in shares})
        for one in shares:
            leases += _share(one, gpus[one.job_id][0], held)
    return leases


def _share(one: Placement, gpu: Gpu, held: dict[int, list[Held]]) -> list[Lease]:
    """The pieces that a share gets; `held` knows them afterwards."""
    memory_mib = memory_of_share(
        milli=one.gpu_milli, gpu_memory_mib=gpu.memory_mib, wanted_mib=one.gpu_memory_mib or None
    )
    others = held[gpu.pk]
    pieces = take(others, one.gpu_milli)
    if not pieces or memory_mib > left_of(others, memory_mib=gpu.memory_mib).memory_mib or not gpu.node.shares_gpus:
        raise GpuTaken
    found = [Lease(gpu.pk, one.job_id, piece, 0 if at else memory_mib) for at, piece in enumerate(pieces)]
    others += [Held(lease.piece, lease.memory_mib) for lease in found]
    return found


# Not the GPUs' rows: their node's heartbeat writes those, and must not wait for a cycle. Whoever writes a lease with
# memory takes the same lock (GpuLease's trigger), so nobody's sum misses another's.
_LOCK_SHARED = "SELECT pg_advisory_xact_lock(%s, id) FROM unnest(%s::int[]) WITH ORDINALITY AS one (id, at) ORDER BY at"
_HELD = "SELECT gpu_id, lower(milli), upper(milli), memory_mib FROM jobs_gpulease WHERE gpu_id = ANY(%s)"


def _held_of(gpu_ids: Collection[int]) -> dict[int, list[Held]]:
    """The leases of these GPUs, which nobody adds to until this transaction ends. Two queries."""
    held: dict[int, list[Held]] = {gpu_id: [] for gpu_id in gpu_ids}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_SHARED, [SHARES_LOCK, sorted(gpu_ids)])
        cursor.execute(_HELD, [list(gpu_ids)])
        for gpu_id, start, end, memory_mib in cursor.fetchall():
            held[gpu_id].append(Held(Piece(start, end), memory_mib))
    return held
