"""Replay of traces: readers say what is wrong, baselines decide as by hand, figures are what they are called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from labs.scheduling.domain.policy import Policy
from labs.scheduling.replay import packing, traces
from labs.scheduling.replay.__main__ import main
from labs.scheduling.replay.baselines import Easy, FirstCome, Greedy
from labs.scheduling.replay.cluster import Cluster, Parts, Run
from labs.scheduling.replay.metrics import Promise, bounded_slowdown, coverage, jain, measure
from labs.scheduling.replay.multifactor import Multifactor
from labs.scheduling.replay.ours import Ours
from labs.scheduling.replay.requests import MENU_S, requested_s
from labs.scheduling.replay.simulator import Scheduler, replay
from labs.scheduling.replay.traces import Trace, TraceError, TraceJob, pool_of, spread

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces"
needs_traces = pytest.mark.skipif(not DATA.is_dir(), reason="the real traces (../shared/data/traces) are not here")

PHILLY = "submit_time,duration_s,num_gpus,virtual_cluster\n2017-10-03 00:00:00,50,16,b\n2017-10-02 00:00:00,600,1,a\n"


def job(number: int, submit_s: float, gpus: int, run_s: float, limit_s: float, owner: str = "ann") -> TraceJob:
    return TraceJob(number, submit_s, run_s, gpus, owner, f"{owner}:{gpus}", limit_s)


#: Four GPUs on one node, a decision every ten seconds. A holds 3 GPUs until 100 (limit 100); B wants all four; C and D
#: want one each, C within what A leaves of its limit and D beyond it.
QUEUE = (job(0, 0, 3, 100, 100), job(1, 10, 4, 50, 60), job(2, 20, 1, 40, 80), job(3, 30, 1, 200, 500))
SMALL = Trace("small", QUEUE, pool_of(1, 4))


def starts(scheduler: Scheduler, cluster: Cluster, trace: Trace = SMALL) -> list[float]:
    done = replay(trace, cluster, scheduler, policy="test", interval_s=10.0)
    return [done.started_s[number] for number in range(len(trace.jobs))]


def test_first_come_first_served_holds_everybody_up_behind_the_wide_job() -> None:
    cluster = Cluster([4])
    assert starts(FirstCome(cluster), cluster) == [0, 100, 150, 150]


def test_greedy_passes_the_wide_job_over_until_nothing_else_is_left() -> None:
    cluster = Cluster([4])
    # C runs from 20 to 60, D from 60 to 260: only then are all four free.
    assert starts(Greedy(cluster), cluster) == [0, 260, 20, 60]


def test_easy_lets_go_ahead_only_who_is_gone_when_the_first_job_may_start() -> None:
    cluster = Cluster([4])
    assert starts(Easy(cluster), cluster) == [0, 100, 20, 150]


def test_multifactor_backfills_around_what_it_has_planned_for_the_wide_job() -> None:
    jobs = tuple(
        job(each.number, each.submit_s * 600, each.gpus, each.run_s * 600, each.requested_s * 600) for each in QUEUE
    )
    # All are the same owner's, so size decides: the wide job is first and its planned start at 60,000 s is kept.
    scaled = Trace("scaled", jobs, pool_of(1, 4))
    cluster = Cluster([4])
    done = replay(scaled, cluster, Multifactor(cluster), policy="slurm", interval_s=600.0)
    assert [done.started_s[number] / 600 for number in range(4)] == [0, 100, 20, 150]


def test_multifactor_prefers_who_has_used_less() -> None:
    jobs = (
        job(0, 0, 4, 1_000, 3_600, "heavy"),
        job(1, 10, 4, 1_000, 3_600, "heavy"),
        job(2, 20, 4, 1_000, 3_600, "light"),
    )
    cluster = Cluster([4])
    assert starts(Multifactor(cluster), cluster, Trace("two", jobs, pool_of(1, 4))) == [0, 2_000, 1_000]


def test_ours_calls_the_plan_of_production_and_every_job_runs_once() -> None:
    cluster = Cluster([4])
    ours = Ours(cluster, SMALL, Policy())
    begun = starts(ours, cluster)
    assert begun[0] == 0
    # B starts as soon as A has ended: neither C nor D pushes it back.
    assert begun[1] == 100
    assert cluster.free_gpus == 4
    assert all(promise.p50_at <= promise.p90_at for promise in ours.promises)


def test_ours_fits_what_it_promises_to_how_the_last_promises_came_true() -> None:
    """Again and again the second of two jobs of a thousand seconds waits for the first; nobody ever goes ahead."""
    queue = tuple(job(n, n // 2 * 3_000 + n % 2 * 10, 1, 1_000, 2_000) for n in range(160))
    cluster = Cluster([1])
    ours = Ours(cluster, Trace("pairs", queue, pool_of(1, 1)), Policy())
    replay(Trace("pairs", queue, pool_of(1, 1)), cluster, ours, policy="test", interval_s=10.0)
    longer = [(p.p50_at - p.told_at) / (p.started_at - p.told_at) for p in ours.promises]
    assert longer[20] == pytest.approx(1 + Policy().overtaking_p50, abs=0.05)
    assert longer[-1] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("make", [FirstCome, Greedy, Easy, Multifactor])
def test_no_policy_starts_a_job_by_its_length(make: type[FirstCome]) -> None:
    """Jobs of other lengths, decided upon while nothing has ended, start at the same times."""

    def first_starts(factor: float) -> list[tuple[int, Parts]]:
        cluster = Cluster([4])
        scheduler = make(cluster)
        for each in QUEUE:
            scheduler.submitted(job(each.number, each.submit_s, each.gpus, each.run_s * factor, each.requested_s))
        taken: list[tuple[int, Parts]] = []
        for each, parts in scheduler.decide(40.0):
            cluster.take(each, parts, 40.0)
            taken.append((each.number, parts))
        return taken

    assert first_starts(1.0) == first_starts(0.01) != []


def test_the_simulator_refuses_a_start_on_gpus_that_are_taken() -> None:
    class Wrong(FirstCome):
        def decide(self, now: float) -> Iterator[tuple[TraceJob, Parts]]:
            yield self.queue.popleft(), ((0, (0, 1, 2)),)
            yield self.queue.popleft(), ((0, (0, 1, 2, 3)),)

    cluster = Cluster([4])
    both = Trace("both", (QUEUE[0], job(1, 0, 4, 50, 60)), pool_of(1, 4))
    with pytest.raises(ValueError, match="thousandths free"):
        replay(both, cluster, Wrong(cluster), policy="wrong", interval_s=10.0)


def test_the_simulator_says_when_a_policy_leaves_jobs_behind() -> None:
    class Idle(FirstCome):
        def ended(self, run: Run, at: float) -> None:
            self.queue.clear()

    cluster = Cluster([4])
    with pytest.raises(ValueError, match="never started"):
        replay(SMALL, cluster, Idle(cluster), policy="idle", interval_s=10.0)


def test_figures_of_a_small_replay_are_those_by_hand() -> None:
    cluster = Cluster([4])
    wide = Trace("wide", (job(0, 0, 8, 100, 100), job(1, 0, 8, 20, 20, "ben")), pool_of(1, 8))
    cluster = Cluster([8])
    made = measure(replay(wide, cluster, FirstCome(cluster), policy="fifo", interval_s=10.0))
    assert made.mean_wait_s == 50.0
    assert made.wide_p95_wait_s == pytest.approx(95.0)
    # 1 and (100 + 20) / 20.
    assert made.mean_slowdown == pytest.approx(3.5)
    # Ann never waited, Ben ran 20 of 120 s: (1 + 1/6)² / (2 (1 + 1/36)).
    assert made.fairness == pytest.approx((7 / 6) ** 2 / (2 * 37 / 36))


def test_slowdown_counts_short_runs_as_ten_seconds() -> None:
    found = bounded_slowdown(np.array([0.0, 90.0, 90.0]), np.array([1.0, 1.0, 30.0]))
    assert found.tolist() == [1.0, 9.1, 4.0]


@pytest.mark.parametrize(("values", "index"), [([1, 1, 1], 1.0), ([1, 0, 0, 0], 0.25), ([1, 0.5], 0.9), ([0, 0], 1.0)])
def test_jains_index(values: list[float], index: float) -> None:
    assert jain(values) == pytest.approx(index)


def test_coverage_counts_starts_within_what_was_promised() -> None:
    promises = [Promise(n, 0.0, 100.0, 200.0, at) for n, at in enumerate((50.0, 105.0, 150.0, 300.0))]
    found = coverage(promises, slack_s=10.0)
    assert (found.promises, found.p50, found.p90) == (4, 0.5, 0.75)
    assert coverage([], 10.0).p90 is None


def test_best_fit_joins_a_shared_gpu_and_keeps_whole_nodes_free() -> None:
    cluster = Cluster([4, 2])
    half = TraceJob(0, 0, 10, 1, "ann", "x", 60, gpu_milli=500)
    assert cluster.fit(half) == ((1, (0,)),)
    cluster.take(half, ((1, (0,)),), 0.0)
    assert cluster.fit(TraceJob(1, 0, 10, 1, "ann", "x", 60, gpu_milli=300)) == ((1, (0,)),)
    assert cluster.fit(job(2, 0, 1, 10, 60)) == ((1, (1,)),)
    assert cluster.fit(job(3, 0, 4, 10, 60)) == ((0, (0, 1, 2, 3)),)
    assert cluster.used_gpus == 0.5


@pytest.mark.parametrize(("gpus", "shape"), [(1, (1, 1)), (8, (8, 1)), (12, (6, 2)), (24, (8, 3)), (9, (3, 3))])
def test_wide_jobs_are_spread_over_as_few_nodes_as_share_them_equally(gpus: int, shape: tuple[int, int]) -> None:
    assert spread(gpus, 8) == shape


def test_limits_are_never_shorter_than_the_run_and_come_from_a_menu() -> None:
    for row in range(200):
        limit_s = requested_s(37.0 * row + 1, row)
        assert limit_s in MENU_S
        assert limit_s >= 37.0 * row + 1


def test_philly_rows_become_jobs_in_order_of_submission(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(PHILLY)
    trace = traces.philly(path)
    assert [(each.owner, each.gpus, each.nodes, each.run_s) for each in trace.jobs] == [
        ("a", 1, 1, 600),
        ("b", 8, 2, 50),
    ]
    assert trace.jobs[1].submit_s - trace.jobs[0].submit_s == 86_400
    assert trace.gpus == 560


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "submit_time, duration_s, num_gpus, virtual_cluster are missing; its first line has a, b"),
        (PHILLY + "yesterday,1,1,a\n", "line 4: submit_time is 'yesterday', not a date and time"),
        (PHILLY + "2017-10-02 00:00:00,long,1,a\n", "line 4: duration_s is 'long', not a number"),
        (PHILLY + "2017-10-02 00:00:00,5,1.5,a\n", "line 4: num_gpus is 1.5, not a whole number"),
        (PHILLY + "2017-10-02 00:00:00,5,1,\n", "line 4: virtual_cluster is empty"),
    ],
)
def test_a_file_that_is_no_trace_is_refused_with_its_line_and_column(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(TraceError, match=says.replace("(", r"\(")):
        traces.philly(path)


def test_the_command_names_a_missing_file_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--only", "philly", "--policy", "fifo", "--traces", str(tmp_path), "--output", str(tmp_path / "out")]
    assert main(asked) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_another_trace_of_the_same_columns_is_replayed_into_table_plots_and_json(tmp_path: Path) -> None:
    path, out = tmp_path / "mine.csv", tmp_path / "out"
    path.write_text(PHILLY)
    assert main(["--only", "philly", "--philly", str(path), "--output", str(out), "--jobs", "1"]) == 0
    assert {each.name for each in out.iterdir()} == {
        "results.md",
        "results.json",
        "philly-waits.svg",
        "philly-slowdown.svg",
    }
    assert "| ours |" in (out / "results.md").read_text()


@needs_traces
def test_the_real_traces_are_read_as_they_are() -> None:
    philly = traces.philly(DATA / "philly-2017-09-10.csv")
    assert len(philly.jobs) == 52_849
    assert sum(each.nodes > 1 for each in philly.jobs) == 99
    wagap = traces.wagap(DATA / "wagap-2013-first-half.csv")
    assert len(wagap.jobs) == 8_998
    assert all(each.run_s <= each.requested_s for each in wagap.jobs)
    assert sum(node.gpus for node in traces.openb_nodes(DATA / "openb-nodes.csv")) == 6_212


@needs_traces
def test_a_slice_of_philly_is_replayed_under_every_policy() -> None:
    trace = traces.philly(DATA / "philly-2017-09-10.csv", nodes=12).first(400)
    for make in (FirstCome, Greedy, Easy, Multifactor, lambda cluster: Ours(cluster, trace, Policy())):
        cluster = Cluster([node.gpus for node in trace.nodes])
        done = replay(trace, cluster, make(cluster), policy="test", interval_s=60.0)
        assert len(done.started_s) == 400
        assert cluster.free_gpus == cluster.gpus


@needs_traces
def test_packing_by_best_fit_leaves_less_than_at_random() -> None:
    nodes = traces.openb_nodes(DATA / "openb-nodes.csv")[:100]
    tasks = packing.tasks_until_full(traces.openb(DATA / "openb-pods.csv"), sum(node.gpus for node in nodes), seed=1)
    best = packing.pack(nodes, tasks, packing.best_fit).unallocated
    assert best < packing.pack(nodes, tasks, packing.random_fit(1)).unallocated
