"""The timetable's websocket: it says that something changed for the person, never what; pages read it again."""

from collections.abc import Iterable

from django.db.models import Q

from campus.people.access import TEACHING, Standing
from campus.people.live import LiveConsumer
from courses.catalog.models import Cohort

from .access import READING
from .live import cohort_group, person_group

#: Administrators look after many cohorts; they hear of these, and of the rest when they reload.
MOST_GROUPS = 200


class TimetableConsumer(LiveConsumer):
    """/ws/timetable/: the classes of one's cohorts, as learner or staff, and one's own. Never writes."""

    BEGINS_WITH_NEWS = False

    def check(self, standing: Standing) -> Iterable[str]:
        """The groups of the person and of the cohorts that are theirs now."""
        user_id = self._user_id
        learns = Q(enrolments__user_id=user_id, enrolments__state__in=READING, run__is_published=True)
        taught = Q(scope__path__overlap=standing.scope_ids(TEACHING))
        cohorts = Cohort.objects.filter(learns | taught).order_by("-pk").values_list("pk", flat=True).distinct()
        return [person_group(user_id), *(cohort_group(pk) for pk in cohorts[:MOST_GROUPS])]

    async def send_news(self) -> None:
        """Say that it is worth reading again."""
        await self.send_json({"type": "timetable"})
