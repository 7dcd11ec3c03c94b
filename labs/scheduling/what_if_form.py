"""The form of the what-if page. It is sent by GET: nothing changes, and an address can be passed on."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campus.core.formats import campus_time
from campus.people.access import TEACHING, Standing
from infra.pool.models import Node, Site
from labs.quota.models import Account

from .kept_loader import CLASSES_AHEAD
from .lending import MOST_W
from .models import ClassReservation
from .what_if import BASES, Wish

_MOST = 10_000


_GROUPS = {
    "learners": ("learner_cap",),
    "power": ("power_site", "power_cap_w"),
    "nodes": ("drained", "nodes_added", "like"),
    "classes": ("class_gpus", "class_site", "class_from", "class_minutes", "given_up"),
}


def _label(row: Account | Node | Site | ClassReservation) -> str:
    if isinstance(row, Account) and row.parent is not None:
        return f"{row.name} ({row.parent.name})"
    return f"{row}, {campus_time(row.start_at)}" if isinstance(row, ClassReservation) else str(row)


def _one(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label=label, required=False, empty_value=None)


class WhatIfForm(forms.Form):
    """Which queue to replay, and what to change about it. Every change may be left out."""

    basis = forms.ChoiceField(
        label=_("Replay"),
        choices=[("queue", _("The queue as it is now")), ("week", _("The last 7 days, as the jobs came"))],
        widget=forms.RadioSelect,
        required=False,
        initial=BASES[0],
    )
    account = _one(_("Account"))
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
    power_site = _one(_("Site"))
    power_cap_w = forms.IntegerField(label=_("Power cap in watts"), min_value=0, max_value=MOST_W, required=False)
    drained = forms.TypedMultipleChoiceField(
        label=_("Nodes that drain"), required=False, widget=forms.CheckboxSelectMultiple
    )
    nodes_added = forms.IntegerField(label=_("Nodes more"), min_value=0, max_value=100, required=False)
    like = _one(_("Like this node"))
    class_site = _one(_("Site"))
    class_gpus = forms.IntegerField(label=_("GPUs"), min_value=1, max_value=_MOST, required=False)
    class_from = forms.DateTimeField(
        label=_("From"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    class_minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=24 * 60, required=False)
    given_up = forms.TypedMultipleChoiceField(
        label=_("Classes given up"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, standing: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = standing.scope_ids(TEACHING)
        accounts = Account.objects.filter(scope__path__overlap=scopes, is_open=True).exclude(kind=Account.Kind.LEARNER)
        # Each is read once, for the choices as for what was chosen.
        nodes = list(Node.objects.exclude(gpus=None).select_related("site").order_by("name").distinct())
        sites = {node.site_id: node.site for node in nodes}
        self._offer("account", accounts.select_related("parent").order_by("name"))
        self._offer("drained", [node for node in nodes if node.state == Node.State.UP])
        self._offer("like", nodes)
        for name in ("class_site", "power_site"):
            self._offer(name, [sites[pk] for pk in sorted(sites)])
        soon = Q(end_at__gt=timezone.now(), start_at__lt=timezone.now() + CLASSES_AHEAD)
        self._offer("given_up", ClassReservation.objects.filter(soon, state=ClassReservation.State.BOOKED))
        choices = self.fields["account"].choices  # type: ignore[attr-defined]
        if len(choices) == 2:  # whoever looks after one account only means that one
            self.initial.setdefault("account", choices[1][0])

    @property
    def opens(self) -> dict[str, bool]:
        """Which groups of fields to unfold: those in which something was chosen or is wrong."""
        return {group: any(self[name].data or self[name].errors for name in names) for group, names in _GROUPS.items()}

    def _offer(self, name: str, rows: Iterable[Account | Node | Site | ClassReservation]) -> None:
        field: Any = self.fields[name]
        by_id = {str(row.pk): row for row in rows}
        is_one = not isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [*([("", _("none chosen"))] if is_one else []), *((pk, _label(by_id[pk])) for pk in by_id)]
        field.coerce = by_id.__getitem__

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
        given |= {name: tuple(given[name] or ()) for name in ("drained", "given_up")}
        given["nodes_added"] = given["nodes_added"] or 0
        return Wish(**given)
