"""The pool's own bookkeeping: nodes come, say what they have, drain, fall silent and come back."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput, NotFound

from .models import Gpu, Node, NodeEnvironment, Site

TOKEN_BYTES = 32


@dataclass(frozen=True)
class GpuReport:
    """A GPU or CPU slot as its node describes it. Memory in MiB, `watts` at full load."""

    index: int
    uuid: str
    kind: str
    gpu_type: str
    memory_mib: int
    watts: int


@dataclass(frozen=True)
class EnvironmentReport:
    """A package environment as it stands on a node."""

    digest: str
    state: str
    detail: str = ""
    size_bytes: int = 0


@dataclass(frozen=True)
class Hello:
    """What an agent says when it starts."""

    boot_id: str
    agent_version: str
    cpu_count: int
    memory_mib: int
    confinement: str
    confinement_detail: str
    gpus: Sequence[GpuReport]
    environments: Sequence[EnvironmentReport] = ()
    shares_gpus: bool = False
    """Several jobs may have a part of one of its GPUs each."""
    data_sets: Sequence[str] = ()
    """Digests of the data sets that lie on the node."""


def token_digest(token: str) -> str:
    """What is kept of a node's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def register_node(*, site_id: int, name: str, actor: Any) -> tuple[Node, str]:
    """Add a node to a site. Returns it and its token, which is shown this once and kept as a digest only.

    Raises InvalidInput (site, name) and Conflict (node_exists).
    """
    name = name.strip().lower()
    site = Site.objects.select_related("campus__scope").filter(pk=site_id).first()
    wrong: dict[str, str] = {}
    if site is None:
        wrong["site"] = _("There is no such site. Choose one of the list.")
    try:
        validate_slug(name)
    except ValidationError:
        wrong["name"] = _("Use letters, digits and hyphens only, for example yongin-03.")
    if len(name) > 60:
        wrong["name"] = _("At most %(most)s characters, please.") % {"most": 60}
    if wrong or site is None:
        raise InvalidInput(wrong)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    try:
        with transaction.atomic():
            node = Node.objects.create(site=site, name=name, token_digest=token_digest(token))
            audit.record(actor=actor, verb="node.registered", target=node, scope_path=site.campus.scope.path)
    except IntegrityError as error:
        raise Conflict(_("There is a node of that name already."), code="node_exists") from error
    return node, token


def renew_token(*, node_id: int, actor: Any) -> tuple[Node, str]:
    """Give a node a new token; the old one is worthless at once. Raises NotFound."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        node = _lock(node_id)
        node.token_digest = token_digest(token)
        node.save(update_fields=["token_digest"])
        audit.record(actor=actor, verb="node.token_renewed", target=node, scope_path=_scope_path(node))
    return node, token


def drain(*, node_id: int, actor: Any, reason: str) -> Node:
    """Let a node finish what it has and give it nothing new. Raises NotFound, InvalidInput (reason)."""
    reason = reason.strip()
    if not 0 < len(reason) <= 200:
        raise InvalidInput({"reason": _("Say why, in at most 200 characters: the pool page shows it.")})
    with transaction.atomic():
        node = _lock(node_id)
        before = node.state
        node.drain_reason = reason
        if node.state == Node.State.UP:
            node.state = Node.State.DRAINING
        node.save(update_fields=["state", "drain_reason"])
        audit.record(
            actor=actor, verb="node.drained", target=node, scope_path=_scope_path(node),
            changes={"state": (before, node.state)}, reason=reason,
        )  # fmt: skip
    return node


def resume(*, node_id: int, actor: Any) -> Node:
    """Give a drained node work again. Raises NotFound and Conflict (not_draining)."""
    with transaction.atomic():
        node = _lock(node_id)
        if not node.drain_reason:
            raise Conflict(_("This node is not draining."), code="not_draining")
        before = node.state
        node.drain_reason = ""
        if node.state == Node.State.DRAINING:
            node.state = Node.State.UP
        node.save(update_fields=["state", "drain_reason"])
        audit.record(
            actor=actor, verb="node.resumed", target=node, scope_path=_scope_path(node),
            changes={"state": (before, node.state)},
        )  # fmt: skip
    return node


def _lock(node_id: int) -> Node:
    node = Node.objects.select_for_update(no_key=True).filter(pk=node_id).first()
    if node is None:
        raise NotFound
    return node


def _scope_path(node: Node) -> list[int]:
    return list(Node.objects.values_list("site__campus__scope__path", flat=True).get(pk=node.pk))


#: Up, or draining where somebody asked for that: a node that was silent comes back as it was.
_AWAKE = Case(When(~Q(drain_reason=""), then=Value(Node.State.DRAINING)), default=Value(Node.State.UP))


def record_hello(*, node: Node, hello: Hello) -> Node:
    """Note what a node has, and that it is here. GPUs that it no longer names are unhealthy: jobs may hold them."""
    with transaction.atomic():
        Node.objects.filter(pk=node.pk).update(
            state=_AWAKE,
            boot_id=hello.boot_id,
            agent_version=hello.agent_version,
            confinement=hello.confinement,
            confinement_detail=hello.confinement_detail,
            cpu_count=hello.cpu_count,
            memory_mib=hello.memory_mib,
            shares_gpus=hello.shares_gpus,
            data_sets=list(hello.data_sets),
            heartbeat_at=Now(),
        )
        Gpu.objects.bulk_create(
            [
                Gpu(
                    node=node, index=gpu.index, uuid=gpu.uuid, kind=gpu.kind, gpu_type=gpu.gpu_type,
                    memory_mib=gpu.memory_mib, watts=gpu.watts, is_healthy=True, seen_at=Now(),
                )
                for gpu in hello.gpus
            ],
            update_conflicts=True,
            unique_fields=["node", "index"],
            update_fields=["uuid", "kind", "gpu_type", "memory_mib", "watts", "is_healthy", "seen_at"],
        )  # fmt: skip
        gone = Gpu.objects.filter(node=node).exclude(index__in=[gpu.index for gpu in hello.gpus])
        gone.filter(leases=None).delete()
        gone.update(is_healthy=False)
        NodeEnvironment.objects.filter(node=node).exclude(
            digest__in=[environment.digest for environment in hello.environments]
        ).delete()
        for environment in hello.environments:
            record_environment(node=node, report=environment)
    node.refresh_from_db()
    return node


def record_environment(*, node: Node, report: EnvironmentReport) -> None:
    """Note how an environment stands on a node."""
    NodeEnvironment.objects.update_or_create(
        node=node,
        digest=report.digest,
        defaults={
            "state": report.state, "detail": report.detail, "size_bytes": report.size_bytes, "changed_at": Now(),
        },
    )  # fmt: skip


_GPU_BEAT = """
UPDATE pool_gpu SET utilisation_pct = said.utilisation_pct, memory_used_mib = said.memory_used_mib,
       power_w = said.power_w, is_healthy = said.is_healthy, seen_at = statement_timestamp()
FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::bool[])
     AS said (index, utilisation_pct, memory_used_mib, power_w, is_healthy)
WHERE pool_gpu.node_id = %s AND pool_gpu.index = said.index
"""


def record_heartbeat(
    *, node: Node, boot_id: str, gpus: Sequence[Mapping[str, Any]] = (), data_sets: Sequence[str] | None = None
) -> bool:
    """Note that a node is alive and how busy its GPUs are; two queries. False for another boot than the current one.

    Each of `gpus` has index, utilisation_pct, memory_used_mib, power_w (each may be None) and is_healthy. `data_sets`
    are the digests of those that lie there; None where they are what the node said last.
    """
    news = {} if data_sets is None else {"data_sets": list(data_sets)}
    alive = Node.objects.filter(pk=node.pk, boot_id=boot_id).update(state=_AWAKE, heartbeat_at=Now(), **news)
    if not alive:
        return False
    if gpus:
        columns = ("index", "utilisation_pct", "memory_used_mib", "power_w", "is_healthy")
        with connection.cursor() as cursor:
            cursor.execute(_GPU_BEAT, [*([gpu.get(name) for gpu in gpus] for name in columns), node.pk])
    return True


def mark_silent_nodes_down() -> list[int]:
    """Mark nodes that have said nothing for LABS_NODE_DOWN_AFTER_S as down; returns their ids. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pool_node SET state = 'DOWN' WHERE state <> 'DOWN' AND (heartbeat_at IS NULL"
            " OR heartbeat_at < clock_timestamp() - make_interval(secs => %s)) RETURNING id",
            [settings.LABS_NODE_DOWN_AFTER_S],
        )
        return [node_id for (node_id,) in cursor.fetchall()]
