"""What the pool board shows: sites, nodes, a cell per GPU, the queue. A fixed number of queries."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from campus.core.compiled import Compiled, number_of
from campus.core.formats import gpu_count
from campus.people.access import TEACHING, Standing
from infra.pool.models import Gpu, Node, NodeEnvironment, Site
from labs.environments.models import Environment
from labs.jobs.api import WHOLE_GPU, Left
from labs.jobs.models import Attempt, GpuLease, Job
from labs.scheduling.models import Cycle
from labs.scheduling.pool_kept import Kept, kept_by_site
from labs.usage.api import IdleRun, idle_runs_at

QUEUE_SHOWN = 25
ATTEMPTS_SHOWN = 30
_QUEUED = (
    "title", "gpus", "gpu_milli", "queue_place", "wait_reason", "wait_facts", "submitted_at", "owner__name",
    "account__scope__path",
)  # fmt: skip


class Share(NamedTuple):
    """What a job has of a shared GPU: thousandths, and MiB of its memory. `url` as a cell's."""

    milli: int
    memory_mib: int
    word: str
    url: str = ""

    @property
    def in_all(self) -> Decimal:
        return Decimal(self.milli) / WHOLE_GPU


class Cell(NamedTuple):
    """One GPU: `tone` is what it is doing, `word` says it, `url` leads to the job where the reader may see it.

    How well it is used is told of one node only: the board keeps a node's markup by its cells.
    """

    label: str
    tone: str
    word: str
    url: str = ""
    utilisation_pct: int | None = None
    shares: tuple["Share", ...] = ()
    left: Left | None = None

    @property
    def share_left(self) -> Decimal:
        """Of a shared GPU, what nobody holds."""
        return Decimal(self.left.milli if self.left else 0) / WHOLE_GPU

    @property
    def milli_in_use(self) -> int:
        """Thousandths of it that are held."""
        if self.left is not None:
            return WHOLE_GPU - self.left.milli
        return WHOLE_GPU if self.tone == "busy" else 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What the board reads of a GPU; there are thousands."""

    pk: int
    node_id: int
    index: int
    gpu_type: str
    kind: str
    is_healthy: bool
    watts: int
    power_w: int | None
    memory_mib: int
    utilisation_pct: int | None = None


@dataclass
class NodeRow:
    node: Node
    cells: list[Cell] = field(default_factory=list)
    environments: list[dict[str, Any]] = field(default_factory=list)
    gpu_words: str = ""
    is_real: bool = False

    @property
    def memory_words(self) -> str:
        return f"{self.node.memory_mib / 1024:.1f} GiB"

    @property
    def milli_in_use(self) -> int:
        return sum(cell.milli_in_use for cell in self.cells)


@dataclass
class SiteRow:
    site: Site
    nodes: list[NodeRow] = field(default_factory=list)
    power_w: int = 0
    kept: Kept = field(default_factory=Kept)
    borrowed: int = 0

    @property
    def gpus(self) -> int:
        return sum(len(row.cells) for row in self.nodes)

    @property
    def busy(self) -> Decimal:
        """GPUs in use; a share counts as that part of one."""
        return Decimal(sum(row.milli_in_use for row in self.nodes)) / WHOLE_GPU

    @property
    def power_pct(self) -> int | None:
        return round(100 * self.power_w / self.site.power_cap_w) if self.site.power_cap_w else None


_FACTS = tuple(one.name for one in fields(Facts))


def _facts(*names: str) -> QuerySet[Gpu, Any]:
    return Gpu.objects.order_by("node_id", "index").values_list(*names)


_JOB = "attempt__job__"
_LEASED = (
    "gpu_id", "milli__startswith", "milli__endswith", "memory_mib", "attempt__job_id", _JOB + "title",
    _JOB + "owner_id", _JOB + "owner__name", _JOB + "account__scope__path", "attempt__reservation_id",
    "attempt__is_borrowed",
)  # fmt: skip


def _sites() -> QuerySet[Site]:
    return Site.objects.select_related("campus", "owner__account").order_by("pk")


_SITES = Compiled(_sites)
_NODES = Compiled(lambda: Node.objects.order_by("site_id", "name"))
_GPUS = Compiled(lambda: _facts(*_FACTS[:-1]))
_LEASES = Compiled(lambda: GpuLease.objects.values_list(*_LEASED))
_WAITING = Compiled(
    lambda: (
        Job.objects.filter(state=Job.State.QUEUED)
        .select_related("owner", "account__scope")
        .order_by("queue_place", "id")
        .only(*_QUEUED)[:QUEUE_SHOWN]
    )
)
_WAIT = Compiled(lambda: number_of(Job.objects.filter(state=Job.State.QUEUED)))
_LAST_CYCLE = Compiled(lambda: Cycle.objects.order_by("-at")[:1])


def board(standing: Standing, user_id: int | None, *, node_name: str | None = None) -> list[SiteRow]:
    """Return every site with its nodes and cells; six queries whatever the size of the pool, and for one node.

    What is kept and lent is told with every site, not with one node.

    Environments and how well GPUs are used are told of one node only: the board shows neither.
    Whose job a GPU runs is told only to its owner and to the staff of its account.
    """
    by_site: dict[int, list[Node]] = defaultdict(list)
    for node in _NODES.models() if node_name is None else Node.objects.filter(name=node_name):
        by_site[node.site_id].append(node)
    gpus: dict[int, list[Facts]] = defaultdict(list)
    held = _GPUS.rows() if node_name is None else _facts(*_FACTS).filter(node__name=node_name)
    for said in held:
        gpus[said[1]].append(Facts(*said))
    leases = _leases(node_name)
    environments = _environments(node_name) if node_name is not None else {}
    sites = _SITES.models() if node_name is None else _sites().filter(pk__in=by_site)
    kept = kept_by_site(timezone.now(), _reservations(leases)) if node_name is None else {}
    rows, words = [], _words()
    for site in sites:
        row = SiteRow(site, kept=kept.get(site.pk, Kept()))
        for node in by_site[site.pk]:
            cells = [_cell(gpu, node, leases.get(gpu.pk, ()), standing, user_id, words) for gpu in gpus[node.pk]]
            row.nodes.append(
                NodeRow(node, cells, environments.get(node.pk, []), _gpu_words(gpus[node.pk]), _is_real(gpus[node.pk]))
            )
            row.borrowed += sum(any(work.is_borrowed for work in leases.get(gpu.pk, ())) for gpu in gpus[node.pk])
            row.power_w += sum(
                gpu.power_w if gpu.power_w is not None else (gpu.watts if gpu.pk in leases else 0)
                for gpu in gpus[node.pk]
            )
        rows.append(row)
    return rows


def queue(standing: Standing, user_id: int | None) -> dict[str, Any]:
    """Return how many jobs wait, and the first of them as far as this reader may see them. Two queries."""
    entries = [{"job": job, "visible": may_see(job, standing, user_id)} for job in _WAITING.models()]
    return {"count": _WAIT.value(), "first": entries}


def idle(standing: Standing) -> list[IdleRun]:
    """Return the runs that leave their GPUs idle, of the accounts that this reader looks after. One query."""
    return idle_runs_at(standing.scope_ids(TEACHING))


def last_cycle() -> Cycle | None:
    """Return what the scheduler did last, None before its first cycle. One query."""
    return _LAST_CYCLE.model()


def _reservations(leases: "Leases") -> Iterator[int | None]:
    """The class reservation upon which each GPU in use is: once, however many share it."""
    for works in leases.values():
        yield from {work.reservation_id for work in works}


class Work(NamedTuple):
    """What a cell says of the job that a GPU runs. Whole jobs, owners and accounts would be half of the page's time."""

    milli: int
    memory_mib: int
    job_id: int
    title: str
    owner_id: int
    owner_name: str
    scope_path: list[int]
    reservation_id: int | None
    is_borrowed: bool

    def use(self, words: "Words") -> str:
        """On what ground it runs there, if not as everybody does."""
        if self.reservation_id is not None:
            return words.for_class
        return words.borrowed if self.is_borrowed else ""


class Words(NamedTuple):
    """What cells say in the reader's language: looked up once for thousands."""

    job: str
    in_use: str
    for_class: str
    borrowed: str
    down: str
    ill: str
    drain: str
    free: str
    share: str
    left: str


def _words() -> Words:
    return Words(
        _("#%(id)d %(title)s, %(owner)s"), _("in use"), _("for a class"), _("borrowed"), _("down"), _("not healthy"),
        _("draining"), _("free"), _("%(share)s: %(use)s"), _("%(share)s left"),
    )  # fmt: skip


Leases = dict[int, tuple[Work, ...]]


def _leases(node_name: str | None) -> Leases:
    """The jobs that hold each GPU: one, or those that share it. One query."""
    if node_name is None:
        rows: Iterable[tuple[Any, ...]] = _LEASES.rows()
    else:
        rows = GpuLease.objects.filter(gpu__node__name=node_name).values_list(*_LEASED)
    found: Leases = {}
    for gpu_id, start, end, *said in rows:
        found[gpu_id] = _with(found.get(gpu_id, ()), Work(end - start, *said))
    return found


def _with(works: tuple[Work, ...], one: Work) -> tuple[Work, ...]:
    """With one more lease of a GPU. A share may lie in several pieces, which are one to people."""
    for at, work in enumerate(works):
        if work.job_id == one.job_id:
            both = one._replace(milli=work.milli + one.milli, memory_mib=work.memory_mib + one.memory_mib)
            return (*works[:at], both, *works[at + 1 :])
    return (*works, one)


def _environments(node_name: str) -> dict[int, list[dict[str, Any]]]:
    names = {row.digest: row for row in Environment.objects.only("digest", "name_ko", "name_en", "slug")}
    kept: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for built in NodeEnvironment.objects.filter(node__name=node_name).order_by("digest"):
        known = names.get(built.digest)
        kept[built.node_id].append({"built": built, "name": known.name if known else _("no longer offered")})
    return kept


def attempts_on(node: Node) -> QuerySet[Attempt]:
    """Return what ran on a node, newest first: of jobs, owners and accounts only what its page says."""
    found = Attempt.objects.filter(node=node).select_related("job__owner", "job__account__scope").order_by("-pk")
    said = ("job__gpus", "job__gpu_milli", "job__title", "job__owner__name", "job__account__scope__path")
    return found.only("state", "outcome", "gpu_labels", "assigned_at", *said)[:ATTEMPTS_SHOWN]


def may_see(job: Job, standing: Standing, user_id: int | None) -> bool:
    return _may_see(job.owner_id, job.account.scope.path, standing, user_id)


def _may_see(owner_id: int, scope_path: list[int], standing: Standing, user_id: int | None) -> bool:
    return owner_id == user_id or standing.holds(TEACHING, scope_path)


def _cell(
    gpu: Facts, node: Node, works: tuple[Work, ...], standing: Standing, user_id: int | None, words: Words
) -> Cell:
    label = f"{node.name} / {gpu.index}"
    if works:
        if works[0].milli < WHOLE_GPU:
            works = tuple(sorted(works, key=lambda work: work.job_id))
            told = [_told(work, standing, user_id, words) for work in works]
            return _shared_cell(label, gpu, works, told, words)
        return Cell(label, "busy", *_told(works[0], standing, user_id, words), gpu.utilisation_pct)
    if node.state == Node.State.DOWN:
        return Cell(label, "down", words.down)
    if not gpu.is_healthy:
        return Cell(label, "ill", words.ill)
    if node.state == Node.State.DRAINING:
        return Cell(label, "drain", words.drain)
    return Cell(label, "free", words.free)


def _told(work: Work, standing: Standing, user_id: int | None, words: Words) -> tuple[str, str]:
    """What a job's GPU says of it, and where that leads."""
    use = f" ({why})" if (why := work.use(words)) else ""
    if not _may_see(work.owner_id, work.scope_path, standing, user_id):
        return words.in_use + use, ""
    return words.job % {"id": work.job_id, "title": work.title, "owner": work.owner_name} + use, f"/jobs/{work.job_id}/"


def _shared_cell(label: str, gpu: Facts, works: Sequence[Work], told: Sequence[tuple[str, str]], words: Words) -> Cell:
    """A GPU that jobs share: who holds which part of it, and what is left."""
    shares = tuple(Share(work.milli, work.memory_mib, *said) for work, said in zip(works, told, strict=True))
    held = sum(share.milli for share in shares)
    left = Left(WHOLE_GPU - held, max(0, gpu.memory_mib - sum(share.memory_mib for share in shares)))
    parts = [words.share % {"share": gpu_count(one.in_all), "use": one.word} for one in shares]
    if left.milli:
        parts.append(words.left % {"share": gpu_count(Decimal(left.milli) / WHOLE_GPU)})
    # One cell holds one link: where several share it, to the node, whose page links each.
    url = shares[0].url if len(shares) == 1 else f"/pool/nodes/{label.split(' / ')[0]}/"
    return Cell(label, "shared", "; ".join(parts), url, gpu.utilisation_pct, shares, left)


def _gpu_words(gpus: list[Facts]) -> str:
    counted = Counter((gpu.gpu_type, gpu.kind) for gpu in gpus)
    parts = []
    for (gpu_type, kind), count in sorted(counted.items()):
        declared = kind == Gpu.Kind.CPU_SLOT
        parts.append(_("%(count)d CPU slots, not GPUs") % {"count": count} if declared else f"{count} × {gpu_type}")
    return ", ".join(parts)


def _is_real(gpus: list[Facts]) -> bool:
    return bool(gpus) and all(gpu.kind == Gpu.Kind.NVIDIA for gpu in gpus)
