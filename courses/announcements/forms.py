"""The form of an announcement: one list of the places that its writer may write for."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campus.people.api import Standing
from courses.catalog.api import LocalTimeField

from .access import campuses_written_for, cohorts_written_for, runs_written_for
from .models import Announcement
from .services import Wish

Reach = Announcement.Reach


def place_choices(standing: Standing) -> Iterator[tuple[Any, Any]]:
    """Yield the places by kind, the nearest first; a kind without places is left out."""
    cohorts = cohorts_written_for(standing).select_related("run__course", "run__term").order_by("-run__term__starts_on")
    rows = [(f"COHORT:{one.pk}", f"{one.run.course.name} · {one.name} ({one.run.term.name})") for one in cohorts]
    runs = runs_written_for(standing).select_related("course", "term").order_by("-term__starts_on")
    courses = [(f"RUN:{one.pk}", f"{one.course.name} ({one.term.name})") for one in runs]
    campuses = [(f"CAMPUS:{one.pk}", one.name) for one in campuses_written_for(standing).order_by("slug")]
    everyone = [("EVERYONE:", Reach.EVERYONE.label)] if standing.is_platform_admin else []
    groups = ((_("Cohorts"), rows), (_("Whole courses"), courses), (_("Campuses"), campuses + everyone))
    yield from ((label, group) for label, group in groups if group)


class AnnouncementForm(forms.Form):
    """What is announced, to whom, and when. Of what is published only the words can change."""

    title = forms.CharField(label=_("Title"), max_length=120)
    body = forms.CharField(
        label=_("Text"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 12, "data-editor": "markdown"}),
        help_text=_("Markdown: **bold**, lists, links, code."),
    )  # fmt: skip
    place = forms.ChoiceField(label=_("For"))
    role = forms.ChoiceField(label=pgettext_lazy("announcement", "To whom"), choices=Announcement.Role.choices)
    publish_at = LocalTimeField(
        label=_("Publish at"), required=False, help_text=_("Campus time. Leave it empty to publish by hand.")
    )

    def __init__(self, *args: Any, standing: Standing, found: Announcement | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._found = found
        if found is not None and found.state == Announcement.State.PUBLISHED:
            for name in ("place", "role", "publish_at"):
                del self.fields[name]
        else:
            self.fields["place"].choices = list(place_choices(standing))  # type: ignore[attr-defined]

    def wish(self) -> Wish:
        """Return what was asked for; the place of what is published stays as it is."""
        said, found = self.cleaned_data, self._found
        if "place" not in said and found is not None:
            return Wish(said["title"], said["body"], found.reach)
        reach, _colon, pk = said["place"].partition(":")
        place = {f"{reach.lower()}_id": int(pk)} if pk else {}
        return Wish(
            said["title"], said["body"], reach, said["role"], publish_at=said["publish_at"], **place
        )  # fmt: skip


def initial_of(found: Announcement) -> dict[str, Any]:
    """What the form shows of an announcement that is there."""
    place = f"{found.reach}:{found.cohort_id or found.run_id or found.campus_id or ''}"
    fields = ("title", "body", "role", "publish_at")
    return {name: getattr(found, name) for name in fields} | {"place": place}
