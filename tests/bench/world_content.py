"""What a course shows and says beside its work: materials that were watched, versions, announcements, messages,
what learners ask; filled by bulk inserts."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from campus.people.models import User
from courses.announcements.models import Announcement, Delivery
from courses.assignments.authoring import save_suite
from courses.assignments.models import Assignment, GradingRun, RegradeBatch, Submission
from courses.attendance.models import Contest, Evidence, Excuse
from courses.attendance.services.drawing import Cause, draw, policy_of
from courses.catalog.models import Cohort, Enrolment
from courses.content.models import Lesson, LessonVersion, Module
from courses.gradebook.models import GradeItem, RegradeRequest
from courses.materials.api import Content, open_material, save_captions, save_chapters
from courses.materials.models import MaterialVersion, WatchCredit, WatchEvidence
from courses.support.models import SupportMessage
from courses.timetable.models import ClassSession

SECONDS = 1_200  # a video of twenty minutes
REPORTS = 10  # of the viewer's player
TESTS = "def test_one():\n    assert True\n"


@dataclass(frozen=True)
class Shown:
    """What the pages of a world ask for."""

    video_id: int
    announcement_id: int
    message_id: int
    regrade_id: int
    regraded_id: int
    submission_id: int
    item_id: int


def show(
    cohort: Cohort, enrolments: Sequence[Enrolment], instructor: User, given: Sequence[Assignment],
    items: Sequence[GradeItem], class_id: int, number: int,
) -> Shown:  # fmt: skip
    """Fill the run of `cohort`: `number` of whatever a page lists, and one a learner where it lists learners."""
    modules = list(Module.objects.filter(run=cohort.run).order_by("position"))
    videos = [video_of(modules[0], f"영상 {n}") for n in range(1, number + 1)]
    _watch(videos, enrolments)
    _write_versions(Lesson.objects.filter(module=modules[0]).order_by("position")[0], instructor, number)
    announcement_id = _announce(cohort, enrolments, instructor, number)
    messages = SupportMessage.objects.bulk_create(
        SupportMessage(enrolment=enrolments[0], author=instructor, title=f"메시지 {n}", body="이야기해요")
        for n in range(number)
    )
    RegradeRequest.objects.bulk_create(
        RegradeRequest(item=items[-1], enrolment=one, text="다시 봐 주세요") for one in enrolments
    )
    _ask(ClassSession.objects.get(pk=class_id), enrolments)
    submission = Submission.objects.filter(assignment=given[0], enrolment=enrolments[0]).latest("pk")
    regrade_id = _regrade(given[0], instructor)
    return Shown(
        videos[0].material_id, announcement_id, messages[0].pk, regrade_id, given[0].pk, submission.pk, items[-1].pk
    )


def video_of(module: Module, title: str) -> MaterialVersion:
    """A video of SECONDS with captions and chapters; there is nothing to see in it."""
    upload = SimpleUploadedFile("lecture.mp4", _mp4(title.encode()))
    made = open_material(
        module_id=module.pk, kind="VIDEO", content=Content(upload), actor=None, title=title, minutes=20,
        description="**영상**",
    )  # fmt: skip
    cues = "".join(f"{_at(n * 10)} --> {_at(n * 10 + 8)}\n{n}번째 문장입니다.\n\n" for n in range(SECONDS // 10))
    save_captions(
        material_id=made.pk,
        language="ko",
        upload=SimpleUploadedFile("ko.vtt", f"WEBVTT\n\n{cues}".encode()),
        actor=None,
    )
    save_chapters(material_id=made.pk, text="\n".join(f"{n * 5}:00 {n + 1}부" for n in range(4)), actor=None)
    return made.versions.get()


def _at(seconds: int) -> str:
    return f"{seconds // 60:02}:{seconds % 60:02}.000"


def _mp4(salt: bytes) -> bytes:
    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    header = struct.pack(">IIIII", 0, 0, 0, 1000, SECONDS * 1000) + bytes(80)
    return box(b"ftyp", b"isom\0\0\2\0isom") + box(b"moov", box(b"mvhd", header)) + box(b"mdat", b"x" * 200 + salt)


def _watch(videos: Sequence[MaterialVersion], enrolments: Sequence[Enrolment]) -> None:
    """Everybody watched half of every video; the first learner's reports of the first are kept."""
    now = timezone.now()
    WatchCredit.objects.bulk_create(
        WatchCredit(
            version=video, enrolment=one, pieces=[[0, SECONDS * 500]], seconds=SECONDS // 2, percent=50,
            position_ms=SECONDS * 500, reported_at=now, revision=1,
        )
        for video in videos
        for one in enrolments
    )  # fmt: skip
    WatchEvidence.objects.bulk_create(
        WatchEvidence(
            version=videos[0], enrolment=enrolments[0], tab=UUID(int=1, version=4), number=n, at=now,
            claimed=[[n * 10_000, n * 10_000 + 10_000]], counted=[[n * 10_000, n * 10_000 + 10_000]],
        )
        for n in range(REPORTS)
    )  # fmt: skip


def _write_versions(lesson: Lesson, author: User, number: int) -> None:
    LessonVersion.objects.bulk_create(
        LessonVersion(lesson=lesson, number=n, title=lesson.title, body=f"{lesson.body}\n{n}", author=author)
        for n in range(1, number + 2)
    )
    Lesson.objects.filter(pk=lesson.pk).update(body=f"{lesson.body}\n{number + 1}")


def _announce(cohort: Cohort, enrolments: Sequence[Enrolment], author: User, number: int) -> int:
    now = timezone.now()
    made = Announcement.objects.bulk_create(
        Announcement(
            author=author, reach=Announcement.Reach.COHORT, cohort=cohort, title=f"공지 {n}", body="**안내**입니다.",
            state=Announcement.State.PUBLISHED, published_at=now - timedelta(hours=n), brought_at=now,
        )
        for n in range(number)
    )  # fmt: skip
    Delivery.objects.bulk_create(
        Delivery(announcement=about, recipient_id=one.user_id) for about in made for one in enrolments
    )
    return made[0].pk


def _ask(session: ClassSession, enrolments: Sequence[Enrolment]) -> None:
    """Everybody came to the class; every third asks for an excuse all the same, every third disputes the mark."""
    Evidence.objects.bulk_create(
        Evidence(session=session, enrolment=one, kind=Evidence.Kind.QR, act=Evidence.Act.IN, at=session.starts_at)
        for one in enrolments
    )
    draw(
        [(session.pk, one.pk) for one in enrolments], {session.pk: session}, policy=policy_of(session.run_id),
        cause=Cause.EVIDENCE, by_id=None, now=session.starts_at + timedelta(minutes=1),
    )  # fmt: skip
    Excuse.objects.bulk_create(
        Excuse(session=session, enrolment=one, text="병원", reason=Excuse.Reason.ILLNESS) for one in enrolments[::3]
    )
    Contest.objects.bulk_create(Contest(session=session, enrolment=one, text="있었습니다") for one in enrolments[::3])


def _regrade(assignment: Assignment, actor: User) -> int:
    """A regrade of everybody's work that has just begun."""
    suite = save_suite(
        assignment_id=assignment.pk,
        visible=TESTS,
        hidden="",
        environment_id=None,
        seed=1,
        wall_s=60,
        gpus=1,
        actor=None,
    )
    batch = RegradeBatch.objects.create(assignment=assignment, suite=suite, reason="시험을 고침", actor=actor)
    GradingRun.objects.bulk_create(
        GradingRun(submission=one, suite=suite, batch=batch, key="0" * 64)
        for one in Submission.objects.filter(assignment=assignment)
    )
    return batch.pk
