"""A feed as iCalendar (RFC 5545, 7986): the same UID for ever, a SEQUENCE that grows, times in the campus's zone."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from campus.people.models import User
from courses.catalog.api import FeedEntry, entries_of
from courses.catalog.models import Enrolment

from .access import READING
from .board import place_words
from .models import CalendarFeed, ClassSession, Kind, OfficeSlot
from .selectors import sessions_of_cohort, sessions_of_person

BACK, AHEAD = timedelta(days=90), timedelta(days=400)
PRODID = "-//AI Campus//Timetable//EN"


def calendar_of(feed: CalendarFeed, now: datetime) -> bytes:
    """The classes of a feed from 90 days ago on, cancelled ones as such, in the language of who reads it.

    A person's has what other apps registered beside them, such as deadlines. Seven queries and theirs, whatever the
    number of classes.
    """
    reader = feed.user
    entries: list[FeedEntry] = []
    with translation.override(reader.language if reader else "ko"):
        if reader is not None:
            sessions = list(sessions_of_person(reader.pk, now - BACK, now + AHEAD))
            name = _("My classes · AI Campus")
            entries = entries_of(reader.pk, now - BACK, now + AHEAD)
        else:
            sessions = list(sessions_of_cohort(feed.cohort_id or 0, now - BACK, now + AHEAD))
            name = f"{feed.cohort.run.course.name} · {feed.cohort}" if feed.cohort else ""
        return _calendar(name, sessions, entries, reader)


def _calendar(name: str, sessions: list[ClassSession], entries: list[FeedEntry], reader: User | None) -> bytes:
    from icalendar import Calendar  # a third of a second to import, which only feeds need

    calendar = Calendar()
    for key, value in (("prodid", PRODID), ("version", "2.0"), ("calscale", "GREGORIAN"), ("method", "PUBLISH")):
        calendar.add(key, value)
    calendar.add("x-wr-calname", name)
    calendar.add("name", name)
    calendar.add("refresh-interval", timedelta(minutes=30), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT30M")
    mine = _mine(reader, sessions)
    slots = _slots(reader, sessions)
    for session in sessions:
        calendar.add_component(_event(session, mine.get(session.pk, ()), slots.get(session.pk)))
    for entry in entries:
        calendar.add_component(_entry(entry))
    if sessions or entries:
        calendar.add_missing_timezones()
    return calendar.to_ical()


def _event(session: ClassSession, mine: tuple[Any, ...], slot: OfficeSlot | None) -> Any:
    from icalendar import Event

    zone = _zone(session)
    starts_at, ends_at = (slot.starts_at, slot.ends_at) if slot else (session.starts_at, session.ends_at)
    event = Event()
    # Another slot of the same hours is another event: one UID with two starts would need a sequence of its own.
    event.add("uid", f"{session.uid}-{slot.pk}@campus" if slot else f"{session.uid}@campus")
    event.add("sequence", session.sequence)
    event.add("dtstamp", session.changed_at.astimezone(_UTC))
    event.add("last-modified", session.changed_at.astimezone(_UTC))
    event.add("created", session.created_at.astimezone(_UTC))
    event.add("dtstart", starts_at.astimezone(zone))
    event.add("dtend", ends_at.astimezone(zone))
    summary = session.title if session.is_planned else _("Cancelled: %(title)s") % {"title": session.title}
    event.add("summary", f"{summary} · {session.run.course.name}")
    event.add("status", "CONFIRMED" if session.is_planned else "CANCELLED")
    event.add("transp", "OPAQUE" if session.is_planned else "TRANSPARENT")
    if session.is_planned:
        event.add("location", place_words(session, *mine))
    url = f"{settings.CAMPUS_URL}{reverse('timetable:class', args=[session.pk])}"
    event.add("url", url)
    event.add("description", _description(session, url))
    event.add("categories", [str(session.get_kind_display())])
    return event


def _entry(entry: FeedEntry) -> Any:
    """A moment that takes no time out of the day, in the time of the campus."""
    from icalendar import Event

    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed_at.astimezone(_UTC))
    event.add("last-modified", entry.changed_at.astimezone(_UTC))
    event.add("dtstart", entry.at.astimezone(ZoneInfo(timezone.get_default_timezone_name())))
    event.add("summary", entry.summary)
    event.add("description", entry.description)
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("url", entry.url)
    event.add("categories", [entry.category])
    return event


_UTC = ZoneInfo("UTC")


def _description(session: ClassSession, url: str) -> str:
    lines = [session.cancel_reason, session.note]
    teachers = ", ".join(row.user.name for row in session.teachers.all())
    if teachers:
        lines.append(_("Teachers: %(names)s") % {"names": teachers})
    if session.stream and session.is_planned:
        lines.append(_("Stream: %(url)s") % {"url": session.stream.url})
    return "\n".join(line for line in [*lines, url] if line)


def _zone(session: ClassSession) -> ZoneInfo:
    places = list(session.places.all())
    return places[0].cohort.campus.zone if places else ZoneInfo(timezone.get_default_timezone_name())


def _mine(reader: User | None, sessions: list[ClassSession]) -> dict[int, tuple[int, str]]:
    """Session to the learner's own cohort and mode. One query, none for a cohort's feed."""
    if reader is None:
        return {}
    rows = Enrolment.objects.filter(user=reader, state__in=READING).values_list("cohort_id", "mode")
    modes = dict(rows)
    return {
        session.pk: (place.cohort_id, modes[place.cohort_id])
        for session in sessions
        for place in session.places.all()
        if place.cohort_id in modes
    }


def _slots(reader: User | None, sessions: list[ClassSession]) -> dict[int, OfficeSlot]:
    """Office hours to the slot that the reader took there: their calendar shows the slot, not the hours."""
    office = [one.pk for one in sessions if one.kind == Kind.OFFICE]
    if reader is None or not office:
        return {}
    return {slot.session_id: slot for slot in OfficeSlot.objects.filter(session__in=office, learner=reader)}
