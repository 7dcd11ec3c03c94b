"""Forms of the gradebook."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.assignments.models import Assignment
from courses.catalog.models import CourseRun

from .domain.schemes import LETTERS, SCHEMES, Band
from .models import Gradebook, GradeCategory, GradeItem

#: The choice beside the schemes that have a name.
OWN = "OWN"


class SchemeForm(forms.ModelForm):
    """A scheme that many use, or bands of one's own: a line each, `A+ 95`, as a person would write them."""

    scheme = forms.ChoiceField(
        label=_("Grades"), widget=forms.RadioSelect, initial=OWN, required=False,
        choices=(
            ("LETTERS", _("Letters, A+ to F")), ("PASS_FAIL", _("Pass or fail")), ("PERCENT", _("Percentages alone")),
            (OWN, _("My own, as written below")),
        ),
    )  # fmt: skip
    bands = forms.CharField(
        label=_("Grades of my own"), required=False, widget=forms.Textarea(attrs={"rows": 9, "class": "mono"}),
        help_text=_(
            "A line each, best first: a name and the percentage from which it is given, such as “A+ 95”. "
            "The last begins at 0. Empty: percentages alone."
        ),
    )  # fmt: skip

    class Meta:
        model = Gradebook
        fields = ("decimals", "cap", "missing_is_zero", "scheme", "bands")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bands = self.instance.bands if self.instance.pk else _pairs(LETTERS)
        self.initial["bands"] = "\n".join(f"{name} {Decimal(least).normalize():f}" for name, least in bands)
        told = [(name, Decimal(least)) for name, least in bands]
        same = (name for name, scheme in SCHEMES.items() if [(band.name, band.least) for band in scheme] == told)
        self.initial["scheme"] = next(same, OWN)

    def clean_bands(self) -> list[list[str]]:
        bands = []
        for number, line in enumerate(self.cleaned_data["bands"].splitlines(), start=1):
            name, _space, least = line.strip().rpartition(" ")
            if not line.strip():
                continue
            try:
                percent = Decimal(least.rstrip("%"))
            except InvalidOperation:
                percent = Decimal("NaN")
            if not name.strip() or len(name.strip()) > 20 or not (percent.is_finite() and 0 <= percent <= 200):
                words = _("Line %(number)d is not a name and a percentage: “%(line)s”.")
                raise forms.ValidationError(words, params={"number": number, "line": line[:60]})
            bands.append([name.strip(), str(percent)])
        if len(bands) > 30:
            raise forms.ValidationError(_("At most 30 grades."))
        return bands

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        chosen = SCHEMES.get(found.pop("scheme", OWN))
        if chosen is not None:
            found["bands"] = _pairs(chosen)
            self.errors.pop("bands", None)
        return found


def _pairs(bands: Sequence[Band]) -> list[list[str]]:
    return [[band.name, str(band.least)] for band in bands]


class CategoryForm(forms.ModelForm):
    class Meta:
        model = GradeCategory
        fields = ("name", "weight", "drop_lowest", "weighting")


class ItemForm(forms.ModelForm):
    """An item; its kind follows from what is chosen: an assignment that is no item yet, attendance, or neither."""

    class Meta:
        model = GradeItem
        fields = ("title", "category", "kind", "assignment", "out_of", "is_bonus", "is_published")
        labels = {
            "category": pgettext_lazy("of a gradebook", "Category"),
            "kind": pgettext_lazy("of a gradebook", "Where its marks come from"),
            "assignment": pgettext_lazy("of a gradebook", "Assignment"),
        }

    def __init__(self, *args: Any, run: CourseRun, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        free = Assignment.objects.filter(module__run=run).filter(grade_item=None)
        if self.instance.assignment_id:
            free = free | Assignment.objects.filter(pk=self.instance.assignment_id)
        self.fields["category"].queryset = GradeCategory.objects.filter(run=run)  # type: ignore[attr-defined]
        self.fields["assignment"].queryset = free.order_by("module__position", "position")  # type: ignore[attr-defined]
        self.fields["assignment"].help_text = _("Its marks come from the grading desk.")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        kind, assignment = found.get("kind"), found.get("assignment")
        if kind == GradeItem.Kind.ASSIGNMENT and assignment is None:
            self.add_error("assignment", _("Choose the assignment whose marks these are."))
        if kind != GradeItem.Kind.ASSIGNMENT:
            found["assignment"] = None
        return found


class FinalForm(forms.Form):
    percent = forms.DecimalField(
        label=_("Final percentage"), required=False, min_value=0, max_value=200, decimal_places=2,
        help_text=_("Empty: the computed one stands."),
    )  # fmt: skip
    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("The learner reads it."))
    seen = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)


class RegradeForm(forms.Form):
    text = forms.CharField(
        label=_("What should be looked at again, and why?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )


class AnswerForm(forms.Form):
    is_changed = forms.TypedChoiceField(
        label=_("Outcome"), coerce=lambda value: value == "1",
        choices=(("0", _("The mark stays")), ("1", _("The mark changed"))),
        widget=forms.RadioSelect,
    )  # fmt: skip
    answer = forms.CharField(label=_("Answer"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class ImportForm(forms.Form):
    file = forms.FileField(label=_("CSV or XLSX file"))
