"""What is taught: a programme, its courses, a term around the day of seeding, cohorts, lessons and labs."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.core.files.base import ContentFile
from django.utils import timezone

from campus.people.models import User
from campus.places.models import Campus
from courses.assignments.api import open_lab
from courses.assignments.models import Lab
from courses.catalog.api import open_cohort, open_course, open_programme, open_run, open_term
from courses.catalog.models import Cohort, CourseRun
from courses.content.api import open_lesson, open_module
from courses.content.models import Lesson
from infra.executors.contract import EnvironmentSpec
from labs import environments
from labs.environments.models import DataSet, Environment

HERE = Path(__file__).parent
SETS = Path(environments.__file__).parent / "sets"
PYTHON = "3.11"
HOUR = 3600
RUN_SLUG = "ml-foundations"

# (title, week, lessons as (file, title, minutes, published), lab as (folder, title, due in days, published))
MODULES = (
    ("시작하기: 캠퍼스와 첫 작업", -2, (
        ("how-we-learn", "이 과정에서 배우는 방법", 6, True),
        ("how-jobs-run", "작업은 어떻게 실행되나요", 9, True),
    ), ("hello", "첫 작업 보내기", -3)),
    ("분류 문제와 손글씨 숫자", -1, (
        ("splitting-data", "데이터를 나누는 까닭", 10, True),
        ("softmax", "소프트맥스와 교차 엔트로피", 12, True),
    ), ("digits", "손글씨 숫자 분류기 학습", 2)),
    ("경사 하강법과 학습률", 0, (
        ("gradient-descent", "경사 하강법", 12, True),
        ("learning-curves", "학습 곡선 읽기", 8, True),
    ), ("tuning", "하이퍼파라미터 찾기", 6)),
    ("평가하고 설명하기", 1, (
        ("confusion", "혼동 행렬과 오류 분석", 10, True),
        ("model-card", "모델 카드 쓰기", 7, False),
    ), None),
)  # fmt: skip


@dataclass(frozen=True)
class Taught:
    """What was opened, for those who seed the rest."""

    run: CourseRun
    cohorts: dict[str, Cohort]  # by campus slug
    labs: dict[str, Lab]  # by folder
    lessons: list[Lesson]


def open_teaching(campuses: dict[str, Campus], admin: User, today: date) -> Taught:
    """Open programme, courses, terms, cohorts and materials. Days are counted from `today`."""
    programme = open_programme(
        slug="ai-engineer", name_ko="AI 엔지니어 양성 과정", name_en="AI Engineer Programme",
        summary_ko="현장과 온라인에서 함께 배우는 여섯 달 과정입니다. 실습은 모두 GPU 클러스터에서 합니다.",
        summary_en="Six months, on site and online, with every lab on the GPU pool.",
        actor=admin,
    )  # fmt: skip
    monday = today - timedelta(days=today.weekday())
    term = open_term(
        slug=f"{today.year}-{'spring' if today.month < 7 else 'autumn'}",
        name_ko=f"{today.year}년 {'봄' if today.month < 7 else '가을'} 학기",
        name_en=f"{'Spring' if today.month < 7 else 'Autumn'} {today.year}",
        starts_on=monday - timedelta(weeks=2), ends_on=monday + timedelta(weeks=14), actor=admin,
    )  # fmt: skip
    course = open_course(
        programme_id=programme.pk, code="AI101", name_ko="기계 학습 기초", name_en="Foundations of machine learning",
        summary_ko="작은 데이터로 분류기를 학습하고, 결과를 의심하고, 설명하는 법을 배웁니다. 매주 GPU로 실습합니다.",
        summary_en="Train classifiers yourself, doubt their results and explain them. One GPU lab a week.",
        actor=admin,
    )  # fmt: skip
    run = open_run(course_id=course.pk, term_id=term.pk, slug=RUN_SLUG, is_published=True, actor=admin)
    cohorts = {
        slug: open_cohort(
            run_id=run.pk, campus_id=campuses[slug].pk, name=name, seats=seats, learner_quota_s=2 * HOUR,
            quota_s=quota_h * HOUR, self_enrolment_opens_at=_at(monday - timedelta(weeks=5), 9),
            self_enrolment_closes_at=_at(today + timedelta(days=10), 18), actor=admin,
        )
        for slug, name, seats, quota_h in (("yongin", "용인반", 30, 48), ("jeonbuk", "전북반", 28, 42))
    }  # fmt: skip
    _others(programme.pk, term.pk, campuses, admin, today)
    lessons, labs = _materials(run, monday, today)
    return Taught(run, cohorts, labs, lessons)


def _others(programme_id: int, term_id: int, campuses: dict[str, Campus], admin: User, today: date) -> None:
    """A public short course with seats to take, and a course that is still being written."""
    public = open_course(
        programme_id=programme_id, code="PY001", name_ko="열린 강좌: 파이썬과 데이터",
        name_en="Open course: Python and data",
        summary_ko="누구나 들을 수 있는 두 주 과정입니다. 노트북이 없어도 캠퍼스에서 빌려 드립니다.",
        summary_en="Two weeks, open to anyone. The campus lends you a notebook if you have none.",
        actor=admin,
    )  # fmt: skip
    run = open_run(course_id=public.pk, term_id=term_id, slug="python-and-data", is_published=True, actor=admin)
    for slug, name in (("yongin", "용인 열린반"), ("jeonbuk", "전북 열린반")):
        open_cohort(
            run_id=run.pk, campus_id=campuses[slug].pk, name=name, seats=20, learner_quota_s=HOUR,
            quota_s=16 * HOUR, self_enrolment_opens_at=_at(today - timedelta(days=1), 9),
            self_enrolment_closes_at=_at(today + timedelta(days=20), 18), actor=admin,
        )  # fmt: skip
    systems = open_course(
        programme_id=programme_id, code="AI201", name_ko="딥러닝 시스템", name_en="Deep learning systems",
        summary_ko="여러 GPU로 나누어 학습하기, 혼합 정밀도, 체크포인트와 복구를 다룹니다.",
        summary_en="Training on several GPUs, mixed precision, checkpoints and recovery.",
        actor=admin,
    )  # fmt: skip
    open_run(course_id=systems.pk, term_id=term_id, slug="dl-systems", is_published=False, actor=admin)


def _materials(run: CourseRun, monday: date, today: date) -> tuple[list[Lesson], dict[str, Lab]]:
    environment, data_set = _environment(), _data_set()
    lessons, labs = [], {}
    opened: list[int] = []
    for title, week, texts, lab in MODULES:
        starts_on = monday + timedelta(weeks=week)
        # What is still to come opens on its Monday, to whom is through with the beginning.
        rule = {"opens_at": _at(starts_on, 9), "needs": opened[:1]} if starts_on > today else {}
        module = open_module(run_id=run.pk, title=title, starts_on=starts_on, actor=None, **rule)
        opened.append(module.pk)
        for name, lesson_title, minutes, is_published in texts:
            body = (HERE / "lessons" / f"{name}.md").read_text(encoding="utf-8")
            lessons.append(
                open_lesson(
                    module_id=module.pk, title=lesson_title, body=body, minutes=minutes, is_published=is_published,
                    actor=None,
                )
            )  # fmt: skip
        if lab:
            folder, lab_title, due_in = lab
            labs[folder] = open_lab(
                module_id=module.pk, title=lab_title, brief=(HERE / "labs" / folder / "brief.md").read_text("utf-8"),
                environment=environment, data_sets=[data_set] if folder == "digits" else [],
                files={"main.py": starter(folder).encode()}, entrypoint="main.py", wall_s=300, max_wall_s=HOUR,
                main_metric="error" if folder == "hello" else "accuracy",
                due_at=_at(today + timedelta(days=due_in), 18), actor=None,
            )  # fmt: skip
    return lessons, labs


def starter(folder: str) -> str:
    """The program that a lab starts with."""
    return (HERE / "labs" / folder / "main.py").read_text(encoding="utf-8")


def _environment() -> Environment:
    requirements = (SETS / "digits.txt").read_text(encoding="utf-8")
    return Environment.objects.create(
        slug="digits", name_ko="파이썬 3.11 · scikit-learn", name_en="Python 3.11 · scikit-learn",
        description="numpy, scikit-learn, matplotlib, joblib", requirements=requirements,
        digest=EnvironmentSpec(requirements, PYTHON).digest,
    )  # fmt: skip


def _data_set() -> DataSet:
    """Pack the digits' names; the same bytes on every machine, so that the digest is the same too."""
    buffer = io.BytesIO()
    content = (HERE / "labs" / "digits" / "names.csv").read_bytes()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("names.csv", (2026, 1, 1, 0, 0, 0)), content)
    packed = buffer.getvalue()
    data_set = DataSet(
        slug="digit-names", name_ko="숫자의 우리말 이름", name_en="Names of digits",
        description="digit, ko, en, counting", licence="CC0 1.0", digest=hashlib.sha256(packed).hexdigest(),
        size_bytes=len(packed), file_count=1,
    )  # fmt: skip
    data_set.archive.save("digit-names.zip", ContentFile(packed))
    return data_set


def _at(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))
