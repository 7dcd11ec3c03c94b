"""The forms in which administrators keep GPUs for classes, lend them, and limit what a site draws."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campus.core.formats import number
from infra.pool.models import Gpu, Site
from labs.quota.models import Account

from .lending import MOST_W


def _time() -> forms.DateTimeInput:
    return forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class AccountField(forms.ModelChoiceField):
    """Accounts by name and what they are below: two programmes may have one name."""

    def label_from_instance(self, account: Account) -> str:
        return account.name if account.parent is None else f"{account.name} ({account.parent.name})"


class ReservationForm(forms.Form):
    title = forms.CharField(label=_("Class"), max_length=160, help_text=_("Those who wait read it."))
    account = AccountField(label=_("For whom"), queryset=Account.objects.none(), empty_label=_("choose whose class"))
    site = forms.ModelChoiceField(label=_("Site"), queryset=Site.objects.none(), empty_label=None)
    gpus = forms.IntegerField(label=_("GPUs"), min_value=1, max_value=30_000, initial=1)
    gpu_type = forms.ChoiceField(label=_("GPU type"), required=False)
    start_at = forms.DateTimeField(label=_("Begins"), widget=_time())
    end_at = forms.DateTimeField(label=_("Ends"), widget=_time())
    release_minutes = forms.IntegerField(
        label=_("Released after, in minutes"), min_value=1, max_value=360, initial=15,
        help_text=_("If nobody of the class has a job for so long, the GPUs are everybody's again."),
    )  # fmt: skip

    def __init__(self, *args: Any, sites: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].queryset = sites  # type: ignore[attr-defined]
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]
        types = Gpu.objects.filter(node__site__in=sites).values_list("gpu_type", flat=True).distinct()
        self.fields["gpu_type"].choices = [("", _("any")), *((one, one) for one in sorted(set(types)))]  # type: ignore[attr-defined]

    def wish(self) -> dict[str, Any]:
        """The cleaned fields under the names that the services take, without the account."""
        given = self.cleaned_data
        wanted = {name: given[name] for name in ("title", "gpus", "gpu_type", "start_at", "end_at")}
        return wanted | {"site_id": given["site"].pk, "release_after_s": given["release_minutes"] * 60}


class OwnerForm(forms.Form):
    account = AccountField(
        label=_("Belongs to"), queryset=Account.objects.none(), required=False, empty_label=_("everybody"),
        help_text=_("Others use it only in the hours in which it is lent."),
    )  # fmt: skip

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]


class SiteLimitsForm(forms.Form):
    power_cap_w = forms.IntegerField(label=_("Power cap in watts"), min_value=0, max_value=MOST_W, required=False)
    is_closed = forms.BooleanField(
        label=_("Closed for jobs"),
        required=False,
        help_text=_("Its nodes are given no job until it opens; what runs goes on."),
    )

    def __init__(self, *args: Any, full_load_w: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = _("All its GPUs at full load draw %(watts)s W. Left open: no cap.") % {"watts": number(full_load_w)}
        self.fields["power_cap_w"].help_text = words


class LendingForm(forms.Form):
    borrower = AccountField(
        label=_("To whom"), queryset=Account.objects.none(), required=False, empty_label=_("everybody")
    )
    max_gpus = forms.IntegerField(label=_("GPUs at most"), min_value=1, max_value=10_000, initial=1)
    first_day = forms.DateField(label=_("From day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    last_day = forms.DateField(
        label=_("To day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Left open: until it is ended."),
    )  # fmt: skip
    opens_at = forms.TimeField(label=_("From"), widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    closes_at = forms.TimeField(
        label=_("Until"), widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text=_("Not after the beginning: of the next day. The same: around the clock."),
    )  # fmt: skip

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["borrower"].queryset = accounts  # type: ignore[attr-defined]
