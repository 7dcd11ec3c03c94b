"""Forms of attendance: marks, answers, requests, the policy."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .domain.rules import BOUNDS, Rules
from .models import Excuse, Mark

GIVEN = [(mark.value, mark.label) for mark in Mark if mark is not Mark.NONE]


class MarkForm(forms.Form):
    """A mark by staff for one learner; `revision` is that of the verdict on the page."""

    mark = forms.ChoiceField(label=_("Mark"), choices=GIVEN)
    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("The learner reads it."))
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class ExcuseForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=Excuse.Reason)
    text = forms.CharField(label=_("What happened"), max_length=2000, widget=forms.Textarea({"rows": 4}))


class ContestForm(forms.Form):
    text = forms.CharField(
        label=_("What is wrong with the mark"), max_length=2000, widget=forms.Textarea({"rows": 4}),
        help_text=_("Staff of your cohort read it and answer here."),
    )  # fmt: skip


class PolicyForm(forms.Form):
    """A run's rules; what each says stands beside it."""

    opens_min = forms.IntegerField(label=_("Check-in opens (minutes before)"))
    late_after_min = forms.IntegerField(label=_("In time until (minutes after the start)"))
    leave_early_min = forms.IntegerField(label=_("Leaving is fine from (minutes before the end)"))
    least_present_pct = forms.IntegerField(label=_("Least share of the class, in percent"))
    lates_per_absence = forms.IntegerField(
        label=_("So many lates are one absence"), help_text=_("0: lates never become absences.")
    )
    fail_pct = forms.IntegerField(label=_("The course is failed from this share of absences, in percent"))
    early_counts_as_late = forms.BooleanField(label=_("Leaving early counts as a late"), required=False)
    needs_check_out = forms.BooleanField(label=_("Learners must check out when they leave"), required=False)
    lab_counts = forms.BooleanField(
        label=_("Lab runs during a lab class count as being there"), required=False,
        help_text=_("Only for learners who agreed to it."),
    )  # fmt: skip
    reason = forms.CharField(label=_("Reason for the change"), max_length=300, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (least, most) in BOUNDS.items():
            field = self.fields[name]
            field.min_value, field.max_value = least, most  # type: ignore[attr-defined]
            field.widget.attrs |= {"min": least, "max": most, "inputmode": "numeric"}

    def rules(self) -> dict[str, Any]:
        """What was entered, as a policy says it."""
        return {name: self.cleaned_data[name] for name in Rules.__dataclass_fields__}
