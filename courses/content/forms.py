"""Forms of modules and lessons."""

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
