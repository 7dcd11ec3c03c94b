"""Whose word counts: an attempt is found for the node that holds it, and only its fence may speak for it."""

from django.utils.translation import gettext_lazy as _

from campus.core.compiled import Compiled, Given
from campus.core.errors import Conflict, NotAllowed, NotFound
from infra.pool.models import Node
from labs.jobs.models import Attempt


class StaleFence(Conflict):
    """The attempt is over, or another holds the job: the node must kill this run and forget it."""

    code = "stale_fence"
    title = _("This attempt is no longer open under that fence")


class UnknownBoot(Conflict):
    """The node has started anew since: this agent's runs are no longer its own, and hello comes first."""

    code = "unknown_boot"
    title = _("The node has said hello with another start")


def require_boot(node: Node, boot_id: str) -> None:
    """Raises UnknownBoot unless this is the node's current start."""
    if node.boot_id != boot_id:
        raise UnknownBoot


_WITH_JOB = Compiled(lambda: Attempt.objects.select_related("job").filter(pk=Given("attempt_id")).order_by())


def attempt_for(node: Node, attempt_id: int) -> Attempt:
    """Return the node's attempt with its job. Raises NotFound, and NotAllowed where it is another node's."""
    found = _WITH_JOB.models(attempt_id=attempt_id) if attempt_id < 2**63 else []
    if not found:
        raise NotFound
    attempt: Attempt = found[0]
    if attempt.node_id != node.pk:
        raise NotAllowed(_("This attempt was given to another node."), code="not_your_attempt")
    return attempt


def require_open(attempt: Attempt, fence: int) -> None:
    """Raises StaleFence unless the fence is the attempt's and the attempt is open."""
    if attempt.fence != fence or attempt.state == Attempt.State.ENDED:
        raise StaleFence
