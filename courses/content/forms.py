"""Forms of modules and lessons."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.catalog.api import DayField, LocalTimeField
from courses.catalog.models import CourseRun

from .models import Lesson, Module
from .writing import newest_version


class ModuleForm(forms.ModelForm):
    """A module of `run`, and what opens it. `cleaned_data["needs"]` are ids."""

    starts_on = DayField(label=_("Starts on"), required=False, help_text=_("Shown beside the title."))
    opens_at = LocalTimeField(
        label=pgettext_lazy("module", "Opens"),
        required=False,
        help_text=_("Until then learners see the title only. Empty: it is open at once."),
    )
    needs = forms.TypedMultipleChoiceField(
        label=_("Opens after these modules"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A learner first finishes all their lessons and labs."),
    )

    class Meta:
        model = Module
        fields = ("title", "starts_on", "opens_at", "needs", "is_published")

    def __init__(self, *args: Any, run: CourseRun, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Module.objects.filter(run=run).exclude(pk=self.instance.pk).order_by("position")
        needs = self.fields["needs"]
        needs.choices = list(others.values_list("pk", "title"))  # type: ignore[attr-defined]
        if not needs.choices:  # type: ignore[attr-defined]
            del self.fields["needs"]
        elif self.instance.pk:
            self.initial["needs"] = [one.pk for one in self.initial["needs"]]


class LessonForm(forms.ModelForm):
    """A lesson. `seen` is the version that is being changed, so that nobody's words vanish unseen."""

    seen = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    body = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea({"rows": 24, "class": "mono", "data-editor": "markdown"}),
        help_text=_("Markdown: headings, lists, tables, footnotes, code in fences, maths between $ signs."),
    )

    class Meta:
        model = Lesson
        fields = ("title", "minutes", "is_published", "body")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            newest = newest_version(self.instance)
            self.initial.update({"title": newest.title, "body": newest.body, "seen": newest.number})
