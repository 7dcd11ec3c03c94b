"""The form of the what-if page. It is sent by GET: nothing changes, and an address can be passed on."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from campus.people.access import TEACHING, Standing
from infra.pool.models import Node, Site
from labs.quota.models import Account

from .what_if import BASES, Wish

_MOST = 10_000


class WhatIfForm(forms.Form):
    """Which queue to replay, and what to change about it. Every change may be left out."""

    basis = forms.ChoiceField(
        label=_("Replay"),
        choices=[("queue", _("The queue as it is now")), ("week", _("The last 7 days, as the jobs came"))],
        widget=forms.RadioSelect,
        required=False,
        initial="queue",
    )
    account = forms.ModelChoiceField(label=_("Account"), queryset=Account.objects.none(), required=False)
    max_running_gpus = forms.IntegerField(
        label=_("Most GPUs at once"), min_value=1, max_value=_MOST, required=False, help_text=_("For all below it too.")
    )
    lifts_cap = forms.BooleanField(label=_("No cap at all"), required=False)
    weight = forms.IntegerField(label=_("Fair-share weight"), min_value=1, max_value=1_000, required=False)
    gpu_hours = forms.DecimalField(
        label=_("GPU-hours more"),
        min_value=0,
        max_value=1_000_000,
        decimal_places=1,
        max_digits=8,
        required=False,
        help_text=_("As if used at once, by jobs like those that it ran of late."),
    )
    learner_cap = forms.IntegerField(label=_("Most GPUs of one learner"), min_value=1, max_value=_MOST, required=False)
    drained = forms.ModelMultipleChoiceField(
        label=_("Nodes that drain"), queryset=Node.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    nodes_added = forms.IntegerField(label=_("Nodes more"), min_value=0, max_value=100, required=False)
    like = forms.ModelChoiceField(label=_("Like this node"), queryset=Node.objects.none(), required=False)
    class_site = forms.ModelChoiceField(label=_("Site"), queryset=Site.objects.none(), required=False)
    class_gpus = forms.IntegerField(label=_("GPUs"), min_value=1, max_value=_MOST, required=False)
    class_from = forms.DateTimeField(
        label=_("From"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    class_minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=24 * 60, required=False)

    def __init__(self, *args: Any, standing: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = standing.scope_ids(TEACHING)
        accounts = Account.objects.filter(scope__path__overlap=scopes, is_open=True)
        nodes = Node.objects.exclude(gpus=None).order_by("name").distinct()
        for name, found in {
            "account": accounts.exclude(kind=Account.Kind.LEARNER).order_by("name"),
            "drained": nodes.filter(state=Node.State.UP),
            "like": nodes,
            "class_site": Site.objects.order_by("pk"),
        }.items():
            self.fields[name].queryset = found  # type: ignore[attr-defined]

    def clean_basis(self) -> str:
        return self.cleaned_data["basis"] or BASES[0]

    def clean_gpu_hours(self) -> Any:
        hours = self.cleaned_data["gpu_hours"]
        if hours is not None and hours > _MOST:
            raise ValidationError(_("Try at most 10,000 GPU-hours."))
        return hours

    def wish(self) -> Wish:
        """The changes asked for; call it on a valid form."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "basis"}
        given["drained"] = tuple(given["drained"] or ())
        given["nodes_added"] = given["nodes_added"] or 0
        return Wish(**given)
