"""A run as who plans its classes sees it."""

from campus.core.errors import NotAllowed
from campus.people.api import standing_of
from campus.people.models import User
from courses.catalog.api import get_run_for
from courses.catalog.models import Cohort, CourseRun

from .access import plannable_cohorts


def get_plannable(user: User, slug: str) -> tuple[CourseRun, list[Cohort]]:
    """A run and its cohorts, for those who plan its classes.

    Raises NotFound (hidden from a stranger), NotAllowed (who does not instruct a cohort of it).
    """
    run = get_run_for(user, slug).run
    cohorts = list(plannable_cohorts(standing_of(user), run).order_by("campus_id", "name"))
    if not cohorts:
        raise NotAllowed
    return run, cohorts
