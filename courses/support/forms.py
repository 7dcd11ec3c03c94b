"""Forms of support."""

from typing import Any

from django import forms
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campus.core.forms import ServiceModelForm

from .models import SupportMessage, SupportSettings


class ThresholdsForm(ServiceModelForm):
    """From which figures on signals are shown."""

    class Meta:
        model = SupportSettings
        fields = ("absences", "lessons_pct", "missing", "late", "idle_days", "falling_pct")


class MessageForm(ServiceModelForm):
    """What is written to a learner."""

    class Meta:
        model = SupportMessage
        fields = ("title", "body")
        labels = {"title": gettext_lazy("Subject"), "body": gettext_lazy("Message")}
        widgets = {"body": forms.Textarea(attrs={"rows": 10})}


def beginning_of(*, name: str, language: str, course: str, author: str, email: str) -> dict[str, Any]:
    """A message to begin with, in the learner's language; it names no figures, since it is the person who asks."""
    with translation.override(language):
        title = _("How are you getting on in “%(course)s”?") % {"course": course}
        body = _(
            "Hello %(name)s,\n\n"
            "I would like to know how you are getting on in “%(course)s”. Is there something that makes it hard to "
            "keep up, and can we help? Answer by e-mail or come to my office hours, whichever suits you.\n\n"
            "%(author)s\n%(email)s"
        ) % {"name": name, "course": course, "author": author, "email": email}
    return {"title": title, "body": body}
