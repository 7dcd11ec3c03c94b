"""Which open attempt has what of which GPU (docs: labs/scheduling/docs/decisions/0011)."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import IntegerRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from psycopg.types.range import Range

from campus.places.models import one_of
from infra.pool.models import Gpu

from .domain.shares import WHOLE_GPU

#: The first number of PostgreSQL's advisory locks for GPUs that shares are taken of; the second is the GPU's id.
SHARES_LOCK = 7_205_201

# Memory is no range: which part of it a share has does not matter, only that the sum fits. Of two who take a share at
# once the second waits for the first (the number is SHARES_LOCK) and sees it. Whole GPUs never come here.
_MEMORY_FITS = """
PERFORM pg_advisory_xact_lock(7205201, NEW.gpu_id::int);
IF (SELECT SUM(memory_mib) FROM jobs_gpulease WHERE gpu_id = NEW.gpu_id)
    > (SELECT memory_mib FROM pool_gpu WHERE id = NEW.gpu_id) THEN
    RAISE EXCEPTION 'the shares of a GPU have more memory than it has' USING ERRCODE = 'check_violation';
END IF;
RETURN NULL;
"""


class GpuLease(models.Model):
    """A piece of a GPU is given to at most one open attempt. The row goes when the attempt ends.

    `milli` are thousandths of it, [0, 1000) for all of it. A share may lie in several pieces, so that what is left fits
    wherever it lies; `memory_mib` goes with them, in the first. A whole GPU's memory is nobody else's and counts as 0.
    """

    gpu = models.ForeignKey(Gpu, on_delete=models.PROTECT, related_name="leases")
    attempt = models.ForeignKey("jobs.Attempt", on_delete=models.CASCADE, related_name="gpu_leases")
    milli = IntegerRangeField(default=Range(0, WHOLE_GPU), db_default=Range(0, WHOLE_GPU))
    memory_mib = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="gpu_lease_pieces_are_apart",
                expressions=((one_of("gpu"), RangeOperators.OVERLAPS), ("milli", RangeOperators.OVERLAPS)),
            ),
            models.CheckConstraint(
                condition=Q(milli__contained_by=Range(0, WHOLE_GPU), milli__isempty=False),
                name="gpu_lease_is_a_piece_of_it",
            ),
        )
        triggers = (
            pgtrigger.Trigger(
                name="shares_have_the_memory_there_is",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("gpu_id", "memory_mib"),
                condition=pgtrigger.Q(new__memory_mib__gt=0),
                func=_MEMORY_FITS,
            ),
        )

    def __str__(self) -> str:
        return f"{self.gpu} for {self.attempt}"
