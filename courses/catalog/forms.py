"""Forms of the catalogue: opening and changing, enrolling, importing a roster."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campus.core.forms import ServiceModelForm
from campus.places.models import Campus

from .copying import copiers
from .domain.shifting import MOST_WEEKS
from .fields import DayField, GpuHoursField, LocalTimeField, slug_field
from .models import Cohort, Course, CourseRun, Enrolment, Programme, Term

_SUMMARIES = {
    "summary_ko": forms.CharField(label=_("Summary in Korean"), required=False, widget=forms.Textarea({"rows": 3})),
    "summary_en": forms.CharField(label=_("Summary in English"), required=False, widget=forms.Textarea({"rows": 3})),
}


class ProgrammeForm(ServiceModelForm):
    slug = slug_field()
    summary_ko, summary_en = _SUMMARIES["summary_ko"], _SUMMARIES["summary_en"]

    class Meta:
        model = Programme
        fields = ("name_ko", "name_en", "slug", "summary_ko", "summary_en")


class CourseForm(ServiceModelForm):
    programme = forms.ModelChoiceField(label=_("Programme"), queryset=Programme.objects.all())
    summary_ko, summary_en = _SUMMARIES["summary_ko"], _SUMMARIES["summary_en"]

    class Meta:
        model = Course
        fields = ("programme", "code", "name_ko", "name_en", "summary_ko", "summary_en")


class TermForm(ServiceModelForm):
    slug = slug_field()
    starts_on = DayField(label=_("Starts on"))
    ends_on = DayField(label=_("Ends on"))

    class Meta:
        model = Term
        fields = ("name_ko", "name_en", "slug", "starts_on", "ends_on")


class RunForm(ServiceModelForm):
    course = forms.ModelChoiceField(label=_("Course"), queryset=Course.objects.all())
    term = forms.ModelChoiceField(label=_("Term"), queryset=Term.objects.all())
    slug = slug_field()

    class Meta:
        model = CourseRun
        fields = ("course", "term", "slug", "is_published")


class CopyForm(forms.Form):
    """Where a run is copied to and what of it. `key` lets the same form make one copy only."""

    term = forms.ModelChoiceField(label=_("Term"), queryset=Term.objects.none())
    slug = slug_field()
    weeks = forms.IntegerField(
        label=_("Move dates by weeks"),
        required=False,
        min_value=-MOST_WEEKS,
        max_value=MOST_WEEKS,
        help_text=_("Empty: from the start of one term to the start of the other. Weekdays and hours stay."),
    )
    take = forms.MultipleChoiceField(label=_("What to take"), required=False, widget=forms.CheckboxSelectMultiple)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, run: CourseRun, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Term.objects.exclude(pk=run.term_id).order_by("-starts_on")
        self.fields["term"].queryset = others  # type: ignore[attr-defined]
        choices = [(one.key, one.label) for one in copiers()]
        self.fields["take"].choices = choices  # type: ignore[attr-defined]
        self.initial.setdefault("take", [key for key, _label in choices])


class CohortForm(ServiceModelForm):
    """A cohort's own settings. Its GPU time is asked for once, when it opens."""

    learner_quota_s = GpuHoursField(
        label=_("GPU hours a learner gets"),
        max_value=500_000,
        help_text=_("On enrolment; a learner cannot use more than that."),
    )
    self_enrolment_opens_at = LocalTimeField(
        label=_("Self-enrolment opens"), required=False, help_text=_("Empty: staff enrol people.")
    )
    self_enrolment_closes_at = LocalTimeField(label=_("Self-enrolment closes"), required=False)

    class Meta:
        model = Cohort
        fields = ("name", "seats", "learner_quota_s", "self_enrolment_opens_at", "self_enrolment_closes_at")


class NewCohortForm(CohortForm):
    campus = forms.ModelChoiceField(label=_("Campus"), queryset=Campus.objects.none())
    quota_s = GpuHoursField(
        label=_("GPU hours of the whole cohort"),
        required=False,
        help_text=_(
            "Taken from the campus. Empty: enough for every seat. With less, learners share what there is, "
            "each up to their own limit."
        ),
    )
    field_order = ("campus", "name", "seats", "learner_quota_s", "quota_s")

    class Meta(CohortForm.Meta):
        fields = ("name", "seats", "learner_quota_s", "self_enrolment_opens_at", "self_enrolment_closes_at")

    def __init__(self, *args: Any, campuses: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["campus"].queryset = campuses  # type: ignore[attr-defined]


class ModeForm(forms.Form):
    mode = forms.ChoiceField(label=_("How you take part"), choices=Enrolment.Mode.choices, widget=forms.RadioSelect)


class AddPersonForm(forms.Form):
    """One person, by hand."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("Used when the person is new; a name on record stays.")
    )
    mode = forms.ChoiceField(label=_("Mode"), choices=Enrolment.Mode.choices)


class RosterFileForm(forms.Form):
    """A CSV as a file, or pasted."""

    file = forms.FileField(label=_("CSV file"), required=False)
    text = forms.CharField(
        label=_("Or paste the rows here"), required=False, widget=forms.Textarea({"rows": 6, "class": "mono"})
    )

    def raw(self) -> bytes:
        """Return what was given, the file first."""
        upload = self.cleaned_data.get("file")
        if upload is not None:
            return bytes(upload.read())
        return str(self.cleaned_data.get("text", "")).encode()
