"""Form fields for what a job gets of the pool's GPUs: whole ones or a share of one in one choice, and their memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib.postgres.aggregates import BoolOr
from django.core.exceptions import ValidationError
from django.db.models import Min
from django.utils.translation import gettext_lazy as _

from campus.core.formats import gpu_count, gpu_memory
from infra.pool.models import Gpu, Node

from .domain.asks import GpuAsk
from .domain.shares import OFFERED_SHARES, WHOLE_GPU, memory_of_share

MIB_OF_GIB = 1024
NO_SHARE = _("Choose how many GPUs, or a share of one in eighths.")


@dataclass(frozen=True)
class Offer:
    """What the pool has: the least memory in MiB of a GPU by type, and the types of which jobs may have a share."""

    memory_mib: Mapping[str, int] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()

    @property
    def types(self) -> list[str]:
        return sorted(self.memory_mib)

    def memory_of(self, gpu_type: str) -> int | None:
        """The memory of such a GPU, or of any where they all have the same type; None where that is not known."""
        if not gpu_type and len(self.memory_mib) == 1:
            gpu_type = self.types[0]
        return self.memory_mib.get(gpu_type) or None

    def least_memory_of_share(self, milli: int, gpu_type: str = "") -> int | None:
        """The memory in MiB that such a share gets wherever it runs; None where nobody lets jobs share."""
        found = [mib for name, mib in self.memory_mib.items() if name in self.shared and gpu_type in ("", name)]
        return memory_of_share(milli=milli, gpu_memory_mib=min(found)) if found else None

    def shares(self, gpu_type: str = "") -> bool:
        return gpu_type in self.shared if gpu_type else bool(self.shared)


def pool_offer() -> Offer:
    """Ask what the nodes that are not down have. One query."""
    rows = Gpu.objects.exclude(node__state=Node.State.DOWN).order_by().values("gpu_type")
    found = rows.annotate(least=Min("memory_mib"), shared=BoolOr("node__shares_gpus"))
    kept = list(found.values_list("gpu_type", "least", "shared"))
    return Offer({name: least for name, least, _shared in kept}, frozenset(name for name, _mib, is_ in kept if is_))


def asks(most: GpuAsk, *, shares: bool) -> list[GpuAsk]:
    """The choices that a form offers, smallest first: eighth, quarter and half of a GPU, then whole ones."""
    parts = [GpuAsk(1, milli) for milli in sorted(OFFERED_SHARES) if milli < WHOLE_GPU] if shares else []
    return [one for one in [*parts, *(GpuAsk(count) for count in range(1, most.gpus + 1))] if one.in_all <= most.in_all]


def words_of(ask: GpuAsk, memory_mib: int | None) -> str:
    """ "1/4 GPU", with the memory that goes with it where that of a GPU is known."""
    words = gpu_count(ask.in_all)
    if memory_mib is None or ask.gpus != 1:
        return words
    return f"{words} · {gpu_memory(memory_of_share(milli=ask.milli, gpu_memory_mib=memory_mib))}"


class _OneOf(forms.Select):
    """Shows also what was asked for before and is not offered now, so that it does not change by itself."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        known = {str(key) for key, _words in self.choices}
        self.choices = [*self.choices, *((one, _shown(one)) for one in value if one and one not in known)]
        return super().optgroups(name, value, attrs)


def _shown(text: str) -> str:
    try:
        return gpu_count(GpuAsk.of(text).in_all)
    except ValueError:
        return text


class GpusField(forms.Field):
    """One choice: a share of a GPU, or whole ones. Its value is a `GpuAsk`; services judge whether it may be."""

    widget = _OneOf

    def offer(self, chosen: Iterable[GpuAsk], *, memory_mib: int | None = None) -> None:
        """Say what can be chosen; `memory_mib` is that of a GPU."""
        self.widget.choices = [(one.text, words_of(one, memory_mib)) for one in chosen]

    def to_python(self, value: Any) -> GpuAsk | None:
        if value in self.empty_values:
            return None
        try:
            return GpuAsk.of(str(value))
        except ValueError:
            raise ValidationError(NO_SHARE) from None

    def prepare_value(self, value: Any) -> Any:
        return value.text if isinstance(value, GpuAsk) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class GpuMemoryField(forms.DecimalField):
    """GiB for people, MiB for us."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {
            "label": _("GPU memory at least, GiB"),
            "required": False,
            "min_value": 0,
            "max_digits": 7,
            "decimal_places": 2,
        }
        super().__init__(**(defaults | kwargs))

    def clean(self, value: Any) -> Any:
        gib = super().clean(value)
        return None if gib is None else int(gib * MIB_OF_GIB)

    def prepare_value(self, value: Any) -> Any:
        return f"{value / MIB_OF_GIB:.2f}".rstrip("0").rstrip(".") if isinstance(value, int) else value
