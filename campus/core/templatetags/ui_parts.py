"""Components that hold content, as block tags; merged into `{% load ui %}`."""

from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


def part(context: Context, name: str, /, **values: Any) -> SafeString:
    """Render `core/components/_NAME.html` with these values and nothing else but the request and its token."""
    values.setdefault("request", context.get("request"))
    values["csrf_token"] = context.get("csrf_token")
    found = context.template.engine.get_template(f"core/components/_{name}.html")  # type: ignore[union-attr]
    return mark_safe(found.render(context.new(values)).strip())  # noqa: S308 - a template escaped it


@register.simple_block_tag
def capture(content: str) -> SafeString:
    """Keep what a block renders under a name: `{% capture as title %}…{% endcapture %}`."""
    return mark_safe(content.strip())  # noqa: S308 - rendered by the template engine


@register.simple_block_tag(takes_context=True)
def card(
    context: Context,
    content: str,
    title: str = "",
    icon: str = "",
    href: str = "",
    footer: str = "",
    flush: bool = False,
    tone: str = "",
) -> SafeString:
    """A bordered surface; `href` makes the title a link, `flush` drops the padding (for tables)."""
    return part(
        context, "card", content=content, title=title, icon=icon, href=href, footer=footer, flush=flush, tone=tone
    )


@register.simple_block_tag(takes_context=True)
def callout(context: Context, content: str, tone: str = "info", title: str = "", icon: str = "") -> SafeString:
    """A note in the page; tones info, ok, warn, danger, action."""
    shapes = {"info": "info", "ok": "circle-check", "warn": "triangle-alert", "danger": "circle-alert"}
    return part(context, "callout", content=content, tone=tone, title=title, icon=icon or shapes.get(tone, "zap"))


@register.simple_block_tag(takes_context=True)
def disclosure(context: Context, content: str, summary: str, open: bool = False) -> SafeString:
    """A part that opens, native `<details>`."""
    return part(context, "disclosure", content=content, summary=summary, open=open)


@register.simple_block_tag(takes_context=True)
def dialog(context: Context, content: str, id: str, title: str) -> SafeString:
    """A native dialog; `<button data-dialog="ID">` opens it."""
    return part(context, "dialog", content=content, id=id, title=title)


@register.simple_block_tag(takes_context=True)
def timeline(context: Context, content: str, label: str = "") -> SafeString:
    """A vertical list of events, oldest first."""
    return part(context, "timeline", content=content, label=label)


@register.simple_block_tag(takes_context=True)
def event(
    context: Context,
    content: str,
    title: str,
    at: datetime | None = None,
    tone: str = "neutral",
    icon: str = "circle-dot",
    meta: str = "",
) -> SafeString:
    """One event of a timeline; without `at` it has not happened yet."""
    inner = mark_safe(content.strip())  # noqa: S308 - rendered by the template engine
    return part(context, "event", content=inner, title=title, at=at, tone=tone, icon=icon, meta=meta)


@register.simple_block_tag(takes_context=True)
def filterbar(context: Context, content: str, label: str = "") -> SafeString:
    """A GET form of filters in a row."""
    return part(context, "filterbar", content=content, label=label)


@register.simple_block_tag(takes_context=True)
def tabs(context: Context, content: str, label: str) -> SafeString:
    """Tabs that are links: each has its URL."""
    return part(context, "tabs", content=content, label=label)


@register.simple_tag(takes_context=True)
def tab(
    context: Context, label: str, url: str, active: bool = False, count: int | None = None, icon: str = ""
) -> SafeString:
    """One tab."""
    return part(context, "tab", label=label, url=url, active=active, count=count, icon=icon)


@register.simple_tag(takes_context=True)
def url_tabs(context: Context, name: str, /, **labels: str) -> SafeString:
    """Tabs from names of routes to labels; the current one is the longest prefix, missing routes stay out."""
    shown = []
    for route, label in labels.items():
        try:
            shown.append((reverse(route), label))
        except NoReverseMatch:  # an optional app that is not installed
            continue
    path = context["request"].path
    current = max((url for url, _ in shown if path.startswith(url)), key=len, default="")
    content = [part(context, "tab", label=label, url=url, active=url == current, count=None) for url, label in shown]
    return part(context, "tabs", content=mark_safe("".join(content)), label=name)  # noqa: S308


@register.simple_block_tag(takes_context=True)
def segmented(context: Context, content: str, label: str) -> SafeString:
    """A few choices side by side, each a link."""
    return part(context, "segmented", content=content, label=label)


@register.simple_tag(takes_context=True)
def segment(context: Context, label: str, url: str, active: bool = False, icon: str = "") -> SafeString:
    """One choice of a segmented control."""
    return part(context, "segment", label=label, url=url, active=active, icon=icon)


@register.simple_block_tag
def kv(content: str, columns: int = 1) -> SafeString:
    """A list of keys and values."""
    kind = "kv kv-columns" if columns > 1 else "kv"
    return mark_safe(f'<dl class="{kind}">{content}</dl>')  # noqa: S308 - rendered by the template engine


@register.simple_tag(takes_context=True)
def kv_row(context: Context, key: str, value: Any, mono: bool = False) -> SafeString:
    """One key and its value; a dash stands for nothing."""
    return part(context, "kv_row", key=key, value="–" if value in (None, "") else value, mono=mono)


@register.simple_block_tag(takes_context=True)
def kv_block(context: Context, content: str, key: str) -> SafeString:
    """One key whose value is markup."""
    return part(context, "kv_row", key=key, value=mark_safe(content.strip()), mono=False)  # noqa: S308


@register.simple_block_tag(takes_context=True)
def fieldset(context: Context, content: str, legend: str, hint: str = "") -> SafeString:
    """A group of fields with its legend."""
    return part(context, "fieldset", content=content, legend=legend, hint=hint)
