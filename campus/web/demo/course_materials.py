"""What the course shows beside its lessons: a video with captions and chapters, a handout, a notebook, and who watched.

Reports of players are folded by the same rules as real ones, at times counted from the day of seeding.
"""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile

from courses.catalog.models import Enrolment
from courses.content.models import Module
from courses.materials.api import Content, fold_reports, open_material, open_version, save_captions, save_chapters
from courses.materials.models import MaterialVersion

from . import people
from .course import Taught

HERE = Path(__file__).parent / "materials"
MODULE = 3  # the week of gradient descent
BEAT_S = 10
#: How people watch: nearly all of it, with a part skipped, only the beginning, not at all.
HABITS = (
    ((0, 45),), ((0, 45),), ((0, 18), (27, 45)), ((0, 43.5),), ((0, 12),), ((0, 45),), (), ((0, 30),),
    ((0, 6), (38, 45)),
)  # fmt: skip


def open_materials(taught: Taught, enrolments: list[Enrolment], now: datetime) -> None:
    """Add materials to the module on gradient descent, and what learners did with them. In a transaction."""
    module = Module.objects.get(run=taught.run, position=MODULE)
    video = open_material(
        module_id=module.pk, kind="VIDEO", content=_file("gradient-descent.mp4"), actor=None,
        title="학습률에 따라 달라지는 경사 하강", minutes=1,
        description="세 가지 학습률로 같은 곡선을 내려갑니다. 소리는 없고 자막이 있습니다.",
    )  # fmt: skip
    for language in ("ko", "en"):
        upload = _upload(f"gradient-descent.{language}.vtt")
        save_captions(material_id=video.pk, language=language, upload=upload, actor=None)
    chapters = (HERE / "gradient-descent.chapters.txt").read_text(encoding="utf-8")
    save_chapters(material_id=video.pk, text=chapters, actor=None)
    handout = open_material(
        module_id=module.pk, kind="FILE", content=_file("learning-rate-handout.txt"), actor=None,
        title="학습률 고르기 한 장 요약", minutes=3,
    )  # fmt: skip
    notebook = open_material(
        module_id=module.pk, kind="NOTEBOOK", content=_file("learning-rate.ipynb"), actor=None,
        title="노트북: 학습률을 바꾸어 보기", minutes=8,
    )  # fmt: skip
    _watch(video.versions.get(), enrolments, now)
    for number, enrolment in enumerate(enrolments):
        if enrolment.user.email == people.DEMO_LEARNER.email:
            continue
        if number % 3:
            open_version(version=handout.versions.get(), enrolment=enrolment)
        if number % 4 == 1:
            open_version(version=notebook.versions.get(), enrolment=enrolment)


def _watch(version: MaterialVersion, enrolments: list[Enrolment], now: datetime) -> None:
    for number, enrolment in enumerate(enrolments):
        # The demo's learner left off in the middle, having skipped a part.
        is_shown = enrolment.user.email == people.DEMO_LEARNER.email
        habit = ((0, 9), (17, 24)) if is_shown else HABITS[number % len(HABITS)]
        rng = random.Random(f"video of {enrolment.user.email}")  # noqa: S311 - no secret
        began = now - timedelta(hours=rng.uniform(3, 60))
        tab = uuid.UUID(int=rng.getrandbits(128), version=4)
        fold_reports(version=version, enrolment=enrolment, tab=tab, reports=list(_reports(habit, began)))


def _reports(habit: tuple[tuple[float, float], ...], at: datetime) -> Iterator[tuple[datetime, list[tuple[int, int]]]]:
    """What a player would have sent: a report when it starts, then one every ten seconds."""
    if not habit:
        return
    yield at, []
    for start, end in habit:
        begin = start
        while begin < end:
            until = min(begin + BEAT_S, end)
            at += timedelta(seconds=until - begin)
            yield at, [(round(begin * 1000), round(until * 1000))]
            begin = until


def _file(name: str) -> Content:
    return Content(_upload(name))


def _upload(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (HERE / name).read_bytes())
