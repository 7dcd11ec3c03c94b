"""What the grading desk shows of one learner's work, and where it goes from there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from campus.core.errors import NotFound
from campus.people.models import User
from courses.catalog.api import RunAccess
from labs.jobs.api import published_artifacts
from labs.jobs.models import Artifact, Job, LogChunk

from .domain.reports import Outcome, outcomes_of
from .domain.rubrics import Criterion, Level, from_json
from .models import Assignment, GradingRun, SavedComment, Score, ScoreChange, Submission
from .scores import GIVEN
from .submitting import receipt_of
from .testing.files import OURS
from .words import reason_words
from .work_lists import Row, rows_to_grade

LOG_TAIL = 8_000
COMMENTS_SHOWN = 12


@dataclass(frozen=True)
class Output:
    """What a job left: the end of its log and its files."""

    job: Job
    log: str
    artifacts: tuple[Artifact, ...]


@dataclass(frozen=True)
class PickedCriterion:
    criterion: Criterion
    levels: tuple[tuple[Level, bool], ...]


@dataclass(frozen=True)
class Desk:
    """One learner's work, with neighbours in the list. `number` of `total` counts from 1."""

    assignment: Assignment
    row: Row
    submission: Submission | None
    score: Score | None
    run: GradingRun | None
    outcomes: tuple[Outcome, ...]
    lab_output: Output | None
    test_output: Output | None
    history: tuple[tuple[ScoreChange, str], ...]
    comments: tuple[str, ...]
    receipt: str
    number: int
    total: int
    before: int | None
    after: int | None
    next_ungraded: int | None

    @property
    def given(self) -> str:
        return str(self.score.picks.get(GIVEN, "")) if self.score else ""

    def with_picks(self, said: Mapping[str, str]) -> list[PickedCriterion]:
        """The rubric with what is picked: what was just typed, else what is saved."""
        saved = self.score.picks if self.score else {}
        found = []
        for one in from_json(self.assignment.rubric):
            chosen = said.get(f"pick-{one.key}", "") if said else saved.get(one.key, "")
            levels = tuple((level, _same(level.points, chosen)) for level in one.levels)
            found.append(PickedCriterion(one, levels))
        return found


def _same(points: Decimal, chosen: object) -> bool:
    try:
        return bool(chosen) and Decimal(str(chosen)) == points
    except ArithmeticError:
        return False


def desk_of(assignment: Assignment, access: RunAccess, enrolment_id: int, now: datetime) -> Desk:
    """Gather a learner's work for its grader. Raises NotFound for a learner of no cohort of theirs."""
    rows = rows_to_grade(assignment, access, now)
    place = next((n for n, row in enumerate(rows) if row.enrolment.pk == enrolment_id), None)
    if place is None:
        raise NotFound
    row = rows[place]
    submission = (
        Submission.objects.select_related("source", "job").get(pk=row.submission.pk) if row.submission else None
    )
    # The list holds as much of these as it shows.
    score = Score.objects.get(pk=row.score.pk) if row.score else None
    run = GradingRun.objects.select_related("job").get(pk=row.run.pk) if row.run else None
    ahead = [*rows[place + 1 :], *rows[:place]]
    history = ScoreChange.objects.select_related("actor").filter(score=score).order_by("-version")
    comments = SavedComment.objects.filter(run=access.run).order_by("-pk").values_list("text", flat=True)
    return Desk(
        assignment=assignment,
        row=row,
        submission=submission,
        score=score,
        run=run,
        outcomes=outcomes_of(run.report) if run else (),
        lab_output=_output(submission.job) if submission and submission.job else None,
        test_output=_output(run.job) if run and run.job else None,
        history=tuple((one, reason_words(one.reason)) for one in history[:20]) if score else (),
        comments=tuple(comments[:COMMENTS_SHOWN]),
        receipt=receipt_of(submission) if submission else "",
        number=place + 1,
        total=len(rows),
        before=rows[place - 1].enrolment.pk if place else None,
        after=rows[place + 1].enrolment.pk if place + 1 < len(rows) else None,
        next_ungraded=next((one.enrolment.pk for one in ahead if one.is_ungraded), None),
    )


def _output(job: Job) -> Output:
    chunks = LogChunk.objects.filter(attempt__job=job).order_by("-attempt__number", "-start")[:4]
    tail = b"".join(bytes(chunk.content) for chunk in reversed(chunks))[-LOG_TAIL:]
    files = tuple(one for one in published_artifacts(job)[:50] if not one.path.startswith(OURS))
    return Output(job, tail.decode("utf-8", "replace"), files)


def keep_comment(*, run_id: int, text: str, author: User) -> None:
    """Keep a sentence for all graders of a run; one that is there, or is too long for one, changes nothing."""
    if 0 < len(text) <= 500:
        SavedComment.objects.get_or_create(run_id=run_id, text=text, defaults={"author": author})
