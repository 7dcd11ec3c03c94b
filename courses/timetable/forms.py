"""Forms of the timetable: a class, a weekly series, holidays, streams."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campus.core.formats import is_korean
from campus.people.models import User
from campus.places.models import Campus, Room
from courses.catalog.api import DayField
from courses.catalog.models import Cohort, CourseRun
from courses.content.models import Module
from infra.pool.models import Gpu, Site

from .domain.recurrence import at_wall
from .models import ClassSeries, ClassSession, Holiday, Kind, Stream
from .services.wishes import ClassWish, PlaceWish, SeriesWish, people_who_teach, zone_of

WEEKDAYS = [(0, _("Monday")), (1, _("Tuesday")), (2, _("Wednesday")), (3, _("Thursday")), (4, _("Friday")),
            (5, _("Saturday")), (6, _("Sunday"))]  # fmt: skip
_PLACE_FIELDS = ("cohort", "room", "gpus", "gpu_type", "site")
_DAYS = re.compile(r"\d{4}-\d{2}-\d{2}")


class PlaceRow(NamedTuple):
    """A cohort's fields, drawn as one row."""

    cohort: Cohort
    takes: forms.BoundField
    room: forms.BoundField
    gpus: forms.BoundField
    gpu_type: forms.BoundField
    site: forms.BoundField


def clock_field(label: Any) -> forms.TimeField:
    """A time of the wall clock, entered with the browser's own picker."""
    return forms.TimeField(label=label, widget=forms.TimeInput({"type": "time", "step": "300"}, format="%H:%M"))


class PlanForm(forms.Form):
    """What a class and a series share: what it is, who teaches, and a row a cohort with its room and GPUs."""

    title = forms.CharField(label=_("Title"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=Kind.choices, initial=Kind.LECTURE)
    starts = clock_field(_("Begins"))
    ends = clock_field(_("Ends"))
    slot_minutes = forms.IntegerField(
        label=_("Minutes a slot"), required=False, min_value=5, max_value=240,
        help_text=_("For office hours: learners book slots of this length."),
    )  # fmt: skip
    stream = forms.ModelChoiceField(
        label=_("Live stream"), queryset=Stream.objects.none(), required=False, empty_label=_("no stream")
    )
    teachers = forms.ModelMultipleChoiceField(
        label=_("Teachers"), queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, run: CourseRun, cohorts: Sequence[Cohort], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run, self.cohorts = run, list(cohorts)
        self._choices("stream", Stream.objects.filter(is_active=True))
        self._choices("teachers", people_who_teach(self.cohorts))
        rooms, sites = _rooms(self.cohorts), list(Site.objects.filter(is_open=True).select_related("campus"))
        site_choices = [(site.pk, site.name) for site in sites]
        types = Gpu.objects.filter(node__site__is_open=True).exclude(gpu_type="").order_by("gpu_type")
        names = types.values_list("gpu_type", flat=True).distinct()
        type_choices = [("", pgettext_lazy("GPU type", "any")), *((name, name) for name in names)]
        for cohort in self.cohorts:
            self.fields[f"cohort_{cohort.pk}"] = forms.BooleanField(label=cohort.name, required=False)
            self.fields[f"room_{cohort.pk}"] = forms.TypedChoiceField(
                label=_("Room"), required=False, coerce=int, empty_value=None,
                choices=[("", _("online, no room")), *rooms],
            )  # fmt: skip
            self.fields[f"gpus_{cohort.pk}"] = forms.IntegerField(
                label=_("GPUs"), required=False, min_value=0, max_value=2000, initial=0
            )
            self.fields[f"gpu_type_{cohort.pk}"] = forms.ChoiceField(
                label=_("GPU type"), required=False, choices=type_choices
            )
            self.fields[f"site_{cohort.pk}"] = forms.TypedChoiceField(
                label=_("GPU site"), required=False, coerce=int, empty_value=None, choices=site_choices,
                initial=next((site.pk for site in sites if site.campus_id == cohort.campus_id), None),
            )  # fmt: skip

    def _choices(self, name: str, rows: Any) -> None:
        self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def place_rows(self) -> Iterator[PlaceRow]:
        """The rows of the cohorts, for the template."""
        for cohort in self.cohorts:
            yield PlaceRow(cohort, *(self[f"{name}_{cohort.pk}"] for name in _PLACE_FIELDS))

    def wish(self) -> ClassWish:
        """What was entered, as the services take it."""
        given = self.cleaned_data
        return ClassWish(
            title=given["title"], kind=given["kind"],
            places=tuple(self._place(cohort) for cohort in self.cohorts if given[f"cohort_{cohort.pk}"]),
            teacher_ids=tuple(user.pk for user in given["teachers"]),
            stream_id=given["stream"].pk if given["stream"] else None,
            module_id=given["module"].pk if given.get("module") else None, note=given.get("note", ""),
            slot_minutes=given["slot_minutes"] if given["kind"] == Kind.OFFICE else None,
        )  # fmt: skip

    def _place(self, cohort: Cohort) -> PlaceWish:
        given = self.cleaned_data
        room, gpus, gpu_type, site = (given[f"{name}_{cohort.pk}"] for name in _PLACE_FIELDS[1:])
        return PlaceWish(cohort.pk, room, gpus or 0, gpu_type if gpus else "", site)

    def zone(self) -> Any:
        """Whose clock the times are of: the first chosen cohort's campus's."""
        given = getattr(self, "cleaned_data", {})
        chosen = [cohort for cohort in self.cohorts if given.get(f"cohort_{cohort.pk}")]
        return zone_of(chosen or self.cohorts)


class ClassForm(PlanForm):
    day = DayField(label=_("Date"))
    module = forms.ModelChoiceField(
        label=_("Module"), queryset=Module.objects.none(), required=False, empty_label=_("none")
    )
    note = forms.CharField(
        label=_("Note"), required=False, max_length=2000, widget=forms.Textarea({"rows": 3}),
        help_text=_("What to bring or read before; learners see it."),
    )  # fmt: skip
    sequence = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choices("module", Module.objects.filter(run=self.run))

    def times(self) -> tuple[datetime, datetime]:
        """When it begins and ends."""
        given = self.cleaned_data
        return tuple(at_wall(given["day"], given[name], self.zone()) for name in ("starts", "ends"))  # type: ignore[return-value]


class SeriesForm(PlanForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"), choices=WEEKDAYS, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    from_on = DayField(label=_("First day"))
    until_on = DayField(label=_("Last day"))
    skipped = forms.CharField(
        label=_("Not on"), required=False,
        help_text=_("Days without this class, as 2026-12-24, 2026-12-31. Holidays are left out by themselves."),
    )  # fmt: skip

    def clean_skipped(self) -> tuple[date, ...]:
        """Days as people write them: apart by commas or spaces."""
        words = [word for word in re.split(r"[\s,;]+", self.cleaned_data["skipped"]) if word]
        try:
            if all(_DAYS.fullmatch(word) for word in words):
                return tuple(sorted({date.fromisoformat(word) for word in words}))
        except ValueError:
            pass
        raise forms.ValidationError(_("Write days as 2026-12-24, with commas between them."))

    def when(self) -> SeriesWish:
        """When its classes are."""
        given = self.cleaned_data
        return SeriesWish(
            tuple(given["weekdays"]), given["starts"], given["ends"], given["from_on"], given["until_on"],
            given["skipped"],
        )  # fmt: skip


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Learners and teachers read it."),
        widget=forms.TextInput({"autofocus": True}),
    )  # fmt: skip


class SlotForm(forms.Form):
    starts_at = forms.CharField(max_length=40, widget=forms.HiddenInput)
    topic = forms.CharField(label=_("What is it about?"), max_length=200, required=False)

    def clean_starts_at(self) -> datetime:
        """The slot's start as an instant."""
        return parsed_at(self.cleaned_data["starts_at"])


class HolidayForm(forms.ModelForm):
    class Meta:
        model = Holiday
        fields = ("on", "name_ko", "name_en", "campus")
        widgets = {"on": forms.DateInput({"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, campuses: Any, everywhere: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = forms.ModelChoiceField(
            label=_("Campus"), queryset=campuses, required=not everywhere,
            empty_label=_("every campus") if everywhere else None,
        )  # fmt: skip
        self.fields["campus"] = field

    def _post_clean(self) -> None:
        """The service checks the row, and says whose the day is already."""


class StreamForm(forms.ModelForm):
    class Meta:
        model = Stream
        fields = ("name_ko", "name_en", "url", "is_active")
        labels = {"url": _("Where learners watch")}
        widgets = {"url": forms.URLInput()}

    def _post_clean(self) -> None:
        """The service checks the row."""


def parsed_at(text: str) -> datetime:
    """An instant written with its offset from UTC. Raises ValidationError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 2000 <= at.year < 2200:
        raise forms.ValidationError(_("Choose a time."))
    return at


def _rooms(cohorts: Sequence[Cohort]) -> list[tuple[str, list[tuple[int, str]]]]:
    """Rooms in use at the campuses of these cohorts, by campus, with how many they seat."""
    campuses = {cohort.campus_id: cohort.campus for cohort in cohorts}
    rooms = Room.objects.filter(is_active=True, building__campus__in=campuses).select_related("building")
    grouped: dict[int, list[tuple[int, str]]] = {pk: [] for pk in campuses}
    for room in rooms.order_by("building__campus_id", "building_id", "floor", "name_ko"):
        grouped[room.building.campus_id].append((room.pk, f"{room.building.name} {room.name} ({room.capacity})"))
    return [(campus_name(campus), grouped[pk]) for pk, campus in campuses.items()]


def campus_name(campus: Campus) -> str:
    return campus.name_ko if is_korean() else campus.name


def initial_of(found: ClassSession | ClassSeries, zone: Any) -> dict[str, Any]:
    """A class or series as its form shows it."""
    initial: dict[str, Any] = {
        name: getattr(found, name) for name in ("title", "kind", "slot_minutes")
    } | {"stream": found.stream_id}  # fmt: skip
    if isinstance(found, ClassSession):
        starts, ends = found.starts_at.astimezone(zone), found.ends_at.astimezone(zone)
        initial |= {"day": starts.date(), "starts": starts.time(), "ends": ends.time(), "note": found.note}
        initial |= {"module": found.module_id, "sequence": found.sequence}
        initial["teachers"] = [row.user_id for row in found.teachers.all()]
    else:
        initial |= {name: getattr(found, name) for name in ("starts", "ends", "from_on", "until_on", "weekdays")}
        initial |= {"skipped": ", ".join(day.isoformat() for day in found.skipped)}
        initial["teachers"] = [user.pk for user in found.teachers.all()]
    for place in found.places.all():
        pk = place.cohort_id
        initial |= {f"cohort_{pk}": True, f"room_{pk}": place.room_id, f"gpus_{pk}": place.gpus}
        initial |= {f"gpu_type_{pk}": place.gpu_type}
        if place.site_id:
            initial[f"site_{pk}"] = place.site_id
    return initial


def blank(cohorts: Sequence[Cohort], day: date) -> dict[str, Any]:
    """A new class's form: tomorrow's usual hours, all cohorts of the run."""
    initial: dict[str, Any] = {f"cohort_{cohort.pk}": True for cohort in cohorts}
    return initial | {"day": day + timedelta(days=1), "starts": time(9), "ends": time(12)}
