"""Forms of modules and lessons."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from courses.catalog.api import DayField

from .models import Lesson, Module


class ModuleForm(forms.ModelForm):
    starts_on = DayField(label=_("Starts on"), required=False)

    class Meta:
        model = Module
        fields = ("title", "starts_on", "is_published")


class LessonForm(forms.ModelForm):
    """A lesson. `seen_at` says which state of it is being changed, so that nobody's words vanish unseen."""

    seen_at = forms.CharField(required=False, widget=forms.HiddenInput)
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
            self.initial["seen_at"] = self.instance.changed_at.isoformat()
