"""Where documents come from. Apps further up register their own with `register_source`."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campus.people.api import Standing
from courses.announcements.api import found_by as announced_to
from courses.announcements.models import Announcement
from courses.assignments.models import Assignment, Lab
from courses.catalog.models import CourseRun
from courses.content.models import Lesson, Module
from courses.materials.api import texts_of
from courses.materials.models import Material
from courses.timetable.models import ClassSession

Text = Any


@dataclass(frozen=True)
class Found:
    """One thing as it is now. `body` is plain text or Markdown."""

    object_id: int
    run_id: int | None
    title: str
    url: str
    body: str = ""
    module_id: int | None = None
    is_shown: bool = True
    cohort_ids: tuple[int, ...] = field(default=())
    at: datetime | None = None


@dataclass(frozen=True)
class Source:
    """A kind of thing that can be found. `read(ids)` gives some of them, `read(None)` all; a fixed number of queries.

    A save or deletion of a `model` row brings its document up to date. `found_by` is a condition on documents, in place
    of the runs' rules.
    """

    kind: str
    label: Text
    icon: str
    model: type[Model]
    read: Callable[[Collection[int] | None], Iterable[Found]]
    order: int = 50
    found_by: Callable[[Standing], Q] | None = None


_sources: dict[str, Source] = {}


def register_source(source: Source) -> None:
    """Let things of a kind be found. From `AppConfig.ready()`."""
    _sources[source.kind] = source


def sources() -> list[Source]:
    """Return the kinds, in the order in which they are offered."""
    return sorted(_sources.values(), key=lambda one: (one.order, one.kind))


def _rows(model: Any, ids: Collection[int] | None) -> Any:
    return model.objects.all() if ids is None else model.objects.filter(pk__in=ids)


def courses(ids: Collection[int] | None) -> Iterable[Found]:
    for run in _rows(CourseRun, ids).select_related("course", "term"):
        course = run.course
        body = "\n".join((course.code, course.name_en, run.term.name_ko, course.summary_ko, course.summary_en))
        url = reverse("catalog:run", args=[run.slug])
        yield Found(run.pk, run.pk, course.name_ko, url, body, is_shown=run.is_published)


def modules(ids: Collection[int] | None) -> Iterable[Found]:
    for one in _rows(Module, ids).select_related("run"):
        url = reverse("catalog:run", args=[one.run.slug]) + f"#module-{one.pk}"
        yield Found(one.pk, one.run_id, one.title, url, module_id=one.pk, is_shown=one.is_published)


def lessons(ids: Collection[int] | None) -> Iterable[Found]:
    for one in _rows(Lesson, ids).select_related("module"):
        url = reverse("content:lesson", args=[one.pk])
        yield Found(one.pk, one.module.run_id, one.title, url, one.body, one.module_id, one.is_published)


def labs(ids: Collection[int] | None) -> Iterable[Found]:
    for one in _rows(Lab, ids).select_related("module"):
        url = reverse("assignments:lab", args=[one.pk])
        yield Found(one.pk, one.module.run_id, one.title, url, one.brief, one.module_id, one.is_published)


def assignments(ids: Collection[int] | None) -> Iterable[Found]:
    for one in _rows(Assignment, ids).select_related("module"):
        url = reverse("assignments:assignment", args=[one.pk])
        yield Found(one.pk, one.module.run_id, one.title, url, one.brief, one.module_id, one.is_published)


def materials(ids: Collection[int] | None) -> Iterable[Found]:
    for found in texts_of(ids):
        one = found.material
        url = reverse("materials:material", args=[one.pk])
        yield Found(one.pk, one.module.run_id, one.title, url, found.text, one.module_id, one.is_published)


def classes(ids: Collection[int] | None) -> Iterable[Found]:
    for one in _rows(ClassSession, ids).prefetch_related("places"):
        cohorts = tuple(sorted(place.cohort_id for place in one.places.all()))
        url = reverse("timetable:class", args=[one.pk])
        yield Found(one.pk, one.run_id, one.title, url, one.note, cohort_ids=cohorts, at=one.starts_at)


def announcements(ids: Collection[int] | None) -> Iterable[Found]:
    """Those that are out: drafts, and what is scheduled, are nobody's yet."""
    rows = _rows(Announcement, ids).filter(state=Announcement.State.PUBLISHED).select_related("cohort")
    for one in rows:
        run_id = one.cohort.run_id if one.cohort is not None else one.run_id
        url = reverse("announcements:announcement", args=[one.pk])
        yield Found(one.pk, run_id, one.title, url, one.body, at=one.published_at)


OWN = (
    Source("course", _("Courses"), "book-open", CourseRun, courses, 10),
    Source("module", _("Modules"), "folder", Module, modules, 20),
    Source("lesson", _("Lessons"), "file-text", Lesson, lessons, 30),
    Source("material", _("Videos and files"), "video", Material, materials, 35),
    Source("lab", _("Labs"), "flask-conical", Lab, labs, 40),
    Source("assignment", _("Assignments"), "upload", Assignment, assignments, 50),
    Source("class", pgettext_lazy("kind of thing", "Classes"), "calendar-days", ClassSession, classes, 70),
    Source("announcement", _("Announcements"), "megaphone", Announcement, announcements, 80, announced_to),
)
