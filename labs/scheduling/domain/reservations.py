"""Class reservations while a plan is made: what is kept on which site, from when, and who may start upon it.

A reservation is a number of GPUs of a site (and a type), not a choice of nodes: nobody else may start what would leave
fewer than that when the class begins. So it needs no memory between passes, and a node that fails costs it nothing as
long as others are left. What may be cleared in time is counted only for as long as clearing it takes.
"""

from __future__ import annotations

import math

import numpy as np

from labs.scheduling.domain.access import Access, Rights
from labs.scheduling.domain.backlog import Runs
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.pool import Pool, Shape
from labs.scheduling.domain.profile import TOLERANCE, Profile
from labs.scheduling.domain.shared import Shared, Tenant
from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, ReservationState, RunningJob


class Kept:
    """One class reservation."""

    __slots__ = ("is_active", "is_released", "number", "state", "used")

    def __init__(self, number: int, state: ReservationState, now: float) -> None:
        self.number, self.state = number, state
        self.is_active = state.start_at <= now < state.end_at
        self.is_released = now >= max(state.release_at, state.start_at)
        #: GPUs that run upon it.
        self.used = 0

    @property
    def units(self) -> int:
        """GPUs that are kept, those in use too. Once released, only what is in use."""
        return self.used if self.is_released else max(self.used, self.state.gpus)

    @property
    def left(self) -> int:
        """GPUs upon which the cohort may still start."""
        return self.units - self.used if self.is_active else 0

    def covers(self, shape: Shape) -> bool:
        """True if it keeps GPUs of this shape."""
        return shape.site == self.state.site_id and self.state.gpu_type in (None, shape.gpu_type)


class Reservations:
    """All class reservations that are not over, with a profile for each site, and each of its types, that they name."""

    def __init__(self, access: Access, pool: Pool, runs: Runs, policy: Policy, now: float) -> None:
        self._now, self._horizon_s = now, policy.clearing_s
        self.kept = [Kept(n, one, now) for n, one in enumerate(access.reservations) if one.end_at > now]
        self._by_id = {kept.state.id: kept for kept in self.kept if kept.is_active}
        self._profiles: dict[tuple[Id, str | None], Profile] = {}
        #: What runs upon a reservation and past its end: (reservation, shape, units, from, until).
        self._past: list[tuple[Id, Shape, int, float, float]] = []
        #: What was asked to end and still holds its GPUs: (shape, units, until).
        self._leaving: list[tuple[Shape, int, float]] = []
        if self.kept:
            self._load(pool, runs)
            self.stand()

    def _load(self, pool: Pool, runs: Runs) -> None:
        for kept in self.kept:
            site = kept.state.site_id
            for key in ((site, kept.state.gpu_type), (site, None)):
                self._profiles.setdefault(key, Profile(0, self._now))
        healthy = np.isfinite(pool.wall_end).sum(axis=1).tolist()
        shapes = [None if group is None else group.shape for group in pool.group_of]
        for shape, gpus in zip(shapes, healthy, strict=True):
            for profile in self._of(shape):
                profile.capacity += gpus
        for i, run in enumerate(runs.runs):
            if run.gpu_milli < WHOLE_GPU:
                continue
            for part in run.places:
                shape = shapes[pool.row_of[part.node_id]] if part.node_id in pool.row_of else None
                if shape is not None:
                    self._hold(shape, len(part.gpu_indices), float(runs.wall_end_at[i]), run, is_ending=run.is_ending)
        for shared in pool.shared.at.values():
            shape = shapes[shared.row]
            if shape is not None:
                self._hold(shape, 1, shared.wall_end, shared.tenant, is_ending=shared.is_ending)

    def _hold(self, shape: Shape, units: int, wall_end: float, holder: RunningJob | Tenant, *, is_ending: bool) -> None:
        kept = self._by_id.get(holder.reservation_id) if holder.reservation_id is not None else None
        if kept is not None:
            self.start_upon(kept, shape, units, wall_end)
        else:
            self.start(shape, units, wall_end, is_preemptible=holder.is_preemptible)
            if is_ending:
                self._leaving.append((shape, units, wall_end))

    def _held_until(self, wall_end: float, *, is_preemptible: bool) -> float:
        return min(wall_end, self._now + self._horizon_s) if is_preemptible else wall_end

    def _of(self, shape: Shape | None) -> list[Profile]:
        if shape is None or not self._profiles:
            return []
        keys = ((shape.site, shape.gpu_type), (shape.site, None))
        return [self._profiles[key] for key in keys if key in self._profiles]

    def stand(self) -> None:
        """Make the promises of the reservations anew, and forget all others."""
        for (site, gpu_type), profile in self._profiles.items():
            profile.forget_promises()
            for kept in self.kept:
                state = kept.state
                if state.site_id == site and gpu_type in (None, state.gpu_type) and kept.units:
                    start_at = max(self._now, state.start_at)
                    profile.promise(state.id, kept.units, start_at, state.end_at - start_at)
            for reservation_id, shape, units, from_at, until_at in self._past:
                if shape.site == site and gpu_type in (None, shape.gpu_type):
                    profile.promise(reservation_id, units, from_at, until_at - from_at)

    def upon(self, rights: Rights, shape: Shape) -> list[Kept]:
        """Reservations upon which an account with these rights may start here now, the first to begin first."""
        return [k for k in self.kept if k.is_active and k.number in rights.reservations and k.covers(shape)]

    def refused_for(
        self, shape: Shape, units: int, wall_end: float, *, is_preemptible: bool, shared: Shared | None = None
    ) -> Id | None:
        """The reservation (or the job that was promised GPUs) that a start by others would break, None if none."""
        until_at = self._held_until(wall_end, is_preemptible=is_preemptible)
        held = -math.inf if shared is None else self._held_until(shared.wall_end, is_preemptible=is_preemptible)
        for profile in self._of(shape):
            refused = profile.refused_for(units, until_at, held)
            if refused is None and shared is not None:
                # Nobody joins a GPU where a class lacks some: it is about to be cleared.
                refused = profile.refused_for(0, until_at)
            if refused is not None:
                return refused
        return None

    def room_upon(self, kept: Kept, shape: Shape, units: int, wall_end: float, shared: Shared | None = None) -> bool:
        """True if the cohort may start upon its reservation without breaking a later one."""
        if shared is None and kept.left < units:
            return False
        held = kept.state.end_at if shared is None else max(kept.state.end_at, shared.wall_end)
        return all(profile.refused_for(units, wall_end, held) is None for profile in self._of(shape))

    def start(
        self, shape: Shape, units: int, wall_end: float, *, is_preemptible: bool, shared: Shared | None = None
    ) -> None:
        """Note a start by others. A shared GPU is only held for longer."""
        until_at = self._held_until(wall_end, is_preemptible=is_preemptible)
        for profile in self._of(shape):
            if shared is None:
                profile.hold(units, until_at)
            else:
                profile.extend(1, self._held_until(shared.wall_end, is_preemptible=is_preemptible), until_at)

    def start_upon(self, kept: Kept, shape: Shape, units: int, wall_end: float, shared: Shared | None = None) -> None:
        """Note a run of the cohort: it uses what is kept, and past the end of the class it holds its GPUs like any."""
        from_at = kept.state.end_at
        if shared is None:
            kept.used += units
        else:
            from_at = max(from_at, shared.wall_end)
        if wall_end > from_at:
            self._past.append((kept.state.id, shape, units, from_at, wall_end))
            for profile in self._of(shape):
                profile.promise(kept.state.id, units, from_at, wall_end - from_at)

    def is_upon(self, run: RunningJob) -> bool:
        """True if the run was started upon a class that is on."""
        return run.reservation_id is not None and run.reservation_id in self._by_id

    def lacking(self, kept: Kept) -> int:
        """GPUs that the class will lack when it begins (now, if it is on), beside those that are being cleared."""
        state = kept.state
        profile = self._profiles[state.site_id, state.gpu_type]
        promise = next((one for one in profile.promises if one.job_id == state.id), None)
        if promise is None:
            return 0
        leaving = sum(
            units for shape, units, until_at in self._leaving if kept.covers(shape) and until_at > promise.start_at
        )
        return max(0, math.ceil(-promise.spare - leaving - TOLERANCE))

    def profiles(self, shape: Shape) -> list[Profile]:
        """The profiles that a promise to a job there must keep to."""
        return self._of(shape)

    def of_id(self, reservation_id: Id) -> Kept | None:
        """The reservation with this id that is not over."""
        return next((kept for kept in self.kept if kept.state.id == reservation_id), None)
