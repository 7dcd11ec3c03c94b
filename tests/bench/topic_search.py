"""Searching 10,000 documents in Korean and English: how long an answer takes, and keeping the documents up to date."""

from __future__ import annotations

import random
import time
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from campus.people.api import standing_of
from campus.people.models import User
from courses.content.models import Lesson, Module
from courses.search.finding import find
from courses.search.indexing import refresh

from . import world
from .bench import Bench
from .figures import Aim, Figure, count, times

TOPIC = "search"
DOCUMENTS, MODULES, ROUNDS = 10_000, 50, 15
WORDS_EACH = 350  # about 1,500 characters, a page
QUESTIONS = {
    "a rare word": "희귀낱말를",
    "a common word, in every text": "데이터를",
    "two words": "경사하강법 학습률",
    "English": "gradients",
    "one syllable": "수",
    "nothing found": "없는낱말",
}


def run(bench: Bench) -> list[Figure]:
    """A learner asks; all documents are theirs, so that access narrows nothing."""
    documents, rounds = bench.choose(DOCUMENTS, 300), bench.choose(ROUNDS, 2)
    with bench.stand.database("bench_search"):
        learner = _campus(documents)
        begun = time.perf_counter()
        refresh()
        made_s = time.perf_counter() - begun
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE search_document")
        begun = time.perf_counter()
        refresh()
        figures = [
            count(TOPIC, f"{documents} documents made", made_s, unit="s", aim=Aim(60.0, of="value")),
            count(TOPIC, f"{documents} documents compared, none changed", time.perf_counter() - begun, unit="s"),
        ]
        return figures + [_ask(learner, name, question, rounds, documents) for name, question in QUESTIONS.items()]


def _ask(learner: User, name: str, question: str, rounds: int, documents: int) -> Figure:
    took = []
    for _round in range(rounds):
        begun = time.perf_counter()
        answer = find(standing=standing_of(learner), question=question)
        took.append((time.perf_counter() - begun) * 1e3)
    with CaptureQueriesContext(connection) as captured:
        find(standing=standing_of(learner), question=question)
    note = f"{answer.total} found, {len(captured)} queries"
    return times(TOPIC, f"{documents} documents: {name}", took, aim=Aim(150.0), note=note)


@transaction.atomic
def _campus(documents: int) -> User:
    """A run with many lessons, their words drawn from the demo's."""
    (home, _other) = world.open_campuses(allocated_s=10_000_000)
    run = world.open_course_run()
    cohort = world.open_cohort(run, home, home.name_ko, seats=2, learner_quota_s=3600)
    (learner,) = users = world.people(1, "reader")
    world.enrol(cohort, users)
    texts = sorted((Path(settings.BASE_DIR) / "campus/web/demo/lessons").glob("*.md"))
    words = " ".join(text.read_text(encoding="utf-8") for text in texts).split()
    rng = random.Random(7)
    modules = Module.objects.bulk_create(Module(run=run, position=n, title=f"{n}주차") for n in range(1, MODULES + 1))
    lessons = (
        Lesson(
            module=modules[number % MODULES], position=number // MODULES + 1, title=f"수업 {number}",
            body=" ".join([*rng.choices(words, k=WORDS_EACH), "데이터를", "희귀낱말" if number % 997 == 0 else ""]),
        )
        for number in range(documents)
    )  # fmt: skip
    Lesson.objects.bulk_create(lessons, batch_size=1_000)
    return learner
