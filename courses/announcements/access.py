"""Who may write where, and who may read what."""

from django.db.models import Q, QuerySet

from campus.core.errors import NotAllowed, NotFound
from campus.people.api import ADMINISTERING, TEACHING, Standing, standing_of
from campus.people.models import User
from campus.places.models import Campus
from courses.catalog.models import Cohort, CourseRun, Enrolment

from .models import Announcement, Delivery

READING = (Enrolment.State.ACTIVE, Enrolment.State.COMPLETED)


def cohorts_written_for(standing: Standing) -> QuerySet[Cohort]:
    """The cohorts that a person teaches or administers."""
    return Cohort.objects.filter(scope__path__overlap=standing.scope_ids(TEACHING))


def runs_written_for(standing: Standing) -> QuerySet[CourseRun]:
    """The runs of which a person teaches every cohort: nobody writes to another's cohort through the course."""
    others = Cohort.objects.exclude(scope__path__overlap=standing.scope_ids(TEACHING)).values("run_id")
    return CourseRun.objects.filter(pk__in=cohorts_written_for(standing).values("run_id")).exclude(pk__in=others)


def campuses_written_for(standing: Standing) -> QuerySet[Campus]:
    """The campuses that a person administers."""
    return Campus.objects.filter(scope__path__overlap=standing.scope_ids(ADMINISTERING))


def may_write(standing: Standing, about: Announcement) -> bool:
    """Say whether a person may write, change and withdraw what is announced there."""
    if about.reach == Announcement.Reach.EVERYONE:
        return standing.is_platform_admin
    if about.reach == Announcement.Reach.CAMPUS:
        return campuses_written_for(standing).filter(pk=about.campus_id or 0).exists()
    if about.reach == Announcement.Reach.RUN:
        return runs_written_for(standing).filter(pk=about.run_id or 0).exists()
    return cohorts_written_for(standing).filter(pk=about.cohort_id or 0).exists()


def written_by(standing: Standing) -> QuerySet[Announcement]:
    """All that a person may change: what was written for the places they write for."""
    places = Q(cohort__in=cohorts_written_for(standing)) | Q(run__in=runs_written_for(standing))
    places |= Q(campus__in=campuses_written_for(standing))
    if standing.is_platform_admin:
        places |= Q(reach=Announcement.Reach.EVERYONE)
    return Announcement.objects.filter(places)


def readable_by(standing: Standing) -> QuerySet[Announcement]:
    """What is announced to a person: as learner of a place, or as one of its staff."""
    user_id = standing.user_id or 0
    mine = Enrolment.objects.filter(user_id=user_id, state__in=READING)
    learners = Q(cohort__in=mine.values("cohort_id")) | Q(run__in=mine.values("run_id"))
    learners |= Q(campus__in=mine.values("cohort__campus_id")) | Q(reach=Announcement.Reach.EVERYONE)
    seen = Q(pk__in=Announcement.objects.filter(learners).exclude(role=Announcement.Role.STAFF))
    seen |= Q(pk__in=Delivery.objects.filter(recipient_id=user_id).values("announcement_id"))
    if standing.grants:
        taught = cohorts_written_for(standing)
        staff = Q(cohort__in=taught) | Q(run__in=taught.values("run_id"))
        staff |= Q(campus__in=taught.values("campus_id")) | Q(campus__in=campuses_written_for(standing))
        staff |= Q(reach=Announcement.Reach.EVERYONE)
        seen |= Q(pk__in=Announcement.objects.filter(staff).exclude(role=Announcement.Role.LEARNERS))
    return Announcement.objects.filter(seen, state=Announcement.State.PUBLISHED)


def found_by(standing: Standing) -> Q:
    """Return the condition on rows that name an announcement in `object_id`: what a person may read or change."""
    if standing.user_id is None:
        return Q(pk__in=[])
    found = Q(object_id__in=readable_by(standing).values("pk"))
    if standing.grants:
        written = written_by(standing).filter(state=Announcement.State.PUBLISHED)
        found |= Q(object_id__in=written.values("pk"))
    return found


def get_announcement_for(user: User, announcement_id: int) -> tuple[Announcement, bool]:
    """Return what a person may read, and whether they may change it. Raises NotFound, for drafts of others too."""
    places = ("cohort__scope", "cohort__run__course", "run__course", "campus__scope")
    rows = Announcement.objects.select_related("author", *places)
    found, standing = rows.filter(pk=announcement_id).first(), standing_of(user)
    if found is None:
        raise NotFound
    writes = may_write(standing, found)
    if not writes and not readable_by(standing).filter(pk=found.pk).exists():
        raise NotFound
    return found, writes


def get_announcement_to_write(user: User, announcement_id: int) -> Announcement:
    """Return what a person may change. Raises NotFound, NotAllowed for those who may only read it."""
    found, writes = get_announcement_for(user, announcement_id)
    if not writes:
        raise NotAllowed
    return found
