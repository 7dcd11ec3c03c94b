"""Forms of assignments: writing one, its tests, and deadlines that differ."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.db.models import Q, QuerySet
from django.forms.models import ModelChoiceIterator
from django.utils.translation import gettext_lazy as _

from courses.catalog.api import LocalTimeField, MinutesField
from courses.catalog.models import Cohort, Enrolment
from labs.environments.models import Environment

from .domain.rubrics import as_text, from_json
from .models import Assignment, Group, GroupSet, Lab


class AssignmentForm(forms.ModelForm):
    brief = forms.CharField(
        label=_("Brief"),
        required=False,
        max_length=100_000,
        widget=forms.Textarea({"rows": 14, "class": "mono", "data-editor": "markdown"}),
        help_text=_("Markdown: what to hand in, and what counts."),
    )
    rubric_text = forms.CharField(
        label=_("Rubric"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea({"rows": 5, "class": "mono"}),
        help_text=_(
            "A line for each criterion, best written as: Method: missing = 0; partly = 5; sound = 10. "
            "What was picked stays with its title: a criterion with another title has to be picked anew."
        ),
    )
    opens_at = LocalTimeField(label=_("Opens"), required=False)
    due_at = LocalTimeField(label=_("Due"), required=False)
    closes_at = LocalTimeField(label=_("Closes"), required=False, help_text=_("Empty: late work stays welcome."))
    late_grace_s = MinutesField(label=_("Grace in minutes"), initial=0)
    late_interval_s = MinutesField(label=_("Deduct for each begun, in minutes"), initial=86_400)

    class Meta:
        model = Assignment
        fields = (
            "title", "kind", "lab", "brief", "points", "opens_at", "due_at", "closes_at", "attempts_allowed",
            "group_set", "late_grace_s", "late_interval_s", "late_deduct_pct", "late_floor_pct", "allows_late_days",
            "is_anonymous", "is_published",
        )  # fmt: skip

    def __init__(self, *args: Any, module_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lab = cast(forms.ModelChoiceField, self.fields["lab"])
        lab.queryset, lab.required = Lab.objects.filter(module_id=module_id).order_by("position"), False
        sets = cast(forms.ModelChoiceField, self.fields["group_set"])
        sets.queryset = GroupSet.objects.filter(run__modules=module_id).order_by("pk")
        self.fields["rubric_text"].initial = as_text(from_json(self.instance.rubric or []))

    def validate_constraints(self) -> None:
        """Nothing: the service says which field is wrong, where a constraint's name would say nothing."""


class SuiteForm(forms.Form):
    """Tests are Python: functions called test_… that assert."""

    visible = forms.CharField(
        label=_("Visible tests"),
        required=False,
        max_length=100_000,
        widget=forms.Textarea({"rows": 14, "class": "mono", "data-editor": "python"}),
        help_text=_("Learners see each of these with its message."),
    )
    hidden = forms.CharField(
        label=_("Hidden tests"),
        required=False,
        max_length=100_000,
        widget=forms.Textarea({"rows": 14, "class": "mono", "data-editor": "python"}),
        help_text=_("Learners see only how many passed."),
    )
    environment = forms.ModelChoiceField(
        label=_("Environment"), queryset=Environment.objects.filter(is_active=True), required=False,
        empty_label=_("Plain Python"),
    )  # fmt: skip
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=2**31 - 1, initial=1)
    wall_s = MinutesField(label=_("Time limit in minutes"), initial=300)
    gpus = forms.IntegerField(label=_("GPUs"), min_value=1, initial=1)


class CohortDeadlineForm(forms.Form):
    cohort = forms.ModelChoiceField(label=_("Cohort"), queryset=Cohort.objects.none())
    due_at = LocalTimeField(label=_("Due"))
    closes_at = LocalTimeField(label=_("Closes"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, *args: Any, cohorts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"prefix": "cohort"}))
        cast(forms.ModelChoiceField, self.fields["cohort"]).queryset = cohorts


class ExtensionForm(forms.Form):
    learners = forms.ModelMultipleChoiceField(label=_("Learners"), queryset=Enrolment.objects.none(), required=False)
    groups = forms.ModelMultipleChoiceField(label=_("Groups"), queryset=Group.objects.none(), required=False)
    due_at = LocalTimeField(label=_("Due"))
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, *args: Any, learners: Any, group_set_id: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"prefix": "extension"}))
        chosen = cast(forms.ModelMultipleChoiceField, self.fields["learners"])
        chosen.iterator, chosen.queryset = _Named, learners
        if group_set_id is None:
            del self.fields["groups"]
        else:
            groups = cast(forms.ModelMultipleChoiceField, self.fields["groups"])
            groups.queryset = Group.objects.filter(group_set=group_set_id)

    def clean(self) -> dict[str, Any]:
        """Learners who were chosen, and those who are in a chosen group now; of the latter only whom one teaches."""
        given = super().clean() or {}
        chosen = cast(forms.ModelMultipleChoiceField, self.fields["learners"])
        inside = Q(group_memberships__group__in=given.pop("groups", []), group_memberships__left_at=None)
        taught = cast("QuerySet[Enrolment]", chosen.queryset)
        found = {one.pk: one for one in [*given.get("learners", []), *taught.filter(inside)]}
        if not found:
            self.add_error("learners", _("Choose at least one learner."))
        return given | {"learners": list(found.values())}


class AccommodationForm(forms.Form):
    learner = forms.ModelChoiceField(label=_("Learner"), queryset=Enrolment.objects.none())
    factor_pct = forms.IntegerField(
        label=_("Time in percent"), min_value=101, max_value=400, initial=150, help_text=_("150 is half as much again.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, *args: Any, learners: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"prefix": "accommodation"}))
        chosen = cast(forms.ModelChoiceField, self.fields["learner"])
        chosen.iterator, chosen.queryset = _Named, learners


class _Named(ModelChoiceIterator):
    """Learners by name and cohort: plain values, as an instance for each option of each select is slow."""

    def __iter__(self) -> Iterator[tuple[Any, str]]:
        if self.field.empty_label is not None:
            yield "", str(self.field.empty_label)
        for pk, name, cohort in self.queryset.values_list("pk", "user__name", "cohort__name"):
            yield pk, f"{name} · {cohort}"
