"""Forms of what a run does about late work, late days and outages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from courses.catalog.api import MinutesField

from .models import Assignment, LateDayBank, OutagePolicy


class LateDaysForm(forms.ModelForm):
    prefix = "days"
    days = forms.IntegerField(label=_("Late days for each learner"), min_value=0, max_value=60)

    class Meta:
        model = LateDayBank
        fields = ("days", "is_automatic")


class LatePolicyForm(forms.ModelForm):
    """What lateness costs; written into all assignments that are not due yet."""

    prefix = "late"
    late_grace_s = MinutesField(label=_("Grace in minutes"))
    late_interval_s = MinutesField(label=_("Deduct for each begun, in minutes"))

    class Meta:
        model = Assignment
        fields = ("late_grace_s", "late_interval_s", "late_deduct_pct", "late_floor_pct")

    def _post_clean(self) -> None:
        """Nothing: the values are for other assignments than the one they begin with."""


class OutagePolicyForm(forms.ModelForm):
    prefix = "outage"

    class Meta:
        model = OutagePolicy
        fields = ("look_back_h", "least_wait_min", "most_h")


def policy_forms(run_id: int, said: Any = None, what: str = "") -> dict[str, forms.ModelForm]:
    """Return the forms by what they change, one of them bound to what was `said`. Three queries."""
    newest = Assignment.objects.filter(module__run=run_id).order_by("-pk").first() or Assignment()
    bank = LateDayBank.objects.filter(run=run_id).first() or LateDayBank(run_id=run_id)
    outage = OutagePolicy.objects.filter(run=run_id).first() or OutagePolicy(run_id=run_id)
    return {
        "days": LateDaysForm(said if what == "days" else None, instance=bank),
        "late": LatePolicyForm(said if what == "late" else None, instance=newest),
        "outage": OutagePolicyForm(said if what == "outage" else None, instance=outage),
    }
