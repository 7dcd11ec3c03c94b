"""What learners and staff are told of grades: an answer, a question, a final grade. Never one mail a mark."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.services import notify
from campus.core.notices.topics import Topic, register_topics
from campus.people.api import INSTRUCTING
from campus.people.models import RoleGrant
from campus.people.requests import teaches
from courses.catalog.models import CourseRun, Enrolment

from .models import Cell, GradeItem, PublishedGrade, RegradeRequest

TOPICS = {"teaching.grades": Topic(_("Questions about grades"), "teaching", predicate=teaches)}

KINDS = {
    "gradebook.asked": NoticeKind(
        _("%(learner)s asks about “%(item)s”"), _("%(course)s. Answer it in the gradebook."),
        icon="message-circle", tone="action", topic="teaching.grades",
    ),
    "gradebook.answered": NoticeKind(
        _("Your question about “%(item)s” was answered"), _("%(course)s. The answer stands beside the mark."),
        icon="message-circle", tone="ok", topic="work.grades",
    ),
    "gradebook.item_published": NoticeKind(
        _("New marks in “%(course)s”"), _("The page of your grades says how they came about."),
        icon="graduation-cap", tone="ok", topic="work.grades",
    ),
    "gradebook.published": NoticeKind(
        _("Your final grade in “%(course)s” is published"), _("The page says how it came about."),
        icon="graduation-cap", tone="ok", topic="work.grades",
    ),
}  # fmt: skip


def register_notices() -> None:
    register_topics(TOPICS)
    register(KINDS)


def tell_staff_of_question(request: RegradeRequest) -> None:
    """Tell those who teach the learner's cohort."""
    enrolment = request.enrolment
    staff = RoleGrant.objects.filter(scope=enrolment.cohort.scope, role__in=[*INSTRUCTING, "ASSISTANT"])
    facts = {"learner": enrolment.user.name, "item": request.item.title, "course": enrolment.run.course.name}
    url = reverse("gradebook:questions", args=[enrolment.run.slug])
    notify(recipient_ids=staff.values_list("user_id", flat=True), kind="gradebook.asked", url=url, facts=facts)


def tell_learner_of_answer(request: RegradeRequest) -> None:
    enrolment = request.enrolment
    facts = {"item": request.item.title, "course": enrolment.run.course.name}
    url = reverse("gradebook:grades", args=[enrolment.run.slug])
    notify(recipient_ids=[enrolment.user_id], kind="gradebook.answered", url=url, facts=facts)


def tell_learners_of_item(item: GradeItem) -> None:
    """Tell those who have a mark there that there is something new to see, once a day and course."""
    run = item.category.run
    marked = Cell.objects.filter(item=item).exclude(state=Cell.State.PENDING)
    learners = marked.exclude(enrolment__state=Enrolment.State.WITHDRAWN).values_list("enrolment__user_id", flat=True)
    notify(
        recipient_ids=learners,
        kind="gradebook.item_published",
        url=reverse("gradebook:grades", args=[run.slug]),
        facts={"course": run.course.name},
        key=f"published:{run.pk}:{timezone.localdate().isoformat()}",
    )


def tell_learners_of_finals(run: CourseRun, grades: list[PublishedGrade]) -> None:
    url = reverse("gradebook:grades", args=[run.slug])
    learners = [grade.enrolment.user_id for grade in grades]
    notify(recipient_ids=learners, kind="gradebook.published", url=url, facts={"course": run.course.name})
