"""Meters, sparklines, charts and the log viewer; merged into `{% load ui %}`."""

import base64
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from campus.core import formats
from campus.core.templatetags.ui_parts import part

register = template.Library()

# Escape sequences and control characters. Every alternative is bounded or begins at a fixed character: a program may
# print a megabyte without a line break, and this must stay linear in it.
_ESCAPES = re.compile(
    r"\x1b\[[0-9;:?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)


def plain_log(stored: bytes) -> str:
    """A terminal's output for readers without scripts: no controls, and of each line what a carriage return left."""
    text = _ESCAPES.sub("", stored.decode(errors="replace").replace("\r\n", "\n"))
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))


@dataclass(frozen=True)
class Segment:
    """A part of a meter, in percent of the whole."""

    name: str
    label: str
    text: str
    x: str
    width: str


def _segments(parts: list[tuple[str, str, float]], total: float) -> list[Segment]:
    shown, start = [], 0.0
    for name, label, amount in parts:
        width = min(max(amount, 0) / total, 1 - start) if total > 0 else 0.0
        shown.append(Segment(name, label, formats.gpu_hours(amount), f"{start * 100:.3f}%", f"{width * 100:.3f}%"))
        start += width
    return shown


# Built here and not by a template: rosters and quota trees have one in each row.
@register.simple_tag
def quota_meter(used: float, total: float, held: float = 0, label: str = "", compact: bool = False) -> SafeString:
    """Used, held and free GPU-seconds of a total, with a legend in words."""
    free = max(total - used - held, 0)
    segments = _segments([("used", _("Used"), used), ("held", _("Held"), held)], total)
    words = {"free": formats.gpu_hours(free), "total": formats.gpu_hours(total)}
    label = label or _("GPU time")
    return format_html(
        '<div class="meter{}{}">{}{}{}</div>',
        " meter-compact" if compact else "",
        " meter-low" if total > 0 and free / total < 0.1 else "",
        "" if compact else _meter_head(label, words),
        _meter_bar(label, segments, words),
        format_html('<span class="meter-text num">{}</span>', _("%(free)s free") % words)
        if compact
        else _meter_legend(segments, words),
    )


def _meter_head(label: str, words: dict[str, str]) -> SafeString:
    rest = _("free of %(total)s") % words
    return format_html(
        '<div class="meter-head"><span>{}</span><span class="num"><strong>{}</strong> {}</span></div>',
        label, words["free"], rest,
    )  # fmt: skip


def _meter_bar(label: str, segments: list[Segment], words: dict[str, str]) -> SafeString:
    said = ", ".join([*(f"{one.label} {one.text}" for one in segments), _("%(free)s free of %(total)s") % words])
    bars = format_html_join(
        "", '<rect class="seg-{}" x="{}" width="{}" height="100%"></rect>',
        ((one.name, one.x, one.width) for one in segments),
    )  # fmt: skip
    return format_html('<svg class="meter-bar" role="img" aria-label="{}: {}">{}</svg>', label, said, bars)


def _meter_legend(segments: list[Segment], words: dict[str, str]) -> SafeString:
    entries = [*((one.name, one.label, one.text) for one in segments), ("free", _("Free"), words["free"])]
    keys = format_html_join("", '<li><span class="key key-{}"></span>{} <span class="num">{}</span></li>', entries)
    return format_html('<ul class="meter-legend">{}</ul>', keys)


@register.simple_tag(takes_context=True)
def progress(context: Context, value: float | None = None, maximum: float = 1, label: str = "") -> SafeString:
    """How far something is; without a value it only says that work goes on."""
    return part(context, "progress", value=value, maximum=maximum, label=label)


@register.simple_tag(takes_context=True)
def sparkline(context: Context, values: Sequence[float], label: str, tone: str = "series") -> SafeString:
    """A line without axes, 100 × 24 units, scaled from 0 to the largest value."""
    top = max([*values, 0]) or 1
    step = 100 / max(len(values) - 1, 1)
    points = " ".join(f"{index * step:.2f},{23 - value / top * 22:.2f}" for index, value in enumerate(values))
    return part(context, "sparkline", points=points, label=label, tone=tone)


def _chart_table(data: dict[str, Any]) -> dict[str, Any] | None:
    """The table behind a chart: head and rows, from the same data."""
    kind = data.get("kind")
    if kind in {"treemap", "sunburst"}:
        return {"head": [data.get("x_name") or _("Part"), _("Value")], "rows": list(_tree_rows(data["tree"]))}
    if kind == "heatmap":
        cells = {(x, y): value for x, y, value in data["cells"]}
        rows = [[name, *(cells.get((x, y)) for x in range(len(data["x"])))] for y, name in enumerate(data["y"])]
        return {"head": [data.get("x_name", ""), *data["x"]], "rows": rows}
    head, columns = [data.get("x_name", "")], []
    low, high = _("low"), _("high")
    suffixes = {"values": "", "low": f" ({low})", "high": f" ({high})"}
    for series in data["series"]:
        for key in ("values", "low", "high"):
            if key in series:
                head.append(series["name"] + suffixes[key])
                columns.append(series[key])
    rows = [[x, *(column[index] for column in columns)] for index, x in enumerate(data["x"])]
    return {"head": head, "rows": rows}


def _tree_rows(nodes: list[dict[str, Any]], above: str = "") -> Any:
    for node in nodes:
        name = f"{above} › {node['name']}" if above else node["name"]
        yield [name, node.get("value")]
        yield from _tree_rows(node.get("children", []), name)


@register.simple_tag(takes_context=True)
def chart(
    context: Context,
    data: dict[str, Any],
    title: str,
    unit: str = "",
    csv: str = "",
    height: str = "md",
    id: str = "",
    subtitle: str = "",
) -> SafeString:
    """A chart with its message as title, its unit, the table behind it and a CSV link.

    docs/design.md says what `data` holds.
    """
    chart_id = id or f"chart-{zlib.crc32(title.encode()):x}"
    return part(
        context,
        "chart",
        data=data,
        title=title,
        subtitle=subtitle,
        unit=unit,
        csv=csv,
        height=height,
        id=chart_id,
        data_id=f"{chart_id}-data",
        table=_chart_table(data),
    )


@register.simple_tag(takes_context=True)
def livechart(context: Context, id: str, title: str, x_name: str = "", height: str = "md") -> SafeString:
    """A chart that a page's module feeds point by point."""
    return part(context, "livechart", id=id, title=title, x_name=x_name or _("Step"), height=height)


@register.simple_tag(takes_context=True)
def logview(
    context: Context,
    id: str,
    data: bytes | str = b"",
    offset: int = 0,
    download: str = "",
    label: str = "",
    closed: bool = False,
) -> SafeString:
    """The log viewer. `data` is what the server already has, `offset` the byte at which that begins."""
    stored = data.encode() if isinstance(data, str) else bytes(data)
    # An HTML parser would turn carriage returns into lines, so scripts get the bytes themselves.
    first = base64.b64encode(stored).decode()
    return part(
        context, "logview", id=id, download=download, text=plain_log(stored), first=first, offset=offset,
        label=label or _("Log"), closed=closed,
    )  # fmt: skip
