"""Any two campuses with gangs, shares of GPUs, classes, lending and preemptible runs, for properties of the planner."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from labs.scheduling.domain.snapshot import (
    WHOLE_GPU,
    Id,
    LendingState,
    NodeState,
    PendingJob,
    ReservationState,
    RunningJob,
    SiteState,
    Snapshot,
)
from tests.scheduling.domain_builders import HOUR, NOW, account, job, node, run

#: The campus of each person.
CAMPUS = {"ann": "yongin", "ben": "yongin", "cho": "jeonbuk", "zoe": "jeonbuk"}
OWNERS = tuple(CAMPUS)
GPUS = 4
GRACE_S = 60.0


@st.composite
def campuses(draw: st.DrawFn) -> Snapshot:
    """A pool of up to four nodes at two sites that may have owners, half full, with a queue of every kind of job."""
    is_owned = draw(st.booleans())
    sites = tuple(SiteState(name, owner_account_id=name if is_owned else None) for name in ("yongin", "jeonbuk"))
    accounts = (
        account("root", None),
        *(account(name, "root") for name in ("yongin", "jeonbuk")),
        *(account(name, campus) for name, campus in CAMPUS.items()),
    )
    lendings = _lendings(draw) if is_owned else ()
    nodes, running = [], []
    for number in range(draw(st.integers(1, 4))):
        made, runs = _node(draw, number, draw(st.sampled_from(("yongin", "jeonbuk"))), is_owned=is_owned)
        nodes.append(made)
        running += runs
    pending = tuple(_pending(draw, number) for number in range(draw(st.integers(0, 10))))
    state = Snapshot(sites, tuple(nodes), accounts, tuple(running), pending, (), lendings)
    return replace(state, reservations=_reservations(draw, state))


def _lendings(draw: st.DrawFn) -> tuple[LendingState, ...]:
    made = []
    for site, other in (("yongin", "jeonbuk"), ("jeonbuk", "yongin")):
        if draw(st.booleans()):
            until_at = NOW + draw(st.sampled_from((100.0, 800.0, HOUR, 9 * HOUR)))
            borrower = draw(st.sampled_from((other, None)))
            made.append(LendingState(site, borrower, draw(st.integers(1, 5)), NOW - 60.0, until_at))
    return tuple(made)


def _node(draw: st.DrawFn, number: int, site: str, *, is_owned: bool) -> tuple[NodeState, list[RunningJob]]:
    runs, free, partly = [], set(range(GPUS)), []
    for part in range(draw(st.integers(0, 3))):
        width = draw(st.integers(1, 2))
        if len(free) < width:
            break
        taken = tuple(sorted(free)[:width])
        milli = draw(st.sampled_from((WHOLE_GPU, WHOLE_GPU, 400))) if width == 1 else WHOLE_GPU
        free -= set(taken)
        owner = draw(st.sampled_from(OWNERS))
        is_borrowed = is_owned and CAMPUS[owner] != site
        one = run(
            f"run-{number}-{part}",
            f"n{number}",
            taken,
            owner=owner,
            ends_in=draw(st.sampled_from((300.0, 2_000.0, 20_000.0))),
            is_preemptible=draw(st.booleans()) or is_borrowed,
            grace_s=GRACE_S,
            gpu_milli=milli,
            gpu_memory_mib=10_000 if milli < WHOLE_GPU else 0,
            is_borrowed=is_borrowed,
        )
        runs.append(one)
        if milli < WHOLE_GPU:
            partly.append((taken[0], WHOLE_GPU - milli, 30_960))
    made = replace(node(f"n{number}", total=GPUS, site_id=site), free_gpus=tuple(sorted(free)))
    is_shareable = draw(st.sampled_from((True, True, False)))  # not any more, where shares run
    return replace(made, partly_free=tuple(partly), is_shareable=is_shareable), runs


def _pending(draw: st.DrawFn, number: int) -> PendingJob:
    milli = draw(st.sampled_from((WHOLE_GPU, WHOLE_GPU, WHOLE_GPU, 300, 500)))
    nodes = draw(st.sampled_from((1, 1, 1, 2))) if milli == WHOLE_GPU else 1
    group = draw(st.sampled_from((None, None, "sweep")))
    return job(
        f"job-{number}",
        owner=draw(st.sampled_from(OWNERS)),
        gpus=draw(st.sampled_from((1, 1, 2, 4))) if milli == WHOLE_GPU else 1,
        nodes=nodes,
        gpu_milli=milli,
        min_gpu_memory_mib=draw(st.sampled_from((None, 8_000, 25_000))) if milli < WHOLE_GPU else None,
        wall_s=draw(st.sampled_from((60.0, 600.0, 3_000.0, 30_000.0))),
        submitted_at=NOW - draw(st.sampled_from((0.0, 10.0, 50_000.0))),
        is_preemptible=draw(st.booleans()),
        grace_s=GRACE_S,
        group_id=group,
        max_running_of_group=2 if group else None,
        waits_for=draw(st.sampled_from(((), (), (), ("run-0-0",)))),
        has_room_made=draw(st.sampled_from((False, False, False, True))),
    )


def _reservations(draw: st.DrawFn, state: Snapshot) -> tuple[ReservationState, ...]:
    """Classes that were possible when they were made: what is firm when they begin leaves them their GPUs."""
    made: list[ReservationState] = []
    for number in range(draw(st.integers(0, 2))):
        site = draw(st.sampled_from(("yongin", "jeonbuk")))
        start_at = NOW + draw(st.sampled_from((-300.0, 50.0, 500.0, 1_500.0, 10_000.0)))
        spare = spare_for_others(state, made, site, max(NOW, start_at))
        if spare < 1 or any(one.site_id == site for one in made):
            continue
        gpus = draw(st.integers(1, spare))
        end_at = start_at + draw(st.sampled_from((1_000.0, 8_000.0)))
        account_id = draw(st.sampled_from((*OWNERS, "yongin", "jeonbuk")))
        release_at = start_at + draw(st.sampled_from((100.0, 900.0)))
        made.append(ReservationState(f"class-{number}", account_id, site, gpus, start_at, end_at, release_at))
    return tuple(made)


def spare_for_others(state: Snapshot, made: list[ReservationState], site: Id, at: float) -> int:
    """GPUs of a site that no firm run would hold at that time."""
    nodes = {one.id for one in state.nodes if one.site_id == site}
    firm = {
        (part.node_id, gpu)
        for one in state.running
        if not one.is_preemptible and one.reservation_id is None and one.started_at + one.wall_s > at
        for part in one.places
        if part.node_id in nodes
        for gpu in part.gpu_indices
    }
    return GPUS * len(nodes) - len(firm)
