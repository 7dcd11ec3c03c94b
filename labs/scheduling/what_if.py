"""What-if: the queue, or the last days as they came, replayed through the planner with a change. Writes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median, median_low
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput
from campus.people.access import TEACHING, Standing
from infra.pool.models import Node, Site
from labs.jobs.models import Job
from labs.quota.models import Account

from .domain import what_if
from .domain.simulate import Arrival
from .domain.snapshot import WHOLE_GPU, Id, NodeState, PendingJob, ReservationState, Snapshot
from .models import ClassReservation
from .snapshot_loader import Loaded, load, policy

BASES = ("queue", "week")
REPLAYED_DAYS = 7
MOST_REPLAYED = 1_000
#: A replay of a week looks at the queue at most this often.
REPLAY_STEP_S = 30.0
MOST_JOBS_ADDED = 200
TYPICAL_OF = 50
NEW_JOB_S, NEW_JOB_WALL_S = 1_800.0, 3_600.0
_JOINING = 2**62


@dataclass(frozen=True)
class Wish:
    """The changes to try. What is None or empty stays as it is. `gpu_hours` are used at once by typical jobs."""

    account: Account | None = None
    max_running_gpus: int | None = None
    lifts_cap: bool = False
    weight: int | None = None
    gpu_hours: Decimal | None = None
    learner_cap: int | None = None
    power_site: Site | None = None
    power_cap_w: int | None = None
    drained: Sequence[Node] = ()
    nodes_added: int = 0
    like: Node | None = None
    class_site: Site | None = None
    class_gpus: int | None = None
    class_from: datetime | None = None
    class_minutes: int | None = None
    given_up: Sequence[ClassReservation] = ()

    @property
    def is_empty(self) -> bool:
        return self == Wish(
            account=self.account, like=self.like, class_site=self.class_site, power_site=self.power_site
        )


@dataclass(frozen=True)
class Row:
    """A cohort (or all that the reader does not look after) and what the change does to its jobs."""

    name: str
    effect: what_if.Effect
    is_own: bool = True


@dataclass(frozen=True)
class Answer:
    """What would happen. `added` is what the jobs would meet that come with more GPU time."""

    basis: str
    whole: what_if.Effect
    rows: list[Row]
    added: what_if.Effect | None
    is_cut: bool
    """Only the newest jobs of the week were replayed."""


def answer(*, standing: Standing, basis: str, wish: Wish) -> Answer:
    """Replay with and without the wish. Raises InvalidInput naming the field of a change that cannot be."""
    _check(wish)
    now = timezone.now()  # no lease hangs on it, so no query need ask the database's clock
    own, learners = _accounts(standing, wish)
    more = _more_work(wish, now, learners)
    rows = _rows_of_week(now) if basis == "week" else []
    loaded = load(now, extra=_accounts_wanted(wish, more, rows))
    came, is_cut = _arrivals(rows[:MOST_REPLAYED], loaded), len(rows) > MOST_REPLAYED
    if basis == "week":
        loaded = replace(loaded, snapshot=_idle(loaded.snapshot))
    snapshot = loaded.snapshot
    of_cohort = _by_cohort([*snapshot.pending, *(one.job for one in came)], snapshot, own)
    began = now.timestamp()
    if basis == "week":
        began = min((one.job.submitted_at for one in came), default=began)
    step_s = REPLAY_STEP_S if basis == "week" else 1.0
    rules = policy()
    before = what_if.run_forward(snapshot, rules, began, came, least_step_s=step_s)
    changed, new_rules = what_if.changed(snapshot, rules, _changes(wish, loaded, more, began, basis))
    after = what_if.run_forward(changed, new_rules, began, came, least_step_s=step_s)
    return Answer(
        basis=basis,
        whole=what_if.effect([job_id for ids in of_cohort.values() for job_id in ids], before, after),
        rows=_rows(of_cohort, own, before, after),
        added=what_if.effect([job.id for job in more], after, after) if more else None,
        is_cut=is_cut,
    )


def _check(wish: Wish) -> None:
    wrong: dict[str, str] = {}
    needs_account = wish.max_running_gpus is not None or wish.lifts_cap or wish.weight or wish.gpu_hours
    if wish.account is None and (needs_account or wish.class_gpus):
        wrong["account"] = _("Choose the account that this is about.")
    if wish.power_cap_w is not None and wish.power_site is None:
        wrong["power_site"] = _("Choose the site whose power it is.")
    if wish.nodes_added and wish.like is None:
        wrong["like"] = _("Choose a node that the new ones are like.")
    if wish.class_gpus:
        for name in ("class_site", "class_from", "class_minutes"):
            if not getattr(wish, name):
                wrong[name] = _("A class needs a site, a time and a length.")
    if wrong:
        raise InvalidInput(wrong)


def _accounts_wanted(
    wish: Wish, more: Sequence[PendingJob], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[int, int, str]]:
    """The accounts that a change or the past names must be in the snapshot, also where nobody of them waits."""
    wanted = [(int(str(job.account_id)), int(str(job.owner_id)), "") for job in more]
    wanted += sorted({(row[2], row[1], "") for row in rows})
    return wanted if wish.account is None else [*wanted, (wish.account.pk, 0, "")]


def _accounts(standing: Standing, wish: Wish) -> tuple[dict[int, str], list[tuple[int, int]]]:
    """The cohorts that the reader looks after, by account; and the learners whose jobs more GPU time would be."""
    wanted = Q(kind=Account.Kind.COHORT, scope__path__overlap=standing.scope_ids(TEACHING))
    if wish.account is not None and wish.gpu_hours:
        wanted |= Q(kind=Account.Kind.LEARNER, path__contains=[wish.account.pk], is_open=True)
    rows = list(Account.objects.filter(wanted).order_by("id").values_list("pk", "kind", "name", "owner_id"))
    own = {pk: name for pk, kind, name, _owner in rows if kind == Account.Kind.COHORT}
    return own, [(pk, owner_id) for pk, kind, _name, owner_id in rows if kind == Account.Kind.LEARNER]


def _more_work(wish: Wish, now: datetime, learners: Sequence[tuple[int, int]]) -> list[PendingJob]:
    """Jobs like those that the account ran of late, until the GPU time is used up, dealt out over its learners."""
    if not wish.gpu_hours or wish.account is None:
        return []
    of_account = Job.objects.filter(account__path__contains=[wish.account.pk])
    rows = list(
        of_account.filter(state=Job.State.SUCCEEDED, charged_s__gt=0)
        .order_by("-id")
        .values_list("gpus", "wall_s", "charged_s", "rate", "gpu_milli")[:TYPICAL_OF]
    )
    gpus = int(median(row[0] for row in rows)) if rows else 1
    milli = int(median_low(row[4] for row in rows)) if rows and gpus == 1 else WHOLE_GPU
    run_s = median(row[2] / (row[0] * row[4] / WHOLE_GPU * float(row[3])) for row in rows) if rows else NEW_JOB_S
    wall_s = max(float(median(row[1] for row in rows)) if rows else NEW_JOB_WALL_S, run_s)
    learners = learners[:MOST_JOBS_ADDED] or [(wish.account.pk, 0)]
    count = min(MOST_JOBS_ADDED, max(1, int(float(wish.gpu_hours) * 3600 / max(1.0, gpus * milli / WHOLE_GPU * run_s))))
    return [
        PendingJob(
            id=_JOINING + n,
            owner_id=learners[n % len(learners)][1],
            account_id=learners[n % len(learners)][0],
            submitted_at=now.timestamp(),
            gpus=gpus,
            gpu_milli=milli,
            wall_s=wall_s,
            predicted_p50_s=run_s,
            predicted_p90_s=wall_s,
        )
        for n in range(count)
    ]


def _changes(
    wish: Wish, loaded: Loaded, more: Sequence[PendingJob], began: float, basis: str
) -> Iterable[what_if.Change]:
    if wish.account is not None and (wish.max_running_gpus is not None or wish.lifts_cap):
        yield what_if.AccountCap(wish.account.pk, None if wish.lifts_cap else wish.max_running_gpus)
    if wish.account is not None and wish.weight:
        yield what_if.AccountWeight(wish.account.pk, float(wish.weight))
    if wish.learner_cap:
        yield what_if.LearnerCap(wish.learner_cap)
    if wish.power_site is not None and wish.power_cap_w is not None:
        yield what_if.SitePower(wish.power_site.pk, wish.power_cap_w)
    drained = {node.pk for node in wish.drained}
    for state in loaded.snapshot.nodes:
        if loaded.node_ids[int(str(state.id))] in drained:
            yield what_if.NodeSchedulable(state.id, False)
        if wish.like is not None and wish.nodes_added and loaded.node_ids[int(str(state.id))] == wish.like.pk:
            yield what_if.NodesAdded(state, wish.nodes_added)
    for row in wish.given_up:
        yield what_if.ClassGivenUp(row.pk)
    if more:
        yield what_if.MoreWork(tuple(replace(job, submitted_at=began) for job in more))
    if wish.class_gpus and wish.account and wish.class_site and wish.class_from and wish.class_minutes:
        start_at = wish.class_from.timestamp()
        if basis == "week":  # the same hour of the same weekday, in the days that are replayed
            start_at -= timedelta(days=REPLAYED_DAYS).total_seconds()
        end_at = start_at + 60.0 * wish.class_minutes
        held = ReservationState(
            "what-if", wish.account.pk, wish.class_site.pk, wish.class_gpus, start_at, end_at, release_at=end_at
        )
        yield what_if.ClassHeld(held)


_CAME = (
    "id", "owner_id", "account_id", "submitted_at", "gpus", "wall_s", "gpu_type", "preferred_campus_id", "started_at",
    "ended_at", "gpu_milli", "gpu_memory_mib",
)  # fmt: skip


def _rows_of_week(now: datetime) -> list[tuple[Any, ...]]:
    """The newest jobs of the last days that ran, one more than are replayed where there are more."""
    ran = Job.objects.filter(submitted_at__gte=now - timedelta(days=REPLAYED_DAYS), started_at__isnull=False)
    return list(ran.exclude(ended_at=None).order_by("-id").values_list(*_CAME)[: MOST_REPLAYED + 1])


def _arrivals(rows: Sequence[tuple[Any, ...]], loaded: Loaded) -> list[Arrival]:
    """Jobs as they came, each with the time that it really took."""
    return [
        Arrival(
            PendingJob(
                id=pk,
                owner_id=owner_id,
                account_id=account_id,
                submitted_at=submitted_at.timestamp(),
                gpus=gpus,
                gpu_milli=gpu_milli,
                min_gpu_memory_mib=gpu_memory_mib,
                wall_s=float(wall_s),
                gpu_type=gpu_type or None,
                preferred_site_id=loaded.site_of_campus.get(campus_id),
            ),
            run_s=max(1.0, (ended - began).total_seconds()),
        )
        for pk, owner_id, account_id, submitted_at, gpus, wall_s, gpu_type, campus_id, began, ended, *share in rows
        for gpu_milli, gpu_memory_mib in [share]
    ]


def _idle(snapshot: Snapshot) -> Snapshot:
    """The pool with nothing on it, as a replay of the past finds it, and the accounts without use."""
    held: dict[object, set[int]] = {}
    for run in snapshot.running:
        for part in run.places:
            held.setdefault(part.node_id, set()).update(part.gpu_indices)

    def freed(node: NodeState) -> NodeState:
        return replace(node, free_gpus=tuple(sorted({*node.free_gpus, *held.get(node.id, ())})), partly_free=())

    accounts = tuple(replace(account, decayed_use_gpu_s=0.0) for account in snapshot.accounts)
    return replace(
        snapshot,
        nodes=tuple(freed(node) for node in snapshot.nodes),
        accounts=accounts,
        running=(),
        pending=(),
        reservations=(),
    )


def _by_cohort(jobs: Sequence[PendingJob], snapshot: Snapshot, own: Mapping[int, str]) -> dict[int | None, list[Id]]:
    """The jobs by the account of the reader's own cohort that they belong to; None is everybody else's."""
    parents = {account.id: account.parent_id for account in snapshot.accounts}
    found: dict[int | None, list[Id]] = {}
    for job in jobs:
        account_id: Any = job.account_id
        while account_id is not None and account_id not in own:
            account_id = parents[account_id]
        found.setdefault(account_id, []).append(job.id)
    return found


def _rows(
    of_cohort: Mapping[int | None, Sequence[Id]], own: Mapping[int, str], before: what_if.Waits, after: what_if.Waits
) -> list[Row]:
    """A row for each cohort that the reader looks after and that has jobs, and one for everybody else."""
    rows = [
        Row(own[pk], what_if.effect(ids, before, after))
        for pk, ids in sorted(of_cohort.items(), key=lambda item: own.get(item[0] or 0, ""))
        if pk is not None
    ]
    if others := of_cohort.get(None):
        rows.append(Row(_("Everyone else"), what_if.effect(others, before, after), is_own=False))
    return rows
