"""A learner asks that a mark be looked at again; staff of the cohort answer, once."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from campus.people.models import User
from courses.catalog.models import Enrolment
from courses.gradebook.models import GradeItem, RegradeRequest
from courses.gradebook.notices import tell_learner_of_answer, tell_staff_of_question


def ask_regrade(*, enrolment: Enrolment, item_id: int, text: str) -> RegradeRequest:
    """Ask about a published mark. Raises NotFound (hidden items), InvalidInput, NotAllowed, Conflict (one is open)."""
    item = GradeItem.objects.filter(pk=item_id, category__run_id=enrolment.run_id, is_published=True).first()
    if item is None:
        raise NotFound
    if enrolment.state == Enrolment.State.WITHDRAWN:
        raise NotAllowed
    text = text.strip()
    if len(text) < 10:
        raise InvalidInput({"text": _("Say in a sentence what should be looked at again.")})
    if len(text) > 2000:
        raise InvalidInput({"text": _("At most 2,000 characters.")})
    try:
        with transaction.atomic():
            made = RegradeRequest.objects.create(item=item, enrolment=enrolment, text=text)
            tell_staff_of_question(made)
    except IntegrityError as error:
        raise Conflict(_("You asked about this mark already; an answer is on its way.")) from error
    return made


@transaction.atomic
def answer_regrade(
    *, request_id: int, cohort_ids: frozenset[int], is_changed: bool, answer: str, actor: User
) -> RegradeRequest:
    """Answer a request of a learner in `cohort_ids`. Raises NotFound, InvalidInput, Conflict (answered already)."""
    found = (
        RegradeRequest.objects.select_for_update(of=("self",))
        .select_related("item", "enrolment__run__course")
        .filter(pk=request_id, enrolment__cohort_id__in=cohort_ids)
        .first()
    )
    if found is None:
        raise NotFound
    if found.state != RegradeRequest.State.OPEN:
        raise Conflict(_("%(who)s answered this already.") % {"who": found.answered_by})
    if not answer.strip():
        raise InvalidInput({"answer": _("Write the learner an answer.")})
    found.state = RegradeRequest.State.CHANGED if is_changed else RegradeRequest.State.KEPT
    found.answer, found.answered_by, found.answered_at = answer.strip()[:2000], actor, database_now()
    found.save(update_fields=["state", "answer", "answered_by", "answered_at"])
    tell_learner_of_answer(found)
    return found
