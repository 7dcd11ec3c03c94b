"""What sites keep for classes at a time, for who plans a class before anything is booked."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from infra.pool.models import Gpu, Node

from .models import ClassReservation


@dataclass(frozen=True)
class SiteKept:
    """A site's GPUs by type (those of nodes that refuse learners' code do not count), and what is kept of them."""

    by_type: dict[str, int]
    kept: tuple[ClassReservation, ...]

    @property
    def total(self) -> int:
        return sum(self.by_type.values())


def kept_at(
    *, site_ids: Iterable[int], from_at: datetime, until_at: datetime, without: Collection[int] = ()
) -> dict[int, SiteKept]:
    """What these sites have, and keep in that time but for the reservations `without`. Two queries."""
    wanted = sorted(set(site_ids))
    gpus = Gpu.objects.filter(node__site_id__in=wanted).exclude(node__confinement=Node.Confinement.REFUSED)
    there: dict[int, dict[str, int]] = {site_id: {} for site_id in wanted}
    for site_id, gpu_type, count in gpus.values_list("node__site_id", "gpu_type").annotate(Count("id")).order_by():
        there[site_id][gpu_type] = count
    rows = ClassReservation.objects.filter(
        site_id__in=wanted, state=ClassReservation.State.BOOKED, end_at__gt=from_at, start_at__lt=until_at
    ).exclude(pk__in=list(without))
    kept: dict[int, list[ClassReservation]] = {site_id: [] for site_id in wanted}
    for row in rows.order_by("start_at", "pk"):
        kept[row.site_id].append(row)
    return {site_id: SiteKept(there[site_id], tuple(kept[site_id])) for site_id in wanted}
