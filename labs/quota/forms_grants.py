"""The forms of grants that end, sponsors, lending and rates. GPU-hours in steps of a tenth, days of the campus."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .beyond import Term
from .forms_requests import HoursField
from .models import Account, Sponsor
from .services.rates import BOUNDS


def _reason() -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=_("Reason"), help_text=_("The audit trail shows it."), max_length=300, widget=widget)


def _day(label: Any, help_text: Any = "", *, required: bool = False) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, help_text=help_text, required=required, widget=widget)


class GrantForm(forms.Form):
    """GPU time for a term, or between two days; perhaps a sponsor's; perhaps carried over."""

    gpu_seconds = HoursField(label=_("GPU-hours"))
    term = forms.ChoiceField(label=_("Term"), required=False, help_text=_("Or choose days below."))
    label = forms.CharField(
        label=_("What people know it by"), max_length=120, required=False,
        help_text=_("The agreement or the occasion. Left empty, the term's name."),
    )  # fmt: skip
    first_on = _day(_("First day"), _("Left empty, it begins at once."))
    last_on = _day(_("Last day"), _("What is unused goes back after it."))
    sponsor: Any = forms.ModelChoiceField(
        label=_("Sponsor"), required=False, queryset=Sponsor.objects.all(),
        empty_label=_("None: it comes from the account above"),
        help_text=_("A sponsor's hours are new here and on every level above, and are shown as theirs."),
    )  # fmt: skip
    # xgettext:no-python-format
    carry_pct = forms.IntegerField(label=_("Of what is unused, % carried over"), min_value=0, max_value=100, initial=0)
    carry_most_s = HoursField(label=_("At most, GPU-hours"), required=False)
    carry_until_on = _day(_("Carried over until"), _("Left empty, it stays for good. A sponsor's needs a day."))
    reason = _reason()

    def __init__(self, *args: Any, terms: Iterable[Term], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._terms = {term.key: term for term in terms}
        choice: Any = self.fields["term"]
        choice.choices = [("", _("No term")), *((term.key, term.name) for term in self._terms.values())]
        self.fields["sponsor"].label_from_instance = lambda sponsor: sponsor.name  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        term = self._terms.get(given.pop("term", ""))
        if term is not None:
            given["first_on"] = given.get("first_on") or term.first_on
            given["last_on"] = given.get("last_on") or term.last_on
            given["label"] = given.get("label") or term.name
        if not given.get("last_on") and "last_on" not in self.errors:
            self.add_error("last_on", _("Choose a term, or the last day."))
        if not given.get("label") and "label" not in self.errors:
            self.add_error("label", _("Say which agreement or occasion it is for."))
        return given


class LendForm(forms.Form):
    """How much accounts beside this one may use of what it does not need, until when."""

    limit_s = HoursField(label=_("At most, GPU-hours"))
    borrower: Any = forms.ModelChoiceField(
        label=_("To"), queryset=Account.objects.none(), required=False, empty_label=_("Every account beside it")
    )
    first_on = _day(_("First day"), _("Left empty, it begins at once."))
    last_on = _day(_("Last day"), required=True)
    reason = _reason()

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        beside = Account.objects.filter(parent_id=account.parent_id, is_open=True).exclude(pk=account.pk)
        self.fields["borrower"].queryset = beside.order_by("name", "id") if account.parent_id else beside.none()  # type: ignore[attr-defined]


class SponsorForm(forms.Form):
    """A company, a province or another body that gives GPU time."""

    name_ko = forms.CharField(label=_("Name in Korean"), max_length=120)
    name_en = forms.CharField(label=_("Name in English"), max_length=120, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=Sponsor.Kind.choices)


class RateForm(forms.Form):
    """What a second on a GPU of a type costs."""

    gpu_type = forms.CharField(
        label=_("GPU type"), max_length=60, required=False,
        help_text=_("As the pool names it. Left empty, it is for jobs that leave the type open."),
    )  # fmt: skip
    rate = forms.DecimalField(
        label=_("Seconds of account for a second"), min_value=BOUNDS[0], max_value=BOUNDS[1], max_digits=7,
        decimal_places=3, initial=Decimal(1),
        help_text=_("A job keeps the rate that it was submitted with."),
    )  # fmt: skip
    from_at = forms.DateTimeField(
        label=_("From"), required=False, help_text=_("Left empty, from now on."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip

    def __init__(self, *args: Any, gpu_types: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gpu_types = list(gpu_types)
        self.fields["gpu_type"].widget.attrs |= {"list": "gpu-types", "autocomplete": "off"}
