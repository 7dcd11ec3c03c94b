"""What people are told about attendance: staff of what is asked, learners of what was answered and decided."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campus.core.models import Way
from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.services import notify
from campus.core.notices.topics import Topic, register_topics
from campus.people.api import Role
from campus.people.models import RoleGrant
from campus.people.requests import teaches
from courses.catalog.models import Enrolment

from .models import Contest, Excuse

TOPICS = {
    "attendance.warning": Topic(_("Your absences come close to the limit"), "classes", must=True),
    "attendance.answers": Topic(_("Answers to your excuses and disputed marks"), "classes", Way.MAIL),
    "teaching.attendance": Topic(_("Excuses and disputed marks to decide"), "teaching", predicate=teaches),
}

KINDS = {
    "attendance.excuse_asked": NoticeKind(
        _("%(learner)s asks to be excused from “%(title)s”"), _("Class of %(starts_at)s."), icon="file-text",
        tone="action", topic="teaching.attendance",
    ),
    "attendance.excuse_granted": NoticeKind(
        _("You are excused from “%(title)s”"), "%(answer)s", icon="circle-check", tone="ok", topic="attendance.answers"
    ),
    "attendance.excuse_refused": NoticeKind(
        _("Your request to be excused from “%(title)s” was refused"), "%(answer)s", icon="circle-x", tone="danger",
        topic="attendance.answers",
    ),
    "attendance.contested": NoticeKind(
        _("%(learner)s disputes the mark for “%(title)s”"), _("Class of %(starts_at)s."), icon="message-square",
        tone="action", topic="teaching.attendance",
    ),
    "attendance.contest_changed": NoticeKind(
        _("Your mark for “%(title)s” was changed"), "%(answer)s", icon="circle-check", tone="ok",
        topic="attendance.answers"
    ),
    "attendance.contest_kept": NoticeKind(
        _("Your mark for “%(title)s” was kept"), "%(answer)s", icon="message-square", topic="attendance.answers"
    ),
    "attendance.near_limit": NoticeKind(
        _("Your absences in “%(course)s” come close to the limit"),
        _("Write to your instructor if something keeps you from coming."), icon="triangle-alert", tone="warn",
        topic="attendance.warning",
    ),
    "attendance.limit_reached": NoticeKind(
        _("Your absences in “%(course)s” reached the limit"), _("Talk to your instructor about what that means."),
        icon="circle-x", tone="danger", topic="attendance.warning",
    ),
}  # fmt: skip


def register_notices() -> None:
    register_topics(TOPICS)
    register(KINDS)


def mark_url(enrolment_id: int, session_id: int) -> str:
    return reverse("attendance:mark", args=[enrolment_id, session_id])


def tell_staff(kind: str, asked: Excuse | Contest) -> None:
    """Tell the instructors of the learner's cohort."""
    _tell(kind, asked, _instructors(asked.enrolment))


def tell_learner(kind: str, asked: Excuse | Contest) -> None:
    """Tell who asked."""
    _tell(kind, asked, [asked.enrolment.user_id])


def tell_standing(kind: str, enrolment: Enrolment, course: str) -> None:
    """Tell a learner once a term that absences come close to the limit, or reached it."""
    notify(
        recipient_ids=[enrolment.user_id], kind=kind, url=reverse("attendance:mine"), facts={"course": course},
        key=f"{kind}:{enrolment.pk}",
    )  # fmt: skip


def _tell(kind: str, asked: Excuse | Contest, recipients: list[int]) -> None:
    facts: dict[str, Any] = {
        "learner": asked.enrolment.user.name,
        "title": asked.session.title,
        "starts_at": asked.session.starts_at.isoformat(),
        "answer": asked.answer,
    }
    notify(recipient_ids=recipients, kind=kind, url=mark_url(asked.enrolment_id, asked.session_id), facts=facts)


def _instructors(enrolment: Enrolment) -> list[int]:
    here = Q(scope_id=enrolment.cohort.scope_id, role__in=[Role.INSTRUCTOR, Role.ASSISTANT], user__is_active=True)
    return list(RoleGrant.objects.filter(here).values_list("user_id", flat=True).distinct())
