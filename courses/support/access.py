"""Who sees signals: the staff of the learner's cohort, and nobody else. A message is also the learner's own."""

from campus.core.errors import NotFound
from campus.people.models import User
from courses.catalog.api import get_cohort_for
from courses.catalog.models import Enrolment

from .models import SupportMessage


def get_learner_for_staff(user: User, enrolment_id: int) -> Enrolment:
    """Return somebody enrolled in a cohort that one teaches. Raises NotFound, for the learner too."""
    rows = Enrolment.objects.select_related("user", "cohort__scope", "cohort__run__course")
    enrolment = rows.filter(pk=enrolment_id, state=Enrolment.State.ACTIVE).first()
    if enrolment is None:
        raise NotFound
    get_cohort_for(user, enrolment.cohort_id)
    return enrolment


def get_message_for(user: User, message_id: int) -> SupportMessage:
    """Return a message for whom it is for, and for the staff of their cohort. Raises NotFound."""
    rows = SupportMessage.objects.select_related("author", "enrolment__user", "enrolment__cohort__run__course")
    message = rows.filter(pk=message_id).first()
    if message is None:
        raise NotFound
    if message.enrolment.user_id != user.pk:
        get_cohort_for(user, message.enrolment.cohort_id)
    return message
