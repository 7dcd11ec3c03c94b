"""Forms of labs: running one, writing one."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campus.core import formats
from courses.catalog.api import LocalTimeField, MinutesField
from labs.environments.models import DataSet, Environment
from labs.jobs.api import NO_SHARE, SHARE_HINT, GpuAsk, GpuMemoryField, GpusField, asks, is_share, pool_offer

from .models import Lab


class RunForm(forms.Form):
    """What a learner may choose for a run."""

    gpus = GpusField(label=_("GPUs"))
    gpu_memory = GpuMemoryField()
    wall_minutes = MinutesField(label=_("Time limit in minutes"))
    preemptible = forms.BooleanField(
        label=_("May be interrupted"),
        required=False,
        help_text=_("It often starts sooner. Asked to make room, it has a minute to save into the folder checkpoint."),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(lab)
        self.fields["wall_minutes"].help_text = _("At most %(most)s. It is stopped then.") % {
            "most": formats.duration(lab.max_wall_s)
        }

    def _offer(self, lab: Lab) -> None:
        offer = pool_offer()
        found = asks(lab.most, shares=offer.shares(lab.gpu_type))
        self.fields["gpus"].offer(found, memory_mib=offer.memory_of(lab.gpu_type))  # type: ignore[attr-defined]
        self.fields["gpus"].help_text = SHARE_HINT if found and found[0].in_all < 1 else ""
        if lab.gpu_memory_mib:
            self.fields["gpu_memory"].help_text = _("Empty is what the lab asks for.")
        if len(found) == 1:  # a choice of one is no question
            self.fields["gpus"].widget = forms.HiddenInput()


class LabForm(forms.ModelForm):
    brief = forms.CharField(
        label=_("Brief"),
        required=False,
        max_length=100_000,
        widget=forms.Textarea({"rows": 16, "class": "mono", "data-editor": "markdown"}),
        help_text=_("Markdown: what to do, and what counts as done."),
    )
    environment = forms.ModelChoiceField(label=_("Environment"), queryset=Environment.objects.filter(is_active=True))
    data_sets = forms.ModelMultipleChoiceField(
        label=_("Data sets"),
        queryset=DataSet.objects.filter(is_active=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A program reads them at /data/NAME."),
    )
    gpus = GpusField(label=_("GPUs"), initial=GpuAsk())
    max_gpus = GpusField(label=_("Most GPUs"), initial=GpuAsk())
    gpu_memory = GpuMemoryField()
    wall_s = MinutesField(label=_("Time limit in minutes"))
    max_wall_s = MinutesField(label=_("Longest time limit in minutes"))
    due_at = LocalTimeField(label=_("Due"), required=False)

    class Meta:
        model = Lab
        fields = (
            "title", "brief", "environment", "data_sets", "entrypoint", "gpu_type", "wall_s", "max_wall_s",
            "main_metric", "due_at", "is_published",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer, lab = pool_offer(), self.instance
        if lab.pk:
            self.initial.update({"gpus": lab.usual, "max_gpus": lab.most, "gpu_memory": lab.gpu_memory_mib})
        found = asks(GpuAsk(settings.LABS_MAX_GPUS), shares=offer.shares())
        for name in ("gpus", "max_gpus"):
            self.fields[name].offer(found, memory_mib=offer.memory_of(lab.gpu_type))  # type: ignore[attr-defined]
        self.fields["gpus"].help_text = SHARE_HINT if offer.shares() else ""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self._check_bounds(given)
        usual, most = given.pop("gpus", None), given.pop("max_gpus", None)
        if usual and most:
            if most.in_all < usual.in_all:
                self.add_error("max_gpus", _("Allow at least as many as the default."))
            given |= {"gpus": usual.gpus, "gpu_milli": usual.milli, "max_gpus": most.gpus, "max_gpu_milli": most.milli}
        given["gpu_memory_mib"] = given.pop("gpu_memory", None)
        if (given.get("max_wall_s") or 0) < (given.get("wall_s") or 0):
            self.add_error("max_wall_s", _("Allow at least as long as the default."))
        return given

    def _check_bounds(self, given: dict[str, Any]) -> None:
        """No lab may offer what no job may ask for."""
        most = settings.LABS_MAX_GPUS
        for name in ("gpus", "max_gpus"):
            ask = given.get(name)
            if ask is not None and not is_share(ask.milli):
                self.add_error(name, NO_SHARE)
            elif ask is not None and not 1 <= ask.gpus <= most:
                self.add_error(name, _("Give a number from 1 to %(most)d.") % {"most": most})
        if given.get("gpu_memory") == 0:
            self.add_error("gpu_memory", _("Ask for some memory, or leave it empty."))
        least_s, most_s = settings.LABS_MIN_WALL_S, settings.LABS_MAX_WALL_S
        for name in ("wall_s", "max_wall_s"):
            if given.get(name) is not None and not least_s <= given[name] <= most_s:
                bounds = {"least": formats.duration(least_s), "most": formats.duration(most_s)}
                self.add_error(name, _("Give a time from %(least)s to %(most)s.") % bounds)
