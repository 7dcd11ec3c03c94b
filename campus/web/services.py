"""Acts that several apps share: a campus opens with its account and site; a drained node makes the queue look again."""

from django.db import transaction

from campus.people.models import User
from campus.places.api import open_campus
from campus.places.models import Campus
from infra.pool import api as nodes
from infra.pool.models import Node, Site
from labs.jobs.live import tell_pool
from labs.jobs.nudges import nudge_scheduler
from labs.quota.api import open_account
from labs.quota.models import Account


@transaction.atomic
def open_whole_campus(
    *, actor: User | None, slug: str, name_ko: str, name_en: str, timezone: str, address: str
) -> Campus:
    """Open a campus that courses, quota and the pool know at once.

    Its account starts with nothing allocated; its site has no nodes yet. Raises what `open_campus` raises.
    """
    campus = open_campus(actor=actor, slug=slug, name_ko=name_ko, name_en=name_en, timezone=timezone, address=address)
    open_account(
        kind=Account.Kind.CAMPUS,
        name=name_ko,
        parent=Account.objects.get(kind=Account.Kind.PLATFORM),
        scope=campus.scope,
        actor=actor,
    )
    Site.objects.create(campus=campus, slug=slug, name_ko=name_ko, name_en=name_en)
    return campus


@transaction.atomic
def drain_node(*, node_id: int, actor: User, reason: str) -> Node:
    """Give a node no new work, and have the queue planned again without it. Raises what the pool's `drain` raises."""
    node = nodes.drain(node_id=node_id, actor=actor, reason=reason)
    _pool_changed()
    return node


@transaction.atomic
def resume_node(*, node_id: int, actor: User) -> Node:
    """Give a node work again, at once. Raises what the pool's `resume` raises."""
    node = nodes.resume(node_id=node_id, actor=actor)
    _pool_changed()
    return node


def _pool_changed() -> None:
    nudge_scheduler()
    tell_pool()
