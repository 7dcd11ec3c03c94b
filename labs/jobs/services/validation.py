"""Checking a submission: every field at once, each complaint with its fix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as with_default
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, QuerySet
from django.utils.translation import gettext_lazy as _

from campus.core.errors import InvalidInput, Text
from campus.core.formats import duration, gpu_memory
from campus.places.models import Campus
from infra.executors.contract import CHECKPOINT
from infra.pool.models import Gpu, Node
from labs.environments.models import DataSet, Environment
from labs.jobs.domain import source
from labs.jobs.domain.asks import GpuAsk
from labs.jobs.domain.dependencies import MAX_AFTER, After
from labs.jobs.domain.paths import BadFile
from labs.jobs.domain.results import is_storable
from labs.jobs.domain.shares import SHARE_STEP, WHOLE_GPU, is_share
from labs.jobs.domain.sweeps import Value
from labs.jobs.models import Job
from labs.jobs.refusals import refused, words_of
from labs.quota.api import path_of, rate_of
from labs.quota.models import Account

from .dependencies import broken_by

MAX_TITLE = 160
MAX_KEY = 80
MAX_DATA_SETS = 20


@dataclass(frozen=True)
class Wish:
    """What was asked for, as it came."""

    account_id: int | None
    title: str
    environment_id: int | None
    files: Mapping[str, bytes]
    entrypoint: str
    gpus: int
    gpu_type: str
    wall_s: int
    data_set_ids: Sequence[int]
    preferred_campus_id: int | None
    deadline_at: datetime | None
    work_key: str
    idempotency_key: str | None
    is_preemptible: bool = False
    purpose: str = Job.Purpose.OWN
    gpu_milli: int = WHOLE_GPU
    gpu_memory_mib: int | None = None
    after: Sequence[After] = ()
    parameters: Mapping[str, Value] = with_default(default_factory=dict)

    @property
    def size(self) -> "Size":
        """How much of the pool it asks for."""
        return Size(self.gpus, self.gpu_type, self.gpu_milli, self.gpu_memory_mib)


@dataclass(frozen=True)
class Size:
    """GPUs that a job asks for, or `gpu_milli` thousandths of one; memory of each, or of the share, in MiB."""

    gpus: int
    gpu_type: str = ""
    gpu_milli: int = WHOLE_GPU
    gpu_memory_mib: int | None = None

    @property
    def is_share(self) -> bool:
        return self.gpu_milli < WHOLE_GPU

    @property
    def gpus_in_all(self) -> Decimal:
        """A share counts as that part of a GPU."""
        return GpuAsk(self.gpus, self.gpu_milli).in_all


@dataclass(frozen=True)
class Granted:
    """What the checks found."""

    account: Account
    files: dict[str, bytes]
    entrypoint: str
    data_set_ids: tuple[int, ...]
    rate: Decimal


class Complaints:
    """Gathers what is wrong, by field. Of a field that `earlier` complains about nothing more is said."""

    def __init__(self, earlier: InvalidInput | None = None) -> None:
        self._earlier = earlier
        self.fields: dict[str, list[Text]] = {}
        self.facts: dict[str, Any] = {}

    def add(self, field: str, words: Text, **facts: Any) -> None:
        if self._earlier is not None and field in self._earlier.fields:
            return
        self.fields.setdefault(field, []).append(words)
        self.facts |= facts

    def raise_if_any(self) -> None:
        if self.fields:
            raise InvalidInput(self.fields, facts=self.facts).beside(self._earlier)
        if self._earlier is not None:
            raise self._earlier


def check(wish: Wish, owner: Any, earlier: InvalidInput | None = None) -> Granted:
    """Judge a submission. Raises InvalidInput that names each wrong field with its fix, those of `earlier` too."""
    wrong = Complaints(earlier)
    _check_texts(wish, wrong)
    files, entrypoint = _check_source(wish, wrong)
    _check_bounds(wish.size, wish.wall_s, wrong)
    account = _check_account(wish, owner, wrong)
    _check_offered(wish, wrong)
    _check_after(wish.after, owner, wrong)
    _check_preemptible(wish, wrong)
    if not {"gpus", "gpu_type", "gpu_milli", "gpu_memory_mib"} & wrong.fields.keys():
        _check_pool(wish.size, wrong)
    wrong.raise_if_any()
    assert account is not None  # noqa: S101  (a missing one was a complaint)
    return Granted(account, files, entrypoint, tuple(dict.fromkeys(wish.data_set_ids)), rate_of(wish.gpu_type))


def check_size(
    *, gpus: int, gpu_type: str, wall_s: int, gpu_milli: int = WHOLE_GPU, gpu_memory_mib: int | None = None
) -> None:
    """Judge only how much is asked for. Raises InvalidInput (gpus, gpu_type, gpu_milli, gpu_memory_mib, wall_s)."""
    wrong, size = Complaints(), Size(gpus, gpu_type, gpu_milli, gpu_memory_mib)
    _check_bounds(size, wall_s, wrong)
    if not wrong.fields:
        _check_pool(size, wrong)
    wrong.raise_if_any()


def _check_texts(wish: Wish, wrong: Complaints) -> None:
    for field, text, most in (
        ("title", wish.title, MAX_TITLE),
        ("gpu_type", wish.gpu_type, 60),
        ("work_key", wish.work_key, 80),
        ("idempotency_key", wish.idempotency_key or "", MAX_KEY),
    ):
        if len(text) > most:
            wrong.add(field, _("At most %(most)s characters, please.") % {"most": most})
        if not text.isprintable() or not is_storable(text):
            wrong.add(field, _("There is an invisible character in it. Type it again."))
    if wish.idempotency_key is not None and not wish.idempotency_key.strip():
        wrong.add("idempotency_key", _("Leave it out, or give a text that is new for each job."))


def _check_source(wish: Wish, wrong: Complaints) -> tuple[dict[str, bytes], str]:
    try:
        files = source.check_files(
            wish.files, most_files=settings.LABS_SOURCE_MAX_FILES, most_bytes=settings.LABS_SOURCE_MAX_BYTES
        )
    except BadFile as refusal:
        wrong.add("files", words_of(refusal), **refused(refusal).facts)
        return {}, wish.entrypoint
    try:
        return files, source.check_entrypoint(files, wish.entrypoint)
    except BadFile as refusal:
        wrong.add("entrypoint", words_of(refusal), **refused(refusal).facts)
        return files, wish.entrypoint


def _check_bounds(size: Size, wall_s: int, wrong: Complaints) -> None:
    most = settings.LABS_MAX_GPUS
    if not 1 <= size.gpus <= most:
        words = _("A job has between 1 and %(most)s GPUs; you asked for %(given)s.")
        wrong.add("gpus", words % {"most": most, "given": size.gpus}, most_gpus=most)
    if not is_share(size.gpu_milli):
        words = _("A share is a multiple of %(step)s thousandths of a GPU, up to %(whole)s, which is all of it.")
        wrong.add("gpu_milli", words % {"step": SHARE_STEP, "whole": WHOLE_GPU})
    elif size.is_share and size.gpus != 1:
        wrong.add("gpu_milli", _("A share is of one GPU. Ask for one GPU, or for whole ones."))
    if size.gpu_memory_mib is not None and not 1 <= size.gpu_memory_mib < 2**31:
        wrong.add("gpu_memory_mib", _("Ask for at least 1 MiB, or leave it empty."))
    least_s, most_s = settings.LABS_MIN_WALL_S, settings.LABS_MAX_WALL_S
    if not least_s <= wall_s <= most_s:
        bounds = {"least": duration(least_s), "most": duration(most_s), "least_s": least_s, "most_s": most_s}
        words = _("The time limit lies between %(least)s and %(most)s (%(least_s)s to %(most_s)s seconds).")
        wrong.add("wall_s", words % bounds, least_wall_s=least_s, most_wall_s=most_s)


def _check_account(wish: Wish, owner: Any, wrong: Complaints) -> Account | None:
    path = path_of(wish.account_id) if wish.account_id else []
    is_grading = wish.purpose == Job.Purpose.GRADING  # a course pays: its app decided that it may
    account = next((one for one in path if one.pk == wish.account_id), None)
    if account is not None and account.owner_id != owner.pk and not is_grading:
        account = None
    if account is None:
        wrong.add("account", _("This is no quota account of yours. Enrol in a course, or choose one of your accounts."))
        return None
    for above in path:
        if not above.is_open:
            words = _("The quota account “%(name)s” is closed. Choose another one, or ask those who look after it.")
            wrong.add("account", words % {"name": above.name})
        if above.max_running_gpus is not None and wish.size.gpus_in_all > above.max_running_gpus:
            words = _("“%(name)s” may run %(most)s GPUs at once. Ask for no more than that.")
            wrong.add("gpus", words % {"name": above.name, "most": above.max_running_gpus})
    return account


def _check_offered(wish: Wish, wrong: Complaints) -> None:
    environments = Environment.objects.filter(is_active=True)
    if wish.environment_id is not None and not environments.filter(pk=wish.environment_id).exists():
        offered = ", ".join(environments.values_list("slug", flat=True)[:10])
        words = _("There is no such environment, or it is no longer offered. Choose one of: %(offered)s.")
        wrong.add("environment", words % {"offered": offered or "–"})
    wanted = set(wish.data_set_ids)
    if len(wanted) > MAX_DATA_SETS:
        wrong.add("data_sets", _("At most %(most)s data sets, please.") % {"most": MAX_DATA_SETS})
    elif wanted and DataSet.objects.filter(pk__in=wanted, is_active=True).count() != len(wanted):
        wrong.add("data_sets", _("One of these data sets does not exist or is no longer offered. Choose again."))
    campus_id = wish.preferred_campus_id
    if campus_id is not None and not Campus.objects.filter(pk=campus_id).exists():
        wrong.add("preferred_campus", _("There is no such campus. Choose again, or leave it open."))


def _check_preemptible(wish: Wish, wrong: Complaints) -> None:
    if not wish.is_preemptible:
        return
    if wish.purpose != Job.Purpose.OWN:
        wrong.add("is_preemptible", _("Work of a class and grading are never interrupted. Leave this out."))
    if CHECKPOINT in wish.files:
        words = _("A job that may be interrupted saves into a folder “%(name)s”. Give the file of that name another.")
        wrong.add("files", words % {"name": CHECKPOINT})


def _check_after(after: Sequence[After], owner: Any, wrong: Complaints) -> None:
    if len({one.job_id for one in after}) < len(after):
        wrong.add("after", _("The same job is named twice."))
    if len(after) > MAX_AFTER:
        wrong.add("after", _("A job waits for at most %(most)s others.") % {"most": MAX_AFTER})
    elif after and (words := broken_by(after, owner)):
        wrong.add("after", words)


def widest_by_type() -> dict[str, int]:
    """The most GPUs that one node of the pool has, by GPU type. Nodes that refuse learners' code do not count."""
    by_node = (
        Gpu.objects.exclude(node__confinement=Node.Confinement.REFUSED)
        .values("node_id", "gpu_type")
        .annotate(count=Count("id"))
        .values_list("gpu_type", "count")
    )
    widest: dict[str, int] = {}
    for gpu_type, count in by_node:
        widest[gpu_type] = max(count, widest.get(gpu_type, 0))
    return widest


# Asked of one node after the other, so the first that could run it ends the search.
_SOME_NODE = """
SELECT EXISTS (
    SELECT FROM pool_node WHERE confinement <> 'REFUSED' AND (shares_gpus OR NOT %(is_share)s) AND EXISTS (
        SELECT FROM pool_gpu WHERE node_id = pool_node.id AND (%(gpu_type)s = '' OR gpu_type = %(gpu_type)s)
        GROUP BY gpu_type HAVING COUNT(*) >= %(gpus)s AND MIN(memory_mib) >= %(memory_mib)s)
)
"""


def _has_node_for(size: Size) -> bool:
    facts: dict[str, Any] = {
        "gpus": size.gpus,
        "gpu_type": size.gpu_type,
        "is_share": size.is_share,
        "memory_mib": size.gpu_memory_mib or 0,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SOME_NODE, facts)
        (found,) = cursor.fetchone()
    return bool(found)


def _check_pool(size: Size, wrong: Complaints) -> None:
    """Refuse what no node could ever run. While the pool is empty anything may queue: its nodes are still to come."""
    if _has_node_for(size):
        return
    widest, gpu_type = widest_by_type(), size.gpu_type
    if not widest:
        return
    if gpu_type and gpu_type not in widest:
        words = _("No node has GPUs of the type “%(type)s”. Choose one of: %(types)s, or leave it open.")
        wrong.add("gpu_type", words % {"type": gpu_type, "types": ", ".join(sorted(widest))})
        return
    most = widest[gpu_type] if gpu_type else max(widest.values())
    if size.gpus > most:
        words = _("The largest node that could run it has %(most)s GPUs, and a job runs on one node. Ask for fewer.")
        wrong.add("gpus", words % {"most": most}, most_gpus=most)
        return
    _blame_memory_or_share(size, wrong)


def _blame_memory_or_share(size: Size, wrong: Complaints) -> None:
    most_mib = max(_memories(size), default=0)
    if size.is_share and not most_mib:
        words = _("No node that could run it lets jobs share a GPU. Ask for a whole one.")
        wrong.add("gpu_milli", words)
    else:
        words = _("No GPU that could run it has so much memory; the largest has %(most)s. Ask for less.")
        wrong.add("gpu_memory_mib", words % {"most": gpu_memory(most_mib)}, most_gpu_memory_mib=most_mib)


def _memories(size: Size) -> QuerySet[Gpu, int]:
    """The least memory of a GPU on each node that could run it but for the memory, in MiB."""
    nodes = Gpu.objects.exclude(node__confinement=Node.Confinement.REFUSED)
    if size.is_share:
        nodes = nodes.filter(node__shares_gpus=True)
    if size.gpu_type:
        nodes = nodes.filter(gpu_type=size.gpu_type)
    by_node = nodes.order_by().values("node_id", "gpu_type").annotate(count=Count("id"), least_mib=Min("memory_mib"))
    return by_node.filter(count__gte=size.gpus).values_list("least_mib", flat=True)
