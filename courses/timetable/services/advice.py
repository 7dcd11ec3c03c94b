"""What a planner should know though it forbids nothing: a room too small, learners who are in two classes at once."""

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from campus.core.formats import campus_date, number
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession, Holiday, SessionCohort


def advice_on(session: ClassSession) -> tuple[str, ...]:
    """Say what is odd about a class, in sentences. Four queries."""
    if not session.takes_attendance or not session.is_planned:
        return ()
    places = list(SessionCohort.objects.select_related("room__building", "cohort__campus").filter(session=session))
    cohorts = [place.cohort_id for place in places]
    active = Enrolment.objects.filter(cohort__in=cohorts, state=Enrolment.State.ACTIVE)
    onsite = dict(
        active.filter(mode=Enrolment.Mode.ONSITE).values_list("cohort_id").annotate(Count("pk")).order_by()
    )  # fmt: skip
    said = [_("%(day)s is a holiday: %(name)s.") % one for one in _holidays(session, places)]
    for room in {place.room for place in places if place.room is not None}:
        people = sum(onsite.get(place.cohort_id, 0) for place in places if place.room_id == room.pk)
        if people > room.capacity:
            words = _("%(room)s seats %(seats)s; %(people)s learn there on site.")
            said.append(words % {"room": room.name, "seats": number(room.capacity), "people": number(people)})
    for place in places:
        if (
            place.room is not None
            and place.room.building.campus_id != place.cohort.campus_id
            and onsite.get(place.cohort_id)
        ):
            words = _("%(cohort)s learns at another campus than %(room)s.")
            said.append(words % {"cohort": place.cohort.name, "room": place.room.name})
    online = [place for place in places if place.room_id is None]
    if online and session.stream_id is None:
        said.append(_("It is online and has no stream: learners do not know where to watch."))
    twice = _in_two_classes(session, cohorts)
    if twice:
        words = _("%(people)s of its learners have another class at that time, in another course.")
        said.append(words % {"people": number(twice)})
    return tuple(said)


def _holidays(session: ClassSession, places: list[SessionCohort]) -> list[dict[str, str]]:
    """Holidays of its campuses on the day on which it begins there."""
    campuses = {place.cohort.campus_id: place.cohort.campus for place in places}
    days = {pk: session.starts_at.astimezone(campus.zone).date() for pk, campus in campuses.items()}
    rows = Holiday.objects.filter(on__in=set(days.values()))
    return [
        {"day": campus_date(row.on), "name": row.name}
        for row in rows
        if any(day == row.on and row.campus_id in (None, pk) for pk, day in days.items())
    ]


def _in_two_classes(session: ClassSession, cohort_ids: list[int]) -> int:
    """How many of its learners also learn in another cohort that has a class at that time."""
    others = SessionCohort.objects.filter(
        session__starts_at__lt=session.ends_at, session__ends_at__gt=session.starts_at, period__isnull=False
    ).exclude(Q(session=session) | Q(cohort__in=cohort_ids))
    active = Enrolment.objects.filter(state=Enrolment.State.ACTIVE)
    mine = active.filter(cohort__in=cohort_ids).values("user_id")
    there = active.filter(cohort__in=others.values("cohort_id"), user_id__in=mine)
    return there.values("user_id").distinct().count()
