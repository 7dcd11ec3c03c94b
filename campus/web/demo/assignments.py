"""Assignments in every state: graded and published, waiting at the desk, open with tests, a lab to be handed in."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from campus.people.models import User
from courses.assignments.authoring import open_assignment, save_suite, set_late_days
from courses.assignments.domain.grouping import divide
from courses.assignments.domain.late import LatePolicy, lateness_s
from courses.assignments.domain.rubrics import Criterion, as_json, from_json, parse
from courses.assignments.domain.scoring import score
from courses.assignments.extending import accommodate, extend
from courses.assignments.grouping import import_groups, open_group_set
from courses.assignments.models import Assignment, LabRun, SavedComment, Score, ScoreChange, Submission
from courses.assignments.offering import find_offers
from courses.assignments.scores import Grading, adjust, save_score
from courses.assignments.submitting import submit_work
from courses.catalog.models import Enrolment
from courses.content.models import Module
from labs.jobs.api import store_bundle
from labs.jobs.models import Job, SourceBundle

from . import people
from .course import Taught

REPORT = "실험: 부족 = 0; 보통 = 10; 충분 = 15\n글: 읽기 어려움 = 5; 보통 = 10; 명확 = 15"
REFLECTION = "이해: 부족 = 0; 보통 = 5; 충분 = 10\n근거: 없음 = 0; 일부 = 5; 분명 = 10"
CLEANING = (
    "정확성: 없음 = 0; 일부 = 10; 모두 = 20\n코드: 읽기 어려움 = 0; 보통 = 5; 명확 = 10\n설명: 없음 = 0; 있음 = 10"
)
TEXTS = (
    "# 첫 주를 마치며\n\n큐에서 기다리는 까닭을 예측 구간과 함께 보니 기다림이 덜 답답했습니다.\n",
    "# 배운 것\n\n작업이 실패해도 이유가 남는다는 점이 좋았습니다. 로그를 먼저 읽는 습관이 생겼습니다.\n",
    "# 한 주 돌아보기\n\n- 데이터를 나누기 전에 섞어야 한다.\n- 정확도만 보면 속는다: $1 - e$\n",
    "# 질문\n\n학습률을 키웠더니 손실이 튀었습니다. 경사가 가파른 곳에서 왜 그런지 더 알고 싶습니다.\n",
)
PROGRAMS = (
    b"def clean(rows):\n    return [row.strip() for row in rows if row.strip()]\n",
    b"def clean(rows):\n    kept = []\n    for row in rows:\n        text = row.strip()\n        if text:\n"
    b"            kept.append(text)\n    return kept\n",
    b"clean = lambda rows: list(filter(None, map(str.strip, rows)))\n",
)
COMMENTS = ("근거를 숫자로 보여 주세요.", "함수 이름이 하는 일을 잘 말해 줍니다.", "경계값에서도 확인해 보세요.")
VISIBLE = '''def test_accuracy_of_all_right():
    """모두 맞히면 1입니다."""
    from metrics import accuracy
    assert accuracy([1, 2, 3], [1, 2, 3]) == 1.0


def test_accuracy_of_half():
    """절반을 맞히면 0.5입니다."""
    from metrics import accuracy
    assert accuracy([1, 0], [1, 1]) == 0.5, "accuracy([1, 0], [1, 1])"
'''
HIDDEN = '''WEIGHTS = {"test_empty": 2}


def test_empty():
    """빈 목록은 0입니다."""
    from metrics import accuracy
    assert accuracy([], []) == 0.0
'''


@dataclass(frozen=True)
class Marked:
    """A learner's work of one assignment: when it came, and what was picked (None: not graded yet)."""

    enrolment: Enrolment
    source: SourceBundle
    at: datetime
    picks: Mapping[str, Decimal] | None
    comment: str = ""


def open_assignments(taught: Taught, enrolments: Sequence[Enrolment], users: Mapping[str, User], now: datetime) -> None:
    """Open six assignments for both cohorts, with work and grades counted from `now`.

    One is handed in by groups over both campuses; before another was due the pool failed, so that more time is offered.
    """
    modules = list(Module.objects.filter(run=taught.run).order_by("position"))
    graders = {slug: users[f"{local}@{people.DOMAIN}"] for slug, local in _GRADERS.items()}
    _reflection(modules[0], enrolments, graders, now)
    cleaning = _cleaning(modules[1], enrolments, graders, now)
    _tested(modules[2], now)
    lab_work = _lab(taught, enrolments, now)
    _by_groups(taught, modules[2], enrolments, graders, now)
    open_assignment(
        module_id=modules[3].pk, actor=None, title="모델 카드 쓰기", kind=Assignment.Kind.NOTEBOOK, points=Decimal(30),
        brief="분류기 하나를 골라 노트북으로 모델 카드를 씁니다.", opens_at=now + timedelta(days=5),
        due_at=_evening(now, 13),
    )  # fmt: skip
    set_late_days(run_id=taught.run.pk, days=3, actor=None)
    SavedComment.objects.bulk_create(
        SavedComment(run=taught.run, text=text, author=graders[people.YONGIN]) for text in COMMENTS
    )
    demo = next(one for one in enrolments if one.user.email == people.DEMO_LEARNER.email)
    extend(
        assignment=cleaning, enrolments=[enrolments[5]], due_at=_evening(now, 2), reason="입원 확인서 제출",
        actor=graders[people.YONGIN],
    )  # fmt: skip
    accommodate(enrolment=demo, factor_pct=125, reason="손목 부상으로 합의", actor=graders[people.YONGIN])
    find_offers(assignment_id=lab_work.pk)


def _by_groups(
    taught: Taught, module: Module, enrolments: Sequence[Enrolment], graders: Mapping[str, User], now: datetime
) -> None:
    """A team's work: groups of three over both campuses, five of which have handed in, two graded."""
    teams = open_group_set(run=taught.run, name="팀 과제", actor=graders[people.YONGIN])
    campuses = {number: one.cohort.campus_id for number, one in enumerate(enrolments)}
    groups = divide(campuses, 3, is_mixed=True, seed="demo")
    table = [f"{enrolments[n].user.email},{team}조" for team, members in enumerate(groups, start=1) for n in members]
    import_groups(group_set=teams, raw="\n".join(table).encode(), actor=graders[people.YONGIN])
    made = open_assignment(
        module_id=module.pk, actor=None, title="팀 보고서", kind=Assignment.Kind.TEXT, points=Decimal(30),
        brief="조마다 실험 하나를 골라 **한 쪽** 보고서를 씁니다. 한 사람이 제출하면 모두의 제출이 됩니다.",
        rubric=as_json(parse(REPORT)), opens_at=now - timedelta(days=3), due_at=_evening(now, 3), group_set=teams,
    )  # fmt: skip
    for team, members in enumerate(groups[:5]):
        writer = enrolments[members[0]]
        text = f"# {team + 1}조 보고서\n\n{TEXTS[team % 4]}"
        submit_work(assignment_id=made.pk, user=writer.user, files={"answer.md": text.encode()})
    for members in groups[:2]:
        first, second = (enrolments[n] for n in members[:2])
        picks = Grading(_picks(made, (10, 15)), comment=COMMENTS[0])
        save_score(assignment=made, enrolment=first, version=0, grading=picks, actor=graders[people.YONGIN])
        adjust(
            assignment=made, enrolment=second, version=1, points=Decimal(2), reason="발표까지 맡음",
            actor=graders[people.YONGIN],
        )  # fmt: skip


def _picks(made: Assignment, points: Sequence[int]) -> dict[str, Decimal]:
    """What a grader picks: points for each criterion in order."""
    return {one.key: Decimal(given) for one, given in zip(from_json(made.rubric), points, strict=True)}


def _evening(now: datetime, days: int) -> datetime:
    """Six in the evening, at the campus, so many days from now."""
    local = timezone.localtime(now) + timedelta(days=days)
    return local.replace(hour=18, minute=0, second=0, microsecond=0)


_GRADERS = {people.YONGIN: "instructor", people.JEONBUK: "jeonbuk-instructor"}


def _reflection(module: Module, enrolments: Sequence[Enrolment], graders: Mapping[str, User], now: datetime) -> None:
    """Over: graded and published, some late, one excused, a few missing."""
    due_at = _evening(now, -6)
    made = open_assignment(
        module_id=module.pk, actor=None, title="첫 주 돌아보기", kind=Assignment.Kind.TEXT, points=Decimal(20),
        rubric=as_json(parse(REFLECTION)), brief="첫 주에 배운 것과 아직 모르는 것을 **다섯 문장** 안팎으로 씁니다.",
        opens_at=due_at - timedelta(days=7), due_at=due_at, late_deduct_pct=Decimal(10), late_floor_pct=Decimal(50),
    )  # fmt: skip
    sources = [store_bundle({"answer.md": text.encode()}) for text in TEXTS]
    work = []
    for number, learner in enumerate(enrolments):
        rng = random.Random(f"reflection of {learner.user.email}")  # noqa: S311 - no secret
        if number % 17 == 9:
            continue
        at = due_at + timedelta(hours=rng.uniform(1, 30) if number % 11 == 4 else rng.uniform(-90, -1))
        chosen = (rng.choice((5, 10, 10)), rng.choice((0, 5, 10, 10)))
        comment = COMMENTS[0] if chosen[1] < 10 else ""
        work.append(Marked(learner, sources[number % 4], at, _picks(made, chosen), comment))
    excused = enrolments[22]
    work = [one for one in work if one.enrolment != excused]
    _keep(made, work, graders, published_at=now - timedelta(days=3))
    row = Score.objects.create(
        assignment=made, enrolment=excused, state=Score.State.EXCUSED, comment="편입 전 과제", published_at=now,
        grader=graders[people.YONGIN],
    )  # fmt: skip
    ScoreChange.objects.create(
        score=row, version=1, state=row.state, comment=row.comment, reason="excused", actor=row.grader
    )


def _cleaning(
    module: Module, enrolments: Sequence[Enrolment], graders: Mapping[str, User], now: datetime
) -> Assignment:
    """Just over, graded without names: half of it waits at the desk."""
    due_at = (now - timedelta(hours=20)).replace(minute=0, second=0, microsecond=0)
    made = open_assignment(
        module_id=module.pk, actor=None, title="데이터 다듬기", points=Decimal(40), rubric=as_json(parse(CLEANING)),
        brief="`clean(rows)`를 작성해 빈 줄과 공백을 정리합니다. 파일은 `clean.py` 하나면 됩니다.",
        opens_at=due_at - timedelta(days=6), due_at=due_at,
        closes_at=due_at + timedelta(days=5), attempts_allowed=5, late_deduct_pct=Decimal(5), is_anonymous=True,
    )  # fmt: skip
    sources = [store_bundle({"clean.py": body}) for body in PROGRAMS]
    work = []
    for number, learner in enumerate(enrolments):
        rng = random.Random(f"cleaning of {learner.user.email}")  # noqa: S311 - no secret
        if number % 13 == 5:
            continue
        at = due_at + timedelta(hours=rng.uniform(-60, -1) if number % 9 else rng.uniform(1, 18))
        is_graded = number % 2 == 0
        chosen = (rng.choice((10, 20, 20)), rng.choice((5, 10)), rng.choice((0, 10)))
        work.append(Marked(learner, sources[number % 3], at, _picks(made, chosen) if is_graded else None))
    _keep(made, work, graders, published_at=None)
    return made


def _tested(module: Module, now: datetime) -> None:
    """Open, with visible and hidden tests: what is handed in runs on the pool at once."""
    made = open_assignment(
        module_id=module.pk, actor=None, title="정확도 계산하기", points=Decimal(30),
        brief="`metrics.py`에 `accuracy(truth, guessed)`를 작성해 제출합니다. 빈 목록의 정확도는 0입니다.",
        due_at=_evening(now, 4), attempts_allowed=10, late_deduct_pct=Decimal(10),
    )  # fmt: skip
    save_suite(
        assignment_id=made.pk, visible=VISIBLE, hidden=HIDDEN, environment_id=None, seed=7, wall_s=60, gpus=1,
        actor=None,
    )  # fmt: skip


def _lab(taught: Taught, enrolments: Sequence[Enrolment], now: datetime) -> Assignment:
    """The first lab, handed in as a run by most of those in whose hands it succeeded."""
    lab = taught.labs["hello"]
    due_at = lab.due_at or now
    made = open_assignment(
        module_id=lab.module_id, actor=None, title="첫 작업 제출하기", kind=Assignment.Kind.LAB, lab=lab, due_at=due_at,
        points=Decimal(10), brief="실습에서 성공한 실행 하나를 골라 제출합니다. 로그와 결과 파일을 함께 봅니다.",
    )  # fmt: skip
    runs: dict[int, Job] = {}
    rows = LabRun.objects.select_related("job__source").filter(lab=lab, job__state=Job.State.SUCCEEDED)
    for run in rows.order_by("pk"):
        runs.setdefault(run.enrolment_id, run.job)
    Submission.objects.bulk_create(
        Submission(
            assignment=made, enrolment=one, number=1, source=job.source, digest=job.source.digest, job=job,
            due_at=due_at, submitted_at=(job.ended_at or now) + timedelta(minutes=9), submitted_by=one.user,
        )
        for number, one in enumerate(enrolments)
        if number % 5 and (job := runs.get(one.pk))
    )  # fmt: skip
    return made


def _keep(made: Assignment, work: Sequence[Marked], graders: Mapping[str, User], published_at: datetime | None) -> None:
    """Write submissions, scores and their history as the services would, in three statements."""
    criteria = from_json(made.rubric)
    submissions = Submission.objects.bulk_create(
        Submission(
            assignment=made, enrolment=one.enrolment, number=1, source=one.source, digest=one.source.digest,
            due_at=made.due_at, submitted_at=one.at, submitted_by=one.enrolment.user,
        )
        for one in work
    )  # fmt: skip
    graded = [(one, submission) for one, submission in zip(work, submissions, strict=True) if one.picks is not None]
    scores = Score.objects.bulk_create(
        _score(made, one, submission, criteria, graders, published_at) for one, submission in graded
    )
    ScoreChange.objects.bulk_create(
        ScoreChange(
            score=row, version=1, state=row.state, raw=row.raw, adjusted=row.adjusted, picks=row.picks,
            comment=row.comment, reason="published" if published_at else "", actor=row.grader,
        )
        for row in scores
    )  # fmt: skip


def _score(
    made: Assignment, one: Marked, submission: Submission, criteria: tuple[Criterion, ...],
    graders: Mapping[str, User], published_at: datetime | None,
) -> Score:  # fmt: skip
    policy = LatePolicy(made.late_interval_s, made.late_deduct_pct, made.late_floor_pct, made.late_grace_s)
    picks: Mapping[str, Any] = one.picks or {}
    scored = score(
        out_of=made.points, criteria=criteria, picks=picks, tested=None, given=None, policy=policy,
        late_s=lateness_s(one.at, made.due_at),
    )  # fmt: skip
    return Score(
        assignment=made, enrolment=one.enrolment, submission=submission, raw=scored.raw, adjusted=scored.adjusted,
        late_deduction=scored.late_deduction, why=[list(line) for line in scored.why], comment=one.comment,
        picks={key: str(points) for key, points in picks.items()},
        state=Score.State.PUBLISHED if published_at else Score.State.DRAFT, published_at=published_at,
        grader=graders[one.enrolment.cohort.campus.slug],
    )  # fmt: skip
