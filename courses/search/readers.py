"""What one person may find: a condition of the query itself, so that no count tells of what is not theirs."""

from django.db.models import Q

from campus.people.api import INSTRUCTING, TEACHING, Standing
from courses.catalog.models import Cohort, CourseRun, Enrolment
from courses.content.api import READING, released_of

from .sources import sources


def may_find(standing: Standing) -> Q:
    """Return the condition: the runs' rules, and for kinds that have readers of their own theirs alone."""
    own = {source.kind: source.found_by for source in sources() if source.found_by is not None}
    found = ~Q(kind__in=list(own)) & _of_runs(standing)
    for kind, found_by in own.items():
        found |= Q(kind=kind) & found_by(standing)
    return found


def _of_runs(standing: Standing) -> Q:
    """Return the condition for what belongs to a run.

    Staff find all of the runs that they teach or change, hidden and locked things too. Learners find what is shown in
    their published runs, in modules that are open to them, for their cohort; everybody finds published courses. Two
    queries; seven where a module needs another.
    """
    found = Q(kind="course", is_shown=True)
    if standing.user_id is None:
        return found
    if standing.is_platform_admin:
        return Q()
    if standing.grants:
        scopes = standing.scope_ids(TEACHING | INSTRUCTING)
        found |= Q(run__in=Cohort.objects.filter(scope__path__overlap=scopes).values("run"))
    if standing.is_administering:  # a run without cohorts is every administrator's
        found |= Q(run__in=CourseRun.objects.filter(cohorts=None).values("pk"))
    mine = Enrolment.objects.filter(user_id=standing.user_id, state__in=READING, run__is_published=True)
    learners = list(mine.order_by("-state"))
    if not learners:
        return found
    cohorts = [one.cohort_id for one in learners]
    for_me = Q(cohort_ids=[]) | Q(cohort_ids__overlap=cohorts)
    is_open = Q(module=None) | Q(module__in=released_of(learners))
    return found | Q(is_shown=True, run__in={one.run_id for one in learners}) & for_me & is_open
