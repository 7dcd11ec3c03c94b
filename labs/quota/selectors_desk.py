"""Reading the quota desk: every account that one administers, with what needs an eye, in a fixed number of queries.

Learners' accounts are many: they are read below an account that was opened, where a name or a concern is looked for,
and for the CSV.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.functional import cached_property

from campus.people.access import ADMINISTERING, Standing

from .access import accounts_for, may_allocate
from .beyond import Figure, figures_of, terms
from .domain.forecast import Verdict
from .forecasts import Outlook, outlooks_of
from .models import Account, Grant, Lending, QuotaRequest

MOST_LEARNERS = 2_000
SOON_DAYS = 30
LEARNER = Account.Kind.LEARNER
RUNS_OUT = frozenset({Verdict.RUNS_OUT, Verdict.MAY_RUN_OUT, Verdict.EMPTY})


class Concern(StrEnum):
    """What the desk can be narrowed to."""

    RUNS_OUT = "runs-out"
    REQUESTS = "requests"
    ENDING = "ending"
    LENDING = "lending"
    IDLE = "idle"


@dataclass(frozen=True)
class Search:
    """What is looked for: a part of a name, a concern, one campus; `opened` are accounts whose learners are listed."""

    text: str = ""
    concern: Concern | None = None
    within: int | None = None
    opened: frozenset[int] = frozenset()
    all_learners: bool = False

    @property
    def narrows(self) -> bool:
        return bool(self.text or self.concern)


@dataclass
class DeskRow:
    """A line of the desk. GPU-seconds; `is_match` is False for what only stands above a match."""

    account: Account
    may_change: bool
    depth: int = 1
    learners: int = 0
    is_open: bool = False
    is_match: bool = True
    has_rows_below: bool = False
    outlook: Outlook | None = None
    term_used_s: int = 0
    decayed_s: int = 0
    requests: int = 0
    ending_s: int = 0
    ends_next_on: date | None = None
    lending_s: int = 0
    idle_gpus: float = 0
    below: list["DeskRow"] = field(default_factory=list)

    @property
    def left_to_grant_s(self) -> int:
        return self.account.grantable_s

    @property
    def opens(self) -> bool:
        return self.has_rows_below or self.learners > 0

    @property
    def runs_out(self) -> bool:
        return self.outlook is not None and self.outlook.forecast.verdict in RUNS_OUT

    @cached_property
    def ends_soon(self) -> bool:
        return self.ends_next_on is not None and self.ends_next_on <= timezone.localdate() + timedelta(days=SOON_DAYS)

    def concerns(self, concern: Concern) -> bool:
        """Say whether this line is of that concern."""
        account = self.account
        return {
            Concern.RUNS_OUT: self.runs_out,
            Concern.REQUESTS: self.requests > 0,
            Concern.ENDING: self.ends_soon,
            Concern.LENDING: bool(self.lending_s or account.lent_s or account.borrowed_s),
            Concern.IDLE: self.idle_gpus > 0,
        }[concern]


@dataclass(frozen=True)
class Desk:
    """The lines in the order of the tree, and sums over all that one administers whatever was looked for."""

    rows: list[DeskRow]
    granted_s: int
    used_s: int
    held_s: int
    running_out: int
    requests: int
    ending: int
    idle_gpus: float
    is_cut: bool

    @property
    def left_s(self) -> int:
        return self.granted_s - self.used_s - self.held_s


def administered(standing: Standing) -> QuerySet[Account]:
    """Return the accounts of whose scopes this person is an administrator."""
    scopes = standing.scope_ids(ADMINISTERING)
    found = accounts_for(standing)
    return found.filter(scope__path__overlap=scopes) if scopes else found.none()


def desk(standing: Standing, search: Search) -> Desk:
    """Return the desk. Thirteen queries at most, whatever its size."""
    mine = administered(standing)
    counts = dict(mine.filter(kind=LEARNER).order_by().values_list("parent_id").annotate(n=Count("id")))
    found = list(mine.exclude(kind=LEARNER))
    learners = list(_learners(mine, search)[: MOST_LEARNERS + 1])
    rows = _rows(standing, [*found, *learners[:MOST_LEARNERS]], counts, search.opened)
    _weigh(rows.values())
    roots = _planted(rows)
    if search.within in rows:
        roots = [rows[search.within]]
    _narrow(roots, search)
    lines = list(_lines(roots, 1))
    whole = [row for row in rows.values() if row.account.kind != LEARNER]
    tops = [row for row in whole if row.account.parent_id not in rows]
    return Desk(
        rows=lines,
        granted_s=sum(row.account.allocated_s for row in tops),
        used_s=sum(row.account.used_s for row in tops),
        held_s=sum(row.account.held_s for row in tops),
        running_out=sum(row.runs_out for row in whole),
        requests=sum(row.requests for row in tops),
        ending=sum(row.ends_soon for row in whole),
        idle_gpus=sum(row.idle_gpus for row in tops),
        is_cut=len(learners) > MOST_LEARNERS,
    )


def learner_rows(standing: Standing, account: Account, depth: int) -> list[DeskRow]:
    """Return the lines of the learners right below an account."""
    children = list(administered(standing).filter(kind=LEARNER, parent=account).order_by("name", "id")[:MOST_LEARNERS])
    rows = _rows(standing, children, {}, frozenset())
    _weigh(rows.values())
    for row in rows.values():
        row.depth = depth
    return list(rows.values())


def _learners(mine: QuerySet[Account], search: Search) -> QuerySet[Account]:
    learners = mine.filter(kind=LEARNER).order_by("name", "id")
    if search.all_learners or search.concern:
        return learners
    wanted = Q(parent_id__in=search.opened)
    if search.text:
        wanted |= Q(name__icontains=search.text) | Q(owner__email__icontains=search.text)
    return learners.filter(wanted) if search.text or search.opened else learners.none()


def _rows(
    standing: Standing, accounts: Sequence[Account], counts: dict[int, int], opened: Collection[int]
) -> dict[int, DeskRow]:
    return {
        account.pk: DeskRow(
            account, may_allocate(standing, account), learners=counts.get(account.pk, 0), is_open=account.pk in opened
        )
        for account in accounts
    }


def _weigh(rows: Iterable[DeskRow]) -> None:
    """Give each line its forecast and figures. Ten queries at most."""
    by_id = {row.account.pk: row for row in rows}
    accounts, ids = [row.account for row in by_id.values()], list(by_id)
    outlooks = outlooks_of(accounts)
    used = _used_this_term(by_id, outlooks)
    decayed, idle = figures_of(Figure.DECAYED_S, ids), figures_of(Figure.IDLE_GPUS, ids)
    waiting = _waiting(ids)
    ending, lending = _ending(ids), _lending(ids)
    for pk, row in by_id.items():
        row.outlook = outlooks.get(pk)
        row.term_used_s, row.decayed_s, row.idle_gpus = used.get(pk, 0), round(decayed.get(pk, 0)), idle.get(pk, 0)
        row.requests, row.lending_s = waiting[pk], lending.get(pk, 0)
        row.ends_next_on, row.ending_s = ending.get(pk, (None, 0))


_USED = """
SELECT wanted.id, sum(days.charged_s - days.refunded_s)
FROM quota_usageday AS days CROSS JOIN LATERAL unnest(days.path) AS up (id)
JOIN unnest(%s::bigint[], %s::date[]) AS wanted (id, first) ON wanted.id = up.id AND days.day >= wanted.first
WHERE days.day >= %s AND days.path && %s::bigint[]
GROUP BY wanted.id
"""


def _used_this_term(rows: dict[int, DeskRow], outlooks: dict[int, Outlook]) -> dict[int, int]:
    """Return what stayed charged below each account since its term began. Two queries."""
    today = timezone.localdate()
    running = [term for term in terms() if term.first_on <= today]
    if not running or not rows:
        return {}
    # Until when it is needed says which term it is; where nobody knows, the one that began last.
    begins = {term.last_on: term.first_on for term in running}
    firsts = []
    for pk in rows:
        outlook = outlooks.get(pk)
        until = outlook.forecast.until if outlook else None
        firsts.append(begins.get(until, running[-1].first_on) if until else running[-1].first_on)
    with connection.cursor() as cursor:
        cursor.execute(_USED, [list(rows), firsts, min(firsts), list(rows)])
        return {pk: int(seconds) for pk, seconds in cursor.fetchall()}


def _waiting(ids: Collection[int]) -> Counter[int]:
    """Count the requests that wait for an answer at or below each account. One query."""
    paths = QuotaRequest.objects.filter(state=QuotaRequest.State.OPEN, account__path__overlap=list(ids))
    return Counter(pk for path in paths.order_by().values_list("account__path", flat=True) for pk in path)


def _ending(ids: Collection[int]) -> dict[int, tuple[date, int]]:
    """Return the last day of the next grant to end of each account, and what all that end have left. One query."""
    found: dict[int, tuple[date, int]] = {}
    grants = Grant.objects.filter(account_id__in=ids, state=Grant.State.ACTIVE).order_by("ends_at", "id")
    for grant in grants:
        last = timezone.localdate(grant.last_at)
        first, left_s = found.get(grant.account_id, (last, 0))
        found[grant.account_id] = (first, left_s + grant.left_s)
    return found


def _lending(ids: Collection[int]) -> dict[int, int]:
    """Return what each account offers to lend. One query."""
    offers = Lending.objects.filter(lender_id__in=ids, closed_at__isnull=True, recalled_at__isnull=True)
    return dict(offers.order_by().values_list("lender_id").annotate(total=Sum("limit_s")))


def _planted(rows: dict[int, DeskRow]) -> list[DeskRow]:
    roots: list[DeskRow] = []
    for row in rows.values():
        above = rows.get(row.account.parent_id or 0)
        (above.below if above else roots).append(row)
    return roots


def _narrow(rows: list[DeskRow], search: Search) -> bool:
    """Leave only what matches and what stands above it; say whether anything does."""
    if not search.narrows:
        return True
    kept = []
    for row in rows:
        row.is_match = _matches(row, search)
        if _narrow(row.below, search) | row.is_match:
            kept.append(row)
    rows[:] = kept
    return bool(kept)


def _matches(row: DeskRow, search: Search) -> bool:
    text = search.text.casefold()
    named = not text or text in row.account.name.casefold()
    if text and not named and row.account.owner is not None:
        named = text in row.account.owner.email.casefold()
    return named and (search.concern is None or row.concerns(search.concern))


def _lines(rows: list[DeskRow], depth: int) -> Iterable[DeskRow]:
    for row in sorted(rows, key=lambda row: (row.account.kind == LEARNER, row.account.name, row.account.pk)):
        row.depth, row.has_rows_below = depth, bool(row.below)
        yield row
        yield from _lines(row.below, depth + 1)
