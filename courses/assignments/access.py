"""Who may see a lab or an assignment, work on it, change it, and grade whose work."""

from django.db.models import QuerySet

from campus.core.errors import NotAllowed, NotFound
from campus.people.api import INSTRUCTING
from courses.catalog.api import RunAccess, get_editable_run, get_readable_run
from courses.catalog.models import Cohort, Enrolment
from courses.content.api import require_released

from .models import Assignment, Lab, Submission


def get_lab_for(user: object, lab_id: int) -> tuple[Lab, RunAccess]:
    """Return a lab for reading. Raises NotFound for strangers, and for learners while it is hidden; Locked."""
    lab = (
        Lab.objects.select_related("module__run__course", "module__run__term", "environment", "starter", "assignment")
        .filter(pk=lab_id)
        .first()
    )
    if lab is None:
        raise NotFound
    access = get_readable_run(user, lab.module.run)
    if not access.is_staff and not (lab.is_published and lab.module.is_published):
        raise NotFound
    require_released(access, lab.module_id)
    return lab, access


def get_lab_to_edit(user: object, lab_id: int) -> tuple[Lab, RunAccess]:
    """Return a lab for editing. Raises NotFound, NotAllowed."""
    lab, _access = get_lab_for(user, lab_id)
    return lab, get_editable_run(user, lab.module.run)


def get_assignment_for(user: object, assignment_id: int) -> tuple[Assignment, RunAccess]:
    """Return an assignment for reading. Raises NotFound for strangers, and for learners while it is hidden; Locked."""
    related = ("module__run__course", "module__run__term", "lab__environment")
    assignment = Assignment.objects.select_related(*related).filter(pk=assignment_id).first()
    if assignment is None:
        raise NotFound
    access = get_readable_run(user, assignment.module.run)
    if not access.is_staff and not (assignment.is_published and assignment.module.is_published):
        raise NotFound
    require_released(access, assignment.module_id)
    return assignment, access


def get_assignment_to_edit(user: object, assignment_id: int) -> tuple[Assignment, RunAccess]:
    """Return an assignment for editing, and for all that concerns the whole run. Raises NotFound, NotAllowed."""
    assignment, access = get_assignment_for(user, assignment_id)
    if not access.may_edit:
        raise NotAllowed
    return assignment, access


def get_assignment_to_grade(user: object, assignment_id: int) -> tuple[Assignment, RunAccess]:
    """Return an assignment for its graders: the staff of a cohort, assistants too. Raises NotFound, NotAllowed."""
    assignment, access = get_assignment_for(user, assignment_id)
    if not access.taught:
        raise NotAllowed
    return assignment, access


def graded_by(access: RunAccess) -> QuerySet[Enrolment]:
    """Return the learners whose work this person may see and grade: those of the cohorts they teach."""
    learners = Enrolment.objects.filter(cohort__in=access.taught).exclude(state=Enrolment.State.WITHDRAWN)
    return learners.select_related("user", "cohort__scope").order_by("user__name", "pk")


def get_learner_to_grade(access: RunAccess, enrolment_id: int) -> Enrolment:
    """Return one of `graded_by`. Raises NotFound."""
    found = graded_by(access).filter(pk=enrolment_id).first()
    if found is None:
        raise NotFound
    return found


def may_publish(access: RunAccess, learner: Enrolment) -> bool:
    """Say whether this person may publish and excuse for that learner: instructors do, assistants only grade."""
    return access.standing.holds(INSTRUCTING, learner.cohort.scope.path)


def regradable(access: RunAccess) -> list[Cohort]:
    """Return the cohorts of the run whose work this person may have tested anew."""
    return [one for one in access.cohorts if access.standing.holds(INSTRUCTING, one.scope.path)]


def may_regrade(access: RunAccess, cohort_id: int | None) -> bool:
    """Say whether this person decides about the grades of a cohort, None for all of the run."""
    theirs = {one.pk for one in regradable(access)}
    return len(theirs) == len(access.cohorts) if cohort_id is None else cohort_id in theirs


def get_submission_for(user: object, submission_id: int) -> tuple[Submission, RunAccess, bool]:
    """Return a submission, and whether the reader is its grader. Raises NotFound for all but its learner and staff."""
    related = ("assignment__module__run__course", "assignment__lab", "enrolment__cohort__scope", "enrolment__user")
    found = Submission.objects.select_related(*related, "source", "job").filter(pk=submission_id).first()
    if found is None:
        raise NotFound
    access = get_readable_run(user, found.assignment.module.run)
    owners = dict(found.owners.values_list("enrolment_id", "enrolment__cohort_id"))
    is_grader = any(cohort.pk in owners.values() for cohort in access.taught)
    is_mine = access.enrolment is not None and access.enrolment.pk in owners
    if not (is_grader or (is_mine and found.assignment.is_published)):
        raise NotFound
    return found, access, is_grader
