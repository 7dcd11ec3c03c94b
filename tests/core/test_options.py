"""Options of a form's select, as Django's own templates would write them."""

from django import forms
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html
from django.utils.safestring import mark_safe

CHOICES = [
    ("", "Any"),
    (True, "Yes <b>"),
    (3, mark_safe("<i>three</i>")),
    ("Group & more", [("a'b", 'A "B"'), ("c", "C")]),
]


class Disabled(forms.Select):
    """Some options that cannot be chosen, and one with an attribute that is not there."""

    def create_option(self, *args, **kwargs):
        option = super().create_option(*args, **kwargs)
        option["attrs"] |= {"disabled": option["value"] == 3, "data-is": "<1>" if option["value"] == "c" else False}
        return option


def test_options_read_as_django_writes_them():
    for widget in (Disabled(choices=CHOICES), forms.SelectMultiple(choices=CHOICES)):
        for value in (None, "", ["c"], 3, True):
            ours, djangos = (
                widget.render("field", value, attrs={"id": "one"}, renderer=renderer)
                for renderer in (None, DjangoTemplates())
            )
            assert parse_html(ours) == parse_html(djangos)
            assert "Yes &lt;b&gt;" in ours
