"""Who may read and change a gradebook: teaching staff of its cohorts, each their own; learners read their own row."""

from dataclasses import dataclass

from campus.core.errors import NotAllowed, NotFound
from campus.people.models import User
from courses.catalog.api import RunAccess, run_access
from courses.catalog.models import Cohort, CourseRun, Enrolment


@dataclass(frozen=True)
class BookAccess:
    """A gradebook as one member of staff may use it: the rows of `cohorts`, and (`may_edit_run`) its columns."""

    run: CourseRun
    cohorts: tuple[Cohort, ...]
    may_edit_run: bool

    @property
    def cohort_ids(self) -> frozenset[int]:
        return frozenset(cohort.pk for cohort in self.cohorts)


def get_book_for(user: User, slug: str) -> BookAccess:
    """Return the gradebook of a run for its staff. Raises NotFound for everybody else."""
    run = CourseRun.objects.select_related("course", "term", "gradebook").filter(slug=slug).first()
    if run is None:
        raise NotFound
    access = run_access(user, run)
    if not access.is_staff:
        raise NotFound
    return _book(access)


def get_book_to_edit(user: User, slug: str) -> BookAccess:
    """Return it for changing its columns and publishing. Raises NotFound, NotAllowed (assistants)."""
    book = get_book_for(user, slug)
    if not book.may_edit_run:
        raise NotAllowed
    return book


def get_row_for(user: User, enrolment_id: int) -> tuple[Enrolment, BookAccess]:
    """Return a learner's row for the staff of that learner's cohort. Raises NotFound."""
    found = (
        Enrolment.objects.select_related("user", "cohort", "run__course", "run__term").filter(pk=enrolment_id).first()
    )
    if found is None:
        raise NotFound
    access = run_access(user, found.run)
    if found.cohort_id not in {cohort.pk for cohort in access.taught}:
        raise NotFound
    return found, _book(access)


def get_row_to_finish(user: User, enrolment_id: int) -> Enrolment:
    """Return a learner's row for setting its final grade. Raises NotFound, NotAllowed (assistants)."""
    found, book = get_row_for(user, enrolment_id)
    if not book.may_edit_run:
        raise NotAllowed
    return found


def get_own_row(user: User, slug: str) -> Enrolment:
    """Return one's own place in a run, ended or not, for one's own grades. Raises NotFound."""
    found = Enrolment.objects.select_related("user", "cohort", "run__course", "run__term").filter(
        run__slug=slug, user=user
    )
    own = found.exclude(state=Enrolment.State.WITHDRAWN).first()
    if own is None or not own.run.is_published:
        raise NotFound
    return own


def _book(access: RunAccess) -> BookAccess:
    return BookAccess(access.run, access.taught, access.may_edit)
