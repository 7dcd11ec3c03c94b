"""The design system's tags: `{% load ui %}` gives leaves, parts with content, figures and text filters."""

import functools
import zlib
from datetime import datetime
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.template import Context
from django.template.loader import get_template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campus.core import formats, states
from campus.core.fragments import fragment, require_plain
from campus.core.templatetags import ui_figures, ui_parts, ui_text
from campus.core.templatetags.ui_parts import part

register = template.Library()
for _library in (ui_text, ui_parts, ui_figures):
    register.tags.update(_library.register.tags)
    register.filters.update(_library.register.filters)

AVATAR_TINTS = 6


@register.simple_tag
def kept(template_name: str, /, **shown: Any) -> SafeString:
    """Include a template that shows nothing but these plain values, and keep by them what it wrote (`fragments`)."""
    return _kept(template_name, tuple(shown), *shown.values())


@fragment(most=4096)
def _kept(template_name: str, names: tuple[str, ...], *shown: Any) -> SafeString:
    for value in shown:
        require_plain(value)
    return SafeString(get_template(template_name).render(dict(zip(names, shown, strict=True))))


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon of the sprite: decorative, or with a label that is read out."""
    return _labelled(str(name), label, str(size)) if label else _decoration(str(name), str(size))


@fragment(most=512)
def _labelled(name: str, label: str, size: str) -> SafeString:
    kind, href = _icon_parts(name, size)
    return format_html(
        '<svg class="{}" role="img" aria-label="{}"><title>{}</title><use href="{}"></use></svg>',
        kind, label, label, href,
    )  # fmt: skip


# A board has thousands of these, and the address of the sprite alone takes longer than the rest.
@functools.lru_cache(maxsize=512)
def _decoration(name: str, size: str) -> SafeString:
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', *_icon_parts(name, size))


def _icon_parts(name: str, size: str) -> tuple[str, str]:
    return f"icon icon-{size}" if size else "icon", f"{static('vendor/icons/sprite.svg')}#{name}"


@register.simple_tag
def badge(text: str, tone: str = "neutral", icon: str = "") -> SafeString:
    """A word with a tone and, better, a shape."""
    shape = _icon(icon, "sm") if icon else ""
    return format_html('<span class="badge badge-{}">{}{}</span>', tone, shape, text)


@register.simple_tag
def state_badge(value: str, kind: str = "", live: str = "", label: str = "") -> SafeString:
    """A state as word, tone and shape; `live` names it for the page's module (`data-live`)."""
    if not live and not label:
        return _plain_badge(str(value), kind, translation.get_language())
    return _badge_of(value, kind, live, label)


@functools.lru_cache(maxsize=512)
def _plain_badge(value: str, kind: str, _language: str | None) -> SafeString:
    return _badge_of(value, kind)


def _badge_of(value: str, kind: str, live: str = "", label: str = "") -> SafeString:
    state = states.lookup(str(value), kind)
    hook = format_html(' data-live="{}"', live) if live else ""
    return format_html(
        '<span class="badge badge-{}" data-state="{}"{}>{}{}</span>',
        state.tone, value, hook, _icon(state.icon, "sm"), label or state.label,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def stat(
    context: Context,
    label: str,
    value: Any = "–",
    unit: str = "",
    hint: str = "",
    trend: str = "",
    trend_tone: str = "neutral",
    href: str = "",
    icon: str = "",
    live: str = "",
    tone: str = "",
) -> SafeString:
    """A figure with its label; put several into `<div class="stats">`."""
    return part(
        context, "stat", label=label, value=value, unit=unit, hint=hint, trend=trend, trend_tone=trend_tone,
        href=href, icon=icon, live=live, tone=tone,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def empty(
    context: Context, title: str, text: str = "", icon: str = "inbox", action: str = "", url: str = ""
) -> SafeString:
    """What will appear here, and the one action that makes it so."""
    return part(context, "empty", title=title, text=text, icon=icon, action=action, url=url)


@register.simple_tag
def when(value: datetime | None, relative: bool = True, empty: str = "–") -> SafeString | str:
    """A time: written absolutely by the server, made relative by the browser, exact on hover."""
    return empty if value is None else _time(value, relative, timezone.localtime().year)


@fragment(most=2048)
def _time(value: datetime, relative: bool, _this_year: int) -> SafeString:
    mark = SafeString(" data-relative") if relative else ""
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        value.astimezone(timezone.get_current_timezone()).isoformat(timespec="seconds"),
        formats.exact_time(value), mark, formats.campus_time(value),
    )  # fmt: skip


@register.simple_tag
def avatar(person: Any, size: str = "") -> SafeString:
    """The initial of a person's name: the family name's in Korean, two letters in Latin script."""
    name = person_name(person)
    tint = zlib.crc32(str(getattr(person, "pk", name)).encode()) % AVATAR_TINTS
    kind = f"avatar avatar-{tint}" + (f" avatar-{size}" if size else "")
    return format_html('<span class="{}" aria-hidden="true">{}</span>', kind, initials(name))


# Built here and not by a template: people are listed by the hundred.
@register.simple_tag
def person(person: Any, meta: str = "", href: str = "", size: str = "") -> SafeString:
    """A person on one line: initial, name, and a word about them."""
    name = person_name(person)
    return format_html(
        '<span class="person">{}<span class="person-text">{}{}</span></span>',
        avatar(person, size),
        format_html('<a href="{}">{}</a>', href, name) if href else format_html("<span>{}</span>", name),
        format_html('<span class="person-meta">{}</span>', meta) if meta else "",
    )


@register.filter
def person_name(person: Any) -> str:
    """The name as it is shown, or the e-mail where there is none."""
    return str(getattr(person, "name", "") or getattr(person, "email", "") or person)


def initials(name: str) -> str:
    """김하늘 gives 김; Ada Lovelace gives AL."""
    words = name.split()
    if not words:
        return "?"
    if ord(words[0][0]) > 0x2E80 or len(words) == 1:
        return words[0][0].upper()
    return (words[0][0] + words[-1][0]).upper()


@register.simple_tag
def crumb(label: str, url_name: str = "", *args: Any, **kwargs: Any) -> SafeString:
    """One step of the breadcrumbs; the last one has no address."""
    if not url_name:
        return format_html('<li aria-current="page">{}</li>', label)
    url = url_name if url_name.startswith("/") else reverse(url_name, args=args or None, kwargs=kwargs or None)
    return format_html('<li><a href="{}">{}</a></li>', url, label)


@register.simple_tag(takes_context=True)
def pagination(context: Context, page_obj: Page, param: str = "page") -> SafeString:
    """Links to the neighbouring pages; the query string stays."""
    return part(
        context, "pagination", page=page_obj,
        previous=_with_query(context, **{param: page_obj.previous_page_number()}) if page_obj.has_previous() else "",
        next=_with_query(context, **{param: page_obj.next_page_number()}) if page_obj.has_next() else "",
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def sort_th(context: Context, label: str, key: str, numeric: bool = False) -> SafeString:
    """A column's head that sorts: `?sort=key`, and `-key` the second time."""
    current = context["request"].GET.get("sort", "")
    order = {key: "ascending", f"-{key}": "descending"}.get(current, "none")
    url = _with_query(context, sort=f"-{key}" if current == key else key, page=None)
    return part(context, "sort_th", label=label, url=url, order=order, numeric=numeric)


@register.simple_tag(takes_context=True)
def confirm_button(
    context: Context, url: str, label: str, title: str, text: str = "", tone: str = "danger", icon: str = "",
    size: str = "",
) -> SafeString:  # fmt: skip
    """A link to a confirm page that opens as a dialog and POSTs to the same address."""
    dialog_id = f"confirm-{zlib.crc32(f'{url}{label}'.encode()):x}"
    return part(
        context, "confirm", url=url, label=label, title=title, text=text, tone=tone, icon=icon, id=dialog_id, size=size
    )


@register.simple_tag(takes_context=True)
def codeblock(context: Context, text: str, lang: str = "", copy: bool = True, title: str = "") -> SafeString:
    """Code or a command, with a button that copies it."""
    return part(context, "codeblock", text=text, lang=lang, copy=copy, title=title)


@register.simple_tag(takes_context=True)
def copy(context: Context, text: str, label: str) -> SafeString:
    """A small button that copies a text; hidden where scripts do not run."""
    return part(context, "copy", text=text, label=label)


@register.simple_tag(takes_context=True)
def file_drop(
    context: Context, name: str, label: str, accept: str = "", multiple: bool = False, hint: str = "",
    max_bytes: int = 0, required: bool = False,
) -> SafeString:  # fmt: skip
    """A file field onto which files can be dropped."""
    return part(
        context, "file_drop", name=name, label=label, accept=accept, multiple=multiple, hint=hint,
        max_bytes=max_bytes, max_text=formats.file_size(max_bytes) if max_bytes else "", required=required,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def editor_files(
    context: Context, files: list[dict[str, str]], prefix: str = "files", readonly: bool = False, label: str = ""
) -> SafeString:
    """Several files in the code editor; plain text fields where scripts do not run."""
    spare = [] if readonly else [{"path": "", "text": ""}]
    return part(
        context, "editor_files", files=[*files, *spare], count=len(files), prefix=prefix, readonly=readonly, label=label
    )


@register.simple_tag(takes_context=True)
def form_errors(context: Context, form: Any) -> SafeString:
    """The summary of a form's errors, each a link to its field."""
    return part(context, "form_errors", form=form)


@register.filter
def unechoed(field: BoundField) -> SafeString:
    """The field's control, without a placeholder that only repeats the label."""
    placeholder = str(field.field.widget.attrs.get("placeholder", ""))
    return (
        field.as_widget(attrs={"placeholder": ""})
        if placeholder and str(field.label) in placeholder
        else field.as_widget()
    )


def _icon(name: str, size: str) -> SafeString:
    return icon(name, size=size)


def _with_query(context: Context, **changes: Any) -> str:
    query = context["request"].GET.copy()
    query.pop("part", None)  # what a module swaps in has links to whole pages
    for key, value in changes.items():
        if value is None:
            query.pop(key, None)
        else:
            query[key] = value
    return f"?{query.urlencode()}" if query else "."
