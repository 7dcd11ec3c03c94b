"""Publishing scores: all at one moment, one notice a day and course for each learner, never one a grade."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from campus.core import audit
from campus.core.notices.services import notify
from campus.people.models import User

from .models import Assignment, Score, ScoreChange

Draft = Score.State.DRAFT


@transaction.atomic
def publish_scores(*, assignment: Assignment, enrolment_ids: Collection[int], actor: User | None) -> int:
    """Publish every draft of these learners that has points; returns how many. The caller has judged the right."""
    drafts = Score.objects.select_for_update(of=("self",)).filter(
        assignment=assignment, enrolment_id__in=enrolment_ids, state=Draft, raw__isnull=False
    )
    ids = list(drafts.order_by("pk").values_list("pk", flat=True))
    changed = Score.objects.filter(pk__in=ids, state=Draft)
    changed.update(state=Score.State.PUBLISHED, version=F("version") + 1, published_at=Now(), changed_at=Now())
    scores = list(Score.objects.select_related("enrolment").filter(pk__in=ids).order_by("pk"))
    ScoreChange.objects.bulk_create(
        ScoreChange(
            score=score, version=score.version, state=score.state, raw=score.raw, adjusted=score.adjusted,
            picks=score.picks, comment=score.comment, reason="published", actor=actor,
        )
        for score in scores
    )  # fmt: skip
    if scores:
        audit.record(actor=actor, verb="scores.published", target=assignment, changes={"scores": (0, len(scores))})
        tell_graded(assignment, [score.enrolment.user_id for score in scores])
    return len(scores)


def tell_graded(assignment: Assignment, user_ids: Collection[int]) -> None:
    """Tell learners once a day that there is something new to see in this course."""
    run = assignment.module.run
    notify(
        recipient_ids=user_ids,
        kind="assignments.graded",
        url=reverse("assignments:list", args=[run.slug]),
        facts={"course": run.course.name},
        key=f"graded:{run.pk}:{timezone.localdate().isoformat()}",
    )
