"""How marks are said and entered in the gradebook's templates."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from campus.core.templatetags.ui import badge
from courses.gradebook.domain.marks import Mark, State
from courses.gradebook.explaining import ItemLine
from courses.gradebook.models import RegradeRequest
from courses.gradebook.sources import in_words

register = template.Library()

EFFECTS = {
    "COUNTED": (pgettext_lazy("effect of a mark", "Counts"), "ok", "circle-check"),
    "DROPPED": (pgettext_lazy("effect of a mark", "Left out: one of the worst"), "neutral", "circle-dashed"),
    "BONUS": (pgettext_lazy("effect of a mark", "Bonus"), "ok", "plus"),
    "EXCUSED": (pgettext_lazy("effect of a mark", "Excused: does not count"), "neutral", "circle-dashed"),
    "MISSING": (pgettext_lazy("effect of a mark", "Missing"), "danger", "circle-alert"),
    "PENDING": (pgettext_lazy("effect of a mark", "Not there yet"), "neutral", "clock"),
}
WORDS = {
    State.PENDING: gettext_lazy("–"),
    State.EXCUSED: pgettext_lazy("mark", "Excused"),
    State.MISSING: pgettext_lazy("mark", "Missing"),
}


@register.simple_tag
def effect_words(line: ItemLine) -> SafeString:
    """What a mark does to the grade, as a badge."""
    text, tone, icon = EFFECTS[line.effect]
    return badge(str(text), tone=tone, icon=icon)


@register.simple_tag
def mark_words(mark: Mark) -> str:
    """A mark that is no number, in words."""
    return str(WORDS.get(mark.state, ""))


@register.simple_tag
def why_words(line: ItemLine) -> list[str]:
    """The source's own explanation of a mark, in words."""
    return in_words(line.item.kind, line.why)


@register.simple_tag
def mark_input(line: ItemLine, typed: Mapping[int, str], refused: Mapping[int, str]) -> SafeString:
    """The field of one mark, with what was there and its version, and why it was refused."""
    item = line.item
    wrong = refused.get(item.pk, "")
    return format_html(
        '<input class="grade-input num" name="mark-{id}" value="{text}" maxlength="16" aria-label="{title}"{invalid}>'
        '<span class="muted"> / {most}</span><input type="hidden" name="was-{id}" value="{was}">'
        '<input type="hidden" name="version-{id}" value="{version}">{error}',
        id=item.pk, text=typed.get(item.pk, line.text), title=item.title, most=f"{item.out_of.normalize():f}",
        was=line.text, version=line.version,
        invalid=format_html(' aria-invalid="true" aria-describedby="wrong-{}"', item.pk) if wrong else "",
        error=format_html('<span class="field-error" id="wrong-{}">{}</span>', item.pk, wrong) if wrong else "",
    )  # fmt: skip


@register.simple_tag
def ask_link(line: ItemLine, asked: Mapping[int, RegradeRequest], run: Any) -> SafeString | str:
    """The way to ask about a mark, or what became of the last question."""
    found = asked.get(line.item.pk)
    if found is not None and found.state == RegradeRequest.State.OPEN:
        return badge(pgettext("about a mark", "Asked"), tone="wait", icon="clock")
    said = ""
    if found is not None:
        said = format_html(
            '<span class="grade-reason muted small">{}: {}</span>', found.get_state_display(), found.answer
        )
    if line.effect == "PENDING":
        return said
    url = reverse("gradebook:ask", args=[run.slug, line.item.pk])
    label = _("Ask about “%(item)s”") % {"item": line.item.title}
    return format_html(
        '<a class="btn btn-quiet btn-sm" href="{}" aria-label="{}">{}</a>{}',
        url,
        label,
        pgettext("about a mark", "Ask"),
        said,
    )
