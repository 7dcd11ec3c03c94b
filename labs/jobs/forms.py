"""The form of a job that belongs to no lab."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campus.places.models import Campus
from labs.environments.models import DataSet, Environment
from labs.quota.models import Account

from .domain.dependencies import After, Condition
from .gpu_fields import GpuAsk, GpuMemoryField, GpusField, Offer, asks, pool_offer
from .models import Dependency, Job

SHARE_HINT = _(
    "A share of one GPU costs only its part and often starts sooner. Good for small models, for trying out, and for "
    "sweeps of many runs."
)


class JobForm(forms.Form):
    title = forms.CharField(
        label=_("Title"), max_length=160, required=False, help_text=_("How you will find it again.")
    )
    account = forms.ModelChoiceField(label=_("Charged to"), queryset=Account.objects.none(), empty_label=None)
    environment = forms.ModelChoiceField(
        label=_("Environment"), queryset=Environment.objects.none(), required=False, empty_label=_("Plain Python")
    )
    entrypoint = forms.CharField(label=_("File to run"), max_length=200, initial="main.py")
    gpus = GpusField(label=_("GPUs"), initial=GpuAsk())
    gpu_type = forms.ChoiceField(label=_("GPU type"), required=False)
    gpu_memory = GpuMemoryField()
    wall_minutes = forms.DecimalField(
        label=_("Time limit in minutes"),
        initial=10,
        max_digits=8,
        decimal_places=2,
        help_text=_("It is stopped then. A shorter limit often starts sooner."),
    )
    preferred_campus = forms.ModelChoiceField(
        label=_("Rather at"), queryset=Campus.objects.none(), required=False, empty_label=_("wherever it starts first")
    )
    data_sets = forms.ModelMultipleChoiceField(
        label=_("Data sets"),
        queryset=DataSet.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Read them at /data/NAME."),
    )
    preemptible = forms.BooleanField(
        label=_("May be interrupted"),
        required=False,
        help_text=_(
            "It often starts sooner, because it may use GPUs that a class or another campus needs later. Then it "
            "gets a signal (SIGTERM) and a minute to save into the folder checkpoint, and goes on from there by "
            "itself. What was not saved is lost, and not charged."
        ),
    )
    after = forms.ModelChoiceField(
        label=_("Start after"), queryset=Job.objects.none(), required=False, empty_label=_("no other job")
    )
    after_condition = forms.ChoiceField(
        label=_("Start it"), choices=Dependency.Condition.choices, required=False, initial=Dependency.Condition.OK
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered: dict[str, Any] = {
            "account": Account.objects.filter(owner=user, is_open=True).order_by("-id"),
            "environment": Environment.objects.filter(is_active=True),
            "preferred_campus": Campus.objects.filter(is_open=True, sites__isnull=False).distinct(),
            "data_sets": DataSet.objects.filter(is_active=True),
            # Runs of a sweep would fill the list, and nobody waits for one of many.
            "after": Job.objects.filter(owner=user, state__in=Job.OPEN_STATES, sweep=None).only("title"),
        }
        for name, rows in offered.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
        accounts = list(offered["account"][:2])
        # A choice of one is no question.
        self.fields["account"].is_only_one = len(accounts) == 1  # type: ignore[attr-defined]
        if accounts:
            self.initial.setdefault("account", accounts[0].pk)
        self._offer(pool_offer())

    def _offer(self, offer: Offer) -> None:
        self.fields["gpu_type"].choices = [("", _("any")), *((one, one) for one in offer.types)]  # type: ignore[attr-defined]
        found = asks(GpuAsk(settings.LABS_MAX_GPUS), shares=offer.shares())
        self.fields["gpus"].offer(found, memory_mib=offer.memory_of(""))  # type: ignore[attr-defined]
        self.fields["gpus"].help_text = SHARE_HINT if offer.shares() else ""
        self.fields["gpu_memory"].help_text = _("Empty: any, and a share gets its part.") if offer.shares() else ""

    @property
    def has_more(self) -> bool:
        """Whether something is chosen, or wrong, among the fields that the page folds away."""
        names = ("data_sets", "preferred_campus", "preemptible")
        return any(self[name].value() or (self.is_bound and self[name].errors) for name in names)

    @property
    def may_follow(self) -> bool:
        """Whether there is a job to wait for, or one was chosen that is gone."""
        return bool(self["after"].value()) or self.fields["after"].queryset.exists()  # type: ignore[attr-defined]

    def wish(self) -> dict[str, Any]:
        """Return the cleaned fields under the names that `labs.jobs.services.submit` takes."""
        given = self.cleaned_data
        return {
            "account_id": given["account"].pk,
            "title": given["title"],
            "environment_id": given["environment"].pk if given["environment"] else None,
            "entrypoint": given["entrypoint"],
            "gpus": given["gpus"].gpus,
            "gpu_milli": given["gpus"].milli,
            "gpu_memory_mib": given["gpu_memory"],
            "gpu_type": given["gpu_type"],
            "wall_s": int(given["wall_minutes"] * 60),
            "data_set_ids": [one.pk for one in given["data_sets"]],
            "preferred_campus_id": given["preferred_campus"].pk if given["preferred_campus"] else None,
            "is_preemptible": given["preemptible"],
            "idempotency_key": given["key"],
            "after": self._after(),
        }

    def _after(self) -> tuple[After, ...]:
        given = self.cleaned_data
        if not given["after"]:
            return ()
        return (After(given["after"].pk, Condition(given["after_condition"] or Condition.OK)),)
