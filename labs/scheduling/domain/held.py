"""Jobs that no free GPU would help: a closed account, no such node, a date, a job that must end before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from labs.scheduling.domain.backlog import Bools, JobClass, Spec
from labs.scheduling.domain.decisions import WaitReason
from labs.scheduling.domain.pool import Shape
from labs.scheduling.domain.snapshot import Id

if TYPE_CHECKING:
    from labs.scheduling.domain.dispatch import Dispatch


class Held:
    """Which jobs of the backlog are held back, and why."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._d = dispatch
        backlog = dispatch.backlog
        self._never = [self._why_never(one) for one in backlog.classes]
        self._closed: dict[Id, Id | None] = {}
        tree = dispatch.tree
        is_leaf_closed = np.array([self._closed_above(account_id) is not None for account_id, _ in tree.leaves])
        is_never = np.array([reason is not None for reason in self._never], dtype=np.bool_)
        #: True for each job that is held back.
        self.mask: Bools = backlog.is_dependent | (backlog.not_before > dispatch.now)
        if backlog.size:
            self.mask |= is_leaf_closed[backlog.leaves - tree.first_leaf] | is_never[backlog.class_of]

    def append(self, i: int) -> None:
        """A job has joined the end of the backlog."""
        d = self._d
        job, number = d.backlog.jobs[i], int(d.backlog.class_of[i])
        self._never += [self._why_never(one) for one in d.backlog.classes[len(self._never) :]]
        is_held = self._closed_above(job.account_id) is not None or bool(job.waits_for)
        is_held = is_held or self._never[number] is not None or (job.not_before is not None and job.not_before > d.now)
        self.mask = np.append(self.mask, is_held)

    def _closed_above(self, account_id: Id) -> Id | None:
        if account_id not in self._closed:
            self._closed[account_id] = self._d.caps.closed_account(account_id)
        return self._closed[account_id]

    def why(self, i: int) -> tuple[WaitReason, Id | None]:
        """The reason, and the account that is closed."""
        backlog = self._d.backlog
        job = backlog.jobs[i]
        closed = self._closed_above(job.account_id)
        never = self._never[int(backlog.class_of[i])]
        if closed is not None:
            return WaitReason.ACCOUNT_CLOSED, closed
        if never is not None:
            return never, None
        return (WaitReason.DEPENDENCY if job.waits_for else WaitReason.NOT_BEFORE), None

    def _why_never(self, asked: JobClass) -> WaitReason | None:
        """Why no node can run this as the pool stands, even if all of it were idle; None if some can."""
        d = self._d
        spec, pool = d.backlog.specs[asked.spec], d.pool
        every = [(shape, up, sizes) for (shape, up), sizes in pool.sizes.items()]
        able = _wide_enough(every, spec, asked)
        if not able:
            whole = _wide_enough(every, spec._replace(is_share=False), asked) if spec.is_share else []
            return WaitReason.NOT_SHARED if whole else WaitReason.NO_SUCH_NODE
        is_open = [kind for kind in able if kind[0].site not in pool.closed]
        if not _wide_enough(is_open, spec, asked):
            return WaitReason.SITE_CLOSED
        up = [kind for kind in is_open if kind[1]]
        if not _wide_enough(up, spec, asked):
            return WaitReason.NODES_DRAINING
        lent = [kind for kind in up if d.is_open_to(spec.access, kind[0])]
        if not _wide_enough(lent, spec, asked):
            return WaitReason.LENDING_CLOSED
        caps = {shape.site: d.power.get(shape.site) for shape, _, _ in lent}
        powered = [k for k in lent if (cap := caps[k[0].site]) is None or cap.could(asked.units * k[0].watts)]
        return None if _wide_enough(powered, spec, asked) else WaitReason.POWER_CAP


Kind = tuple[Shape, bool, dict[int, int]]


def _wide_enough(kinds: list[Kind], spec: Spec, asked: JobClass) -> list[Kind]:
    """The kinds of node, among these, that would do; a gang needs enough of them on one site and of one type."""
    fitting = [kind for kind in kinds if kind[0].fits(spec) and max(kind[2]) >= asked.gpus]
    if asked.nodes == 1:
        return fitting
    count: dict[tuple[Id, str], int] = {}
    for shape, _, sizes in fitting:
        wide = sum(nodes for gpus, nodes in sizes.items() if gpus >= asked.gpus)
        count[shape.family] = count.get(shape.family, 0) + wide
    return [kind for kind in fitting if count[kind[0].family] >= asked.nodes]
