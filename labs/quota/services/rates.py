"""What a GPU-second costs, by GPU type. A rate counts for what is submitted from its time on."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import DateTimeField, Func, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.compiled import AnyOf, Compiled, Given
from campus.core.errors import InvalidInput
from campus.people.models import User
from labs.quota.domain.charging import ONE
from labs.quota.models import Account, Rate

BOUNDS = (Decimal("0.001"), Decimal(1000))
# A clock that is a little behind ours still says "now".
NOW = timedelta(minutes=5)


class _Now(Func):
    """The time of this very statement: a rate that was set just now counts in the same transaction."""

    function = "statement_timestamp"
    output_field = DateTimeField()


_NEWEST = Compiled(
    lambda: (
        Rate.objects.filter(gpu_type=AnyOf("gpu_types"), from_at__lte=Coalesce(Given("at", DateTimeField()), _Now()))
        .order_by("gpu_type", "-from_at", "-id")
        .distinct("gpu_type")
        .values_list("gpu_type", "rate")
    )
)


def rate_of(gpu_type: str, at: datetime | None = None) -> Decimal:
    """Return the rate of a GPU type at a time (now, when left out); 1 where none was set. Empty: the type left open."""
    return rates_of([gpu_type], at)[gpu_type]


def rates_of(gpu_types: list[str], at: datetime | None = None) -> dict[str, Decimal]:
    """Return the rate of each of these types, in one query."""
    newest = _NEWEST.rows(gpu_types=gpu_types, at=at)
    return dict.fromkeys(gpu_types, ONE) | dict(newest)


def set_rate(*, gpu_type: str, rate: Decimal, actor: User | None, from_at: datetime | None = None) -> Rate:
    """Set what a second on a GPU of this type costs from `from_at` (now) on. Raises InvalidInput (rate, from_at)."""
    now = database_now()
    fields: dict[str, str] = {}
    low, high = BOUNDS
    try:
        is_whole = rate == rate.quantize(low)
    except InvalidOperation:
        is_whole = False
    if not is_whole or not low <= rate <= high:
        fields["rate"] = _("Use 0.001 to 1000, with at most three decimals.")
    if from_at is not None and from_at < now - NOW:
        fields["from_at"] = _("A rate counts from now or later: what was submitted keeps its own.")
    if len(gpu_type.strip()) > 60:
        fields["gpu_type"] = _("Use at most %(n)s characters.") % {"n": 60}
    if fields:
        raise InvalidInput(fields)
    gpu_type = gpu_type.strip()
    before = rate_of(gpu_type, now)
    made = Rate.objects.create(gpu_type=gpu_type, rate=rate, from_at=max(from_at or now, now), actor=actor)
    root = Account.objects.select_related("scope").filter(kind=Account.Kind.PLATFORM).first()
    audit.record(
        actor=actor, verb="quota.rate_set", target=made, scope_path=root.scope.path if root else (),
        changes={f"rate {gpu_type or '*'}": (str(before), str(rate))},
    )  # fmt: skip
    return made


def rates_now(at: datetime | None = None) -> list[Rate]:
    """Return the rate of every type that has one, and those that begin later. One query."""
    now = at or _Now()
    current = (
        Rate.objects.filter(from_at__lte=now)
        .order_by("gpu_type", "-from_at", "-id")
        .distinct("gpu_type")
        .values_list("pk", flat=True)
    )
    return list(Rate.objects.filter(Q(pk__in=current) | Q(from_at__gt=now)).order_by("gpu_type", "from_at", "id"))
