"""What the page of one sweep shows: how far it is, its runs with parameters and results, and how they compare."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from .domain import parallel
from .domain.asks import GpuAsk
from .domain.results import headlines, is_number
from .domain.sweeps import as_text, best_of
from .models import Job, Sweep
from .services.sweeps import AGAIN, newest_runs

RESULTS_SHOWN = 5
PARAMETERS_TOLD = 3
STATES = (
    Job.State.SUCCEEDED, Job.State.RUNNING, Job.State.QUEUED, Job.State.FAILED, Job.State.TIMED_OUT,
    Job.State.CANCELLED,
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A place of the sweep with its newest job, its cells in the order of the table's columns."""

    job: Job
    names: Sequence[str]
    parameters: Sequence[Any]
    results: Sequence[Any]
    is_best: bool

    @property
    def place(self) -> int:
        return self.job.sweep_index or 0

    @property
    def told(self) -> list[tuple[str, Any]]:
        """Its first parameters by name."""
        return list(zip(self.names, self.parameters, strict=True))[:PARAMETERS_TOLD]


@dataclass(frozen=True)
class BarPart:
    """A stretch of the progress bar, in hundredths of it."""

    state: str
    x: float
    width: float


def sweep_context(sweep: Sweep, sort: str = "") -> dict[str, Any]:
    """Return what changes while the sweep runs; one query, whatever the number of runs."""
    tried = list(Job.objects.filter(sweep=sweep).order_by("sweep_index", "id").defer("factors", "wait_facts"))
    jobs = list({job.sweep_index: job for job in tried}.values())  # the newest of each place
    columns = result_columns(sweep, jobs)
    best = best_run(sweep, jobs)
    runs = [_run(sweep, job, columns[:RESULTS_SHOWN], best) for job in jobs]
    counts = Counter(job.state for job in jobs)
    return {
        "sweep": sweep,
        "runs": sorted_runs(sweep, runs, columns, sort),
        "columns": columns[:RESULTS_SHOWN],
        "more_columns": len(columns) > RESULTS_SHOWN,
        "first_id": jobs[0].pk,
        "share": jobs[0].gpus_in_all if jobs[0].is_share else None,
        "counts": [(state, counts[state]) for state in STATES if counts[state]],
        "bar": _bar(counts, len(jobs)),
        "over": sum(counts[state] for state in STATES if state not in Job.OPEN_STATES),
        "open": sum(counts[state] for state in Job.OPEN_STATES),
        "failed": sum(counts[state] for state in AGAIN),
        "best": next((run for run in runs if run.is_best), None),
        "picture": picture_of(sweep, jobs, best),
        "charged_s": sum(job.charged_s for job in tried),
        "held_s": sum(job.hold_s for job in tried if job.is_open),
    }


def _bar(counts: Mapping[str, int], runs: int) -> list[BarPart]:
    parts, x = [], 0.0
    for state in STATES:
        if counts[state]:
            width = round(counts[state] * 100 / runs, 3)
            parts.append(BarPart(state, round(x, 3), width))
            x += width
    return parts


def _run(sweep: Sweep, job: Job, columns: Sequence[str], best: int | None) -> Run:
    return Run(
        job=job,
        names=sweep.names,
        parameters=[job.parameters.get(name) for name in sweep.names],
        results=[job.result.get(name) for name in columns],
        is_best=job.pk == best,
    )


def result_columns(sweep: Sweep, jobs: Sequence[Job]) -> list[str]:
    """The names of results: what the sweep is judged by first, then those that people look for."""
    found: dict[str, Any] = {}
    for job in jobs:
        for name, value in job.result.items():
            found.setdefault(name, value)
    names = [name for name, _value in headlines(found, len(found)) if name not in sweep.names]
    return [sweep.metric, *(name for name in names if name != sweep.metric)] if sweep.metric else names


def best_run(sweep: Sweep, jobs: Sequence[Job]) -> int | None:
    """The job that did best by the sweep's metric among those that succeeded."""
    if not sweep.metric:
        return None
    scores = {job.pk: job.result.get(sweep.metric) for job in jobs if job.state == Job.State.SUCCEEDED}
    return best_of(scores, is_higher_better=sweep.direction == Sweep.Direction.HIGHER)


def sorted_runs(sweep: Sweep, runs: list[Run], columns: Sequence[str], sort: str) -> list[Run]:
    """By `p0`, `p1` … for parameters, `r0` … for results, `state`, `charged` or `place`, with - before it downwards.

    Runs without a value stand last either way.
    """
    key, is_down = sort.removeprefix("-"), sort.startswith("-")

    def cell(run: Run) -> Any:
        if key == "state":
            return STATES.index(Job.State(run.job.state))
        if key == "charged":
            return run.job.charged_s
        kind, number = key[:1], int(key[1:]) if key[1:].isdecimal() and len(key) < 4 else -1
        cells = {"p": run.parameters, "r": run.results}.get(kind, ())
        return cells[number] if 0 <= number < len(cells) else run.place

    def rank(run: Run) -> tuple[int, float, str]:
        value = cell(run)
        return (0, float(value), "") if is_number(value) else (1, 0.0, as_text(value))

    known = [run for run in runs if cell(run) is not None]
    return sorted(known, key=rank, reverse=is_down) + [run for run in runs if cell(run) is None]


def picture_of(sweep: Sweep, jobs: Sequence[Job], best: int | None) -> parallel.Picture | None:
    """The chart, of the runs that have a result; None where there is nothing to compare yet."""
    if not sweep.metric:
        return None
    varied = [name for name in sweep.names if len({as_text(job.parameters[name]) for job in jobs}) > 1]
    scored = [job for job in jobs if is_number(job.result.get(sweep.metric))]
    if len(scored) < 2 or not varied:
        return None
    rows = [(job.pk, [*(job.parameters[name] for name in varied), job.result[sweep.metric]]) for job in scored]
    is_higher_better = sweep.direction == Sweep.Direction.HIGHER
    return parallel.draw([*varied, sweep.metric], rows, is_higher_better=is_higher_better, best=best)


def table_of(sweep: Sweep) -> Iterator[list[Any]]:
    """All runs with all parameters and results, for a spreadsheet; one query."""
    jobs = newest_runs(sweep.pk)
    columns = result_columns(sweep, jobs)
    yield ["place", "job", "state", *sweep.names, *columns, "gpus", "charged_gpu_s"]
    for job in jobs:
        told = [job.parameters.get(name) for name in sweep.names] + [job.result.get(name) for name in columns]
        cells = ["" if value is None else as_text(value) for value in told]
        yield [job.sweep_index, job.pk, job.state, *cells, GpuAsk(job.gpus, job.gpu_milli).text, job.charged_s]


def with_progress(sweeps: QuerySet[Sweep]) -> QuerySet[Sweep]:
    """Add to each sweep how many of its places are open, and how many have succeeded."""
    places = Count("jobs__sweep_index", distinct=True, filter=Q(jobs__state__in=Job.OPEN_STATES))
    won = Count("jobs__sweep_index", distinct=True, filter=Q(jobs__state=Job.State.SUCCEEDED))
    return sweeps.annotate(open_runs=places, succeeded_runs=won)
