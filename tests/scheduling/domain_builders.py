"""Small pools, queues and accounts for tests of the planner, with defaults that leave only the point to be said."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from labs.scheduling.domain.snapshot import AccountState, NodeState, PendingJob, RunningJob, SiteState, Snapshot

NOW = 1_000_000.0
HOUR = 3_600.0


def node(name: str, *, total: int = 4, free: int | None = None, **fields: Any) -> NodeState:
    """A node whose last GPUs are the free ones."""
    count = total if free is None else free
    return NodeState(
        id=name,
        name=name,
        site_id=fields.pop("site_id", "yongin"),
        gpu_type=fields.pop("gpu_type", "A100"),
        gpu_memory_mib=fields.pop("gpu_memory_mib", 40_960),
        gpus_total=total,
        free_gpus=tuple(range(total - count, total)),
        **fields,
    )


def job(name: str, *, owner: str = "ann", gpus: int = 1, wall_s: float = HOUR, **fields: Any) -> PendingJob:
    """A job of the owner's own account, submitted now unless said otherwise."""
    return PendingJob(
        id=name,
        owner_id=owner,
        account_id=fields.pop("account_id", owner),
        submitted_at=fields.pop("submitted_at", NOW),
        gpus=gpus,
        wall_s=wall_s,
        **fields,
    )


def run(
    name: str, node_id: str, gpus: tuple[int, ...], *, owner: str = "zoe", ends_in: float = HOUR, **fields: Any
) -> RunningJob:
    """A run that started an hour ago and whose wall limit ends it in so many seconds."""
    return RunningJob(
        job_id=name,
        owner_id=owner,
        account_id=fields.pop("account_id", owner),
        node_id=node_id,
        gpu_indices=gpus,
        started_at=NOW - HOUR,
        wall_s=HOUR + ends_in,
        **fields,
    )


def account(name: str, parent: str | None = "cohort", **fields: Any) -> AccountState:
    """An account below the cohort."""
    return AccountState(id=name, parent_id=parent, **fields)


PEOPLE = ("ann", "ben", "cho", "zoe")


def state(**fields: Any) -> Snapshot:
    """A snapshot with two open sites and one account for each of four people unless said otherwise."""
    fields.setdefault("sites", (SiteState("yongin"), SiteState("jeonbuk")))
    fields.setdefault("accounts", (account("cohort", None), *(account(name) for name in PEOPLE)))
    return Snapshot(**{key: tuple(value) for key, value in fields.items()})


TYPES = {"A100": 40_960, "H100": 81_920}
ACCOUNTS = (*PEOPLE, "cohort", "other")


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any pool of up to five nodes at two sites, with caps, closed parts, runs on it and a queue before it."""
    sites = tuple(
        SiteState(
            name,
            is_open=draw(st.sampled_from((True, True, True, False))),
            power_cap_w=draw(st.sampled_from((None, None, 300.0, 900.0))),
            base_power_w=draw(st.sampled_from((0.0, 100.0))),
        )
        for name in ("yongin", "jeonbuk")
    )
    cap = st.sampled_from((None, None, 0, 2, 5))
    is_open = st.sampled_from((True, True, True, True, False))
    weight, use = st.sampled_from((0.5, 1.0, 3.0)), st.floats(0, 1e6)

    def make_account(name: str, parent: str | None) -> AccountState:
        return AccountState(name, parent, draw(weight), draw(cap), draw(use), draw(is_open))

    accounts = (
        make_account("root", None),
        make_account("cohort", "root"),
        make_account("other", "root"),
        *(make_account(name, draw(st.sampled_from(("cohort", "other")))) for name in PEOPLE),
    )
    nodes, running = [], []
    for number in range(draw(st.integers(0, 5))):
        made, runs = _node(draw, number, draw(st.sampled_from(("yongin", "jeonbuk"))))
        nodes.append(made)
        running += runs
    pending = tuple(_pending(draw, number) for number in range(draw(st.integers(0, 14))))
    return Snapshot(sites, tuple(nodes), accounts, tuple(running), pending)


def _node(draw: st.DrawFn, number: int, site: str) -> tuple[NodeState, list[RunningJob]]:
    total = draw(st.integers(1, 4))
    holds = [draw(st.integers(0, 3)) for _ in range(total)]  # 0 is free, 3 broken, 1 and 2 two runs
    runs = []
    for held in (1, 2):
        gpus = tuple(g for g, value in enumerate(holds) if value == held)
        if gpus:
            owner = draw(st.sampled_from(PEOPLE))
            ends_in = draw(st.sampled_from((-50.0, 60.0, 600.0, 5_000.0)))
            runs.append(run(f"run-{number}-{held}", f"n{number}", gpus, owner=owner, ends_in=ends_in))
    gpu_type = draw(st.sampled_from(("A100", "H100")))
    made = NodeState(
        id=f"n{number}",
        site_id=site,
        name=f"n{number}",
        gpu_type=gpu_type,
        gpu_memory_mib=TYPES[gpu_type],
        gpus_total=total,
        free_gpus=tuple(g for g, value in enumerate(holds) if value == 0),
        is_schedulable=draw(st.sampled_from((True, True, True, False))),
        environments=draw(st.sampled_from((frozenset(), frozenset({"torch"})))),
        watts_per_gpu=draw(st.sampled_from((0.0, 100.0))),
    )
    return made, runs


def _pending(draw: st.DrawFn, number: int) -> PendingJob:
    owner = draw(st.sampled_from(PEOPLE))
    wall_s = draw(st.sampled_from((60.0, 600.0, 6_000.0)))
    p50_s = draw(st.sampled_from((None, 30.0, 500.0)))
    return job(
        f"job-{number}",
        owner=owner,
        account_id=draw(st.sampled_from((owner, owner, "cohort"))),
        gpus=draw(st.sampled_from((1, 1, 1, 2, 3, 4, 5))),
        wall_s=wall_s,
        submitted_at=NOW - draw(st.sampled_from((0.0, 10.0, 100_000.0))),
        gpu_type=draw(st.sampled_from((None, None, "A100", "H100"))),
        min_gpu_memory_mib=draw(st.sampled_from((None, None, 60_000))),
        required_site_id=draw(st.sampled_from((None, None, "yongin", "jeonbuk"))),
        preferred_site_id=draw(st.sampled_from((None, "yongin", "jeonbuk"))),
        deadline_at=draw(st.sampled_from((None, NOW - 5.0, NOW + 1_000.0))),
        predicted_p50_s=p50_s,
        predicted_p90_s=None if p50_s is None else p50_s * 2,
        attempt=draw(st.sampled_from((1, 1, 2))),
        environment=draw(st.sampled_from((None, "torch"))),
        not_before=draw(st.sampled_from((None, None, NOW - 10.0, NOW + 500.0))),
    )


@st.composite
def tight_snapshots(draw: st.DrawFn) -> Snapshot:
    """A pool with nothing closed and too little room, so that order, backfill and reservations decide everything."""
    nodes, running = [], []
    for number in range(draw(st.integers(1, 3))):
        total, busy = 4, draw(st.integers(1, 4))
        nodes.append(node(f"n{number}", total=total, free=total - busy))
        split = draw(st.integers(0, busy))
        for part, gpus in enumerate((tuple(range(split)), tuple(range(split, busy)))):
            if gpus:
                owner, ends_in = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from((300.0, 900.0, 3_000.0)))
                running.append(run(f"run-{number}-{part}", f"n{number}", gpus, owner=owner, ends_in=ends_in))
    widths, walls = st.sampled_from((1, 1, 2, 3, 4)), st.sampled_from((60.0, 600.0, 2_000.0, 6_000.0))
    pending = []
    for number in range(draw(st.integers(4, 16))):
        wall_s = draw(walls)
        p50_s = wall_s * draw(st.sampled_from((0.1, 0.5)))
        pending.append(
            job(
                f"job-{number}",
                owner=draw(st.sampled_from(PEOPLE)),
                gpus=draw(widths),
                wall_s=wall_s,
                submitted_at=NOW - draw(st.integers(0, 50_000)),
                predicted_p50_s=p50_s,
                predicted_p90_s=draw(st.sampled_from((p50_s * 1.5, wall_s))),
            )
        )
    uses = st.sampled_from((0.0, 500.0, 5_000.0))
    accounts = (account("cohort", None), *(account(name, decayed_use_gpu_s=draw(uses)) for name in PEOPLE))
    return state(nodes=nodes, running=running, pending=pending, accounts=accounts)
