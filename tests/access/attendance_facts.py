"""What the addresses of attendance may name: a class of Yongin's cohort that is on, and what lies behind one mark."""

from datetime import timedelta
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from courses.attendance.models import Contest, Evidence, Excuse, ExcuseDocument, Flag, Station
from courses.attendance.services import marking
from courses.timetable.models import ClassSession, SessionCohort

from .world import World


@transaction.atomic
def attended(world: World) -> dict[str, object]:
    """A class on its way, a screen, a kiosk, a mark in a batch, an excuse with a document, a dispute, a flag."""
    now, enrolment = timezone.now(), world.enrolment
    session = ClassSession.objects.create(
        run=world.run, title="경사 하강법", starts_at=now - timedelta(minutes=5), ends_at=now + timedelta(hours=1)
    )
    SessionCohort.objects.create(session=session, cohort=world.cohort, room=world.room)
    screen, kiosk = (
        Station.objects.create(session=session, kind=kind, room=world.room, key=uuid4()) for kind in Station.Kind
    )
    seen = Evidence.objects.create(session=session, enrolment=enrolment, kind="QR", act="IN", at=now, station=screen)
    batch = marking.mark(
        session=session, wishes=[marking.Wish(enrolment.pk)], mark="LATE", reason="봤어요",
        actor=world.people["instructor"], cohort_ids=[world.cohort.pk], now=now,
    )  # fmt: skip
    excuse = Excuse.objects.create(session=session, enrolment=enrolment, reason="ILLNESS", text="열이 났어요")
    document = ExcuseDocument(excuse=excuse, name="a.pdf", media_type="application/pdf", size_bytes=5, digest="d" * 64)
    document.file.save("a", ContentFile(b"%PDF-"), save=True)
    contest = Contest.objects.create(session=session, enrolment=enrolment, text="왔어요", mark="LATE")
    flag = Flag.objects.create(evidence=seen, kind=Flag.Kind.FAR_NETWORK)
    return {
        "attended": session.pk,
        "screen": screen.key,
        "kiosk": kiosk.key,
        "station": kiosk.pk,
        "marks": batch,
        "excuse": excuse.pk,
        "excuse_document": document.pk,
        "contest": contest.pk,
        "flag": flag.pk,
    }
