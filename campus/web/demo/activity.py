"""A week of lab activity, as rows that obey every constraint and every invariant of the ledger.

The programs, logs and metrics are those of real runs (`history.json`, `sweep.json`); who ran them when is drawn by a
generator whose seed is the person, so that every seeding of one day gives the same week.
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone

from courses.assignments.models import Lab
from courses.catalog.models import Enrolment
from infra.pool.models import Node
from labs.jobs.api import WHOLE_GPU
from labs.jobs.models import Job
from labs.quota.api import cost_s

from .course import starter
from .people import DEMO_LEARNER

SLOTS = 2
QUARTER = WHOLE_GPU // 4
WALL_S = 300
SHORT_WALL_S = 10
OUTAGE, OUTAGE_BEFORE = timedelta(minutes=90), timedelta(hours=23)
Reason = Job.EndReason
# (lab, first and last day of it counted from today, share of the learners, most runs)
_HABITS = (("hello", -7, -2, 0.9, 2), ("digits", -4, 0, 0.72, 5), ("tuning", -1, 0, 0.3, 3))
_ENDS: dict[str, tuple[str, str, int | None]] = {
    Reason.COMPLETED: (Job.State.SUCCEEDED, "EXITED", 0),
    Reason.EXIT_CODE: (Job.State.FAILED, "EXITED", 1),
    Reason.WALL_LIMIT: (Job.State.TIMED_OUT, "TIMED_OUT", None),
    Reason.CANCELLED: (Job.State.CANCELLED, "STOPPED", None),
}


@dataclass(frozen=True)
class Recorded:
    """A run that really happened: its program, what it printed and measured."""

    lab: str
    program: str
    exit_code: int
    run_s: float
    cpu_s: float
    log: str
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Swept:
    """The sweep that runs belong to."""

    title: str
    grid: dict[str, list[Any]] = field(hash=False)
    metric: str


SWEPT = Swept(
    title="은닉층과 학습률 훑기",
    grid={"hidden": [32, 64, 128], "learning_rate": [0.0005, 0.002, 0.01, 0.05]},
    metric="accuracy",
)


@dataclass
class Past:
    """A job of the past week, before it becomes rows. Times are aware; `lost_s` is a first attempt that was lost.

    `outage_s` seconds passed before the node was back.
    """

    enrolment: Enrolment
    lab: Lab
    recorded: Recorded
    node: Node
    submitted_at: datetime
    reason: str = Reason.COMPLETED
    wall_s: int = WALL_S
    gpu_milli: int = WHOLE_GPU
    lost_s: int = 0
    outage_s: int = 0
    slot: int = 0
    started_at: datetime | None = None
    run_s: float = 0.0
    log: str = ""
    points: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    swept: Swept | None = None
    place: int | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def gpus(self) -> Decimal:
        return Decimal(self.gpu_milli) / WHOLE_GPU

    @property
    def hold_s(self) -> int:
        """GPU-seconds."""
        return cost_s(gpu_seconds=self.wall_s * self.gpus)

    @property
    def lost_began_at(self) -> datetime:
        """When the attempt began that was lost."""
        return (self.started_at or self.submitted_at) - timedelta(seconds=self.lost_s * 4 - 0.5 + self.outage_s)

    @property
    def ended_at(self) -> datetime:
        """When it was over; one that never started was cancelled a little after it was submitted."""
        if self.started_at is None:
            return self.submitted_at + timedelta(seconds=41)
        return self.started_at + timedelta(seconds=self.run_s + 0.3)

    @property
    def state(self) -> str:
        return _ENDS[self.reason][0]

    @property
    def node_report(self) -> str:
        return _ENDS[self.reason][1]

    @property
    def exit_code(self) -> int | None:
        return _ENDS[self.reason][2]


def recorded_runs() -> list[Recorded]:
    """Read the recorded runs, with the program of each."""
    rows = json.loads((Path(__file__).parent / "history.json").read_text(encoding="utf-8"))
    programs = {name: starter(name) for name in ("hello", "digits", "tuning")}
    return [
        Recorded(
            row["lab"], _varied(programs[row["lab"]], row), row["exit_code"], row["run_s"], row["cpu_s"], row["log"],
            row["metrics"],
        )
        for row in rows
    ]  # fmt: skip


def past_week(enrolments: list[Enrolment], labs: dict[str, Lab], nodes: dict[str, Node], now: datetime) -> list[Past]:
    """Draw what each learner ran, then let the two nodes run it one after the other. Oldest first."""
    library = recorded_runs()
    drawn = [past for enrolment in enrolments for past in _of_learner(enrolment, labs, nodes, library, now)]
    drawn.sort(key=lambda past: (past.submitted_at, past.enrolment.pk))
    for past in drawn[20::70]:  # a node that restarted: the platform's loss, run again and refunded
        if past.reason == Reason.COMPLETED:
            past.lost_s = 3
    _let_fail(drawn, labs["hello"])
    for enrolment in enrolments:
        if enrolment.user.email == DEMO_LEARNER.email:
            drawn += _swept(enrolment, labs["tuning"], nodes[enrolment.cohort.campus.slug], now)
    drawn.sort(key=lambda past: past.submitted_at)
    _run(drawn)
    return [past for past in drawn if past.ended_at < now]


def _let_fail(drawn: list[Past], lab: Lab) -> None:
    """On the last afternoon before a lab was due its nodes were away for an hour and a half, with what ran on them."""
    due_at = lab.due_at
    if due_at is None:
        return
    hours = [past for past in drawn if past.lab == lab and due_at - OUTAGE_BEFORE < past.submitted_at < due_at - OUTAGE]
    for past in hours[:8]:
        if past.reason == Reason.COMPLETED:
            past.lost_s, past.outage_s = 3, int(OUTAGE.total_seconds())


def _swept(enrolment: Enrolment, lab: Lab, node: Node, now: datetime) -> list[Past]:
    """The demo learner's sweep of yesterday evening, in the environment of `lab`: twelve runs that really happened.

    Each had a quarter of a slot, so that eight ran at once.
    """
    rows: list[dict[str, Any]] = json.loads((Path(__file__).parent / "sweep.json").read_text(encoding="utf-8"))
    program = starter("sweep")
    at = timezone.make_aware(datetime.combine(timezone.localdate(now) - timedelta(days=1), time(20, 14, 9)))
    return [
        Past(
            enrolment, lab,
            Recorded("sweep", program, 0, row["run_s"], row["cpu_s"], row["log"], row["metrics"]),
            node, at, wall_s=120, gpu_milli=QUARTER, swept=SWEPT, place=place, parameters=row["parameters"],
        )
        for place, row in enumerate(rows, start=1)
    ]  # fmt: skip


def _of_learner(
    enrolment: Enrolment, labs: dict[str, Lab], nodes: dict[str, Node], library: list[Recorded], now: datetime
) -> Iterator[Past]:
    email = enrolment.user.email
    rng = random.Random(f"week of {email}")  # noqa: S311 - no secret
    node = nodes[enrolment.cohort.campus.slug]
    today = timezone.localdate(now)
    is_demo = email == DEMO_LEARNER.email
    for lab_name, first_day, last_day, share, most in _HABITS:
        if (rng.random() > share and not is_demo) or (is_demo and lab_name == "tuning"):
            continue
        runs = 2 if is_demo else rng.randint(1, most)
        day = today + timedelta(days=rng.randint(first_day, min(last_day, -1 if is_demo else last_day)))
        at = _moment(day, rng)
        for number in range(runs):
            reason = _reason(rng, number, runs, is_demo=is_demo, lab=lab_name)
            recorded = rng.choice([run for run in library if run.lab == lab_name and _fits(run, reason)])
            wall_s = SHORT_WALL_S if reason == Reason.WALL_LIMIT else WALL_S
            if at < now - timedelta(minutes=20):
                yield Past(enrolment, labs[lab_name], recorded, node, at, reason, wall_s)
            at += timedelta(seconds=rng.randint(140, 2400))


def _reason(rng: random.Random, number: int, runs: int, *, is_demo: bool, lab: str) -> str:
    if is_demo:
        return Reason.EXIT_CODE if lab == "digits" and number == 0 else Reason.COMPLETED
    if number == runs - 1 and rng.random() < 0.9:
        return Reason.COMPLETED
    draw = rng.random()
    if lab != "digits" or draw < 0.62:
        return Reason.COMPLETED
    return Reason.EXIT_CODE if draw < 0.88 else Reason.WALL_LIMIT if draw < 0.94 else Reason.CANCELLED


def _fits(run: Recorded, reason: str) -> bool:
    return run.exit_code == (1 if reason == Reason.EXIT_CODE else 0)


def _moment(day: date, rng: random.Random) -> datetime:
    hour = rng.choices(range(9, 24), weights=[3, 5, 5, 2, 3, 6, 6, 5, 3, 2, 4, 6, 6, 4, 2])[0]
    return timezone.make_aware(datetime.combine(day, time(hour, rng.randint(0, 59), rng.randint(0, 59))))


def _run(drawn: list[Past]) -> None:
    """Give every job a slot or a quarter of one, and a time: at once, or when the first falls free."""
    free = {past.node.pk: [[past.submitted_at] * 4 for _slot in range(SLOTS)] for past in reversed(drawn)}
    for index, past in enumerate(drawn):
        if past.reason == Reason.CANCELLED and index % 2:
            continue  # cancelled while it waited
        slots = free[past.node.pk]
        first = min if past.gpu_milli == QUARTER else max
        past.slot = min(range(SLOTS), key=lambda slot: first(slots[slot]))
        quarters = slots[past.slot]
        ready = past.submitted_at + timedelta(milliseconds=90 + 37 * (index % 9))
        past.started_at = max(ready, first(quarters)) + timedelta(seconds=past.lost_s * 4 + past.outage_s)
        _let_it_run(past)
        then = past.ended_at + timedelta(milliseconds=200)
        if past.gpu_milli == QUARTER:
            quarters[quarters.index(first(quarters))] = then
        else:
            quarters[:] = [then] * 4


def _let_it_run(past: Past) -> None:
    """Copy what the recorded run printed, up to where this one ended."""
    whole = past.recorded.run_s
    lines = past.recorded.log.splitlines(keepends=True)
    past.run_s = whole
    if past.reason == Reason.WALL_LIMIT:
        # It was given ten seconds and a program that needs more: the first two thirds of what it prints.
        past.run_s, lines = float(SHORT_WALL_S), lines[: len(lines) * 2 // 3]
    elif past.reason == Reason.CANCELLED:
        past.run_s, lines = round(whole / 2, 2), lines[: len(lines) // 2]
    past.log = "".join(lines)
    steps = [line for line in lines if line.startswith("{")]
    past.points = [
        (round(0.8 + (past.run_s - 1) * (number + 1) / (len(steps) + 1), 3), json.loads(line))
        for number, line in enumerate(steps)
    ]


def _varied(program: str, row: dict[str, Any]) -> str:
    """The starter as that run had changed it."""
    for name, value in row["changes"].items():
        program = re.sub(rf"^{name} = .*$", f"{name} = {value}", program, count=1, flags=re.MULTILINE)
    old, new = row.get("swap", ("", ""))
    return program.replace(old, new, 1) if old else program
