"""Plots as SVG, drawn by hand: they need nothing but a browser. Light and dark by the reader's own setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 150, 44, 52
#: Distinguishable without red against green (Okabe and Ito, 2008).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.t{font-weight:600;font-size:15px}.g{stroke:#ddd}"
    ".a{stroke:#888}@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#ddd}.g{stroke:#333}}"
)


class _Axes:
    """A frame with a title, grid lines and labels; ``x`` and ``y`` turn values into places."""

    def __init__(self, title: str, x_label: str, y_label: str, x_range: tuple[float, float], x_log: bool) -> None:
        self._low, self._high, self._log = x_range[0], x_range[1], x_log
        self.out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(title)}</title><style>{STYLE}</style>",
            f'<text class="t" x="{LEFT}" y="24">{escape(title)}</text>',
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>',
            f'<text transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_label)}</text>",
        ]

    def x(self, value: float) -> float:
        low, high, at = self._low, self._high, min(max(value, self._low), self._high)
        if self._log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return LEFT + (WIDTH - RIGHT - LEFT) * (at - low) / (high - low)

    @staticmethod
    def y(share: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share

    def grid(self, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]]) -> None:
        for value, label in x_ticks:
            at = self.x(value)
            self.out.append(f'<line class="g" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
            self.out.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label}</text>')
        for share, label in y_ticks:
            at = self.y(share)
            self.out.append(f'<line class="g" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
            self.out.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')

    def line(self, points: Sequence[tuple[float, float]], number: int, name: str, *, is_bold: bool) -> None:
        path = " ".join(f"{self.x(value):.1f},{self.y(share):.1f}" for value, share in points)
        colour, legend = COLOURS[number % len(COLOURS)], TOP + 14 + 22 * number
        width = 3.5 if is_bold else 2
        self.out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        at = WIDTH - RIGHT + 14
        self.out.append(
            f'<line x1="{at}" x2="{at + 22}" y1="{legend - 4}" y2="{legend - 4}" stroke="{colour}" '
            f'stroke-width="{width}"/><text x="{at + 28}" y="{legend}">{escape(name)}</text>'
        )

    def svg(self) -> str:
        return "\n".join([*self.out, "</svg>\n"])


SHARES = tuple((share / 4, f"{25 * share} %") for share in range(5))


def distribution(title: str, x_label: str, values: Mapping[str, Sequence[float]], *, least: float, bold: str) -> str:
    """The share of jobs at or below each value, the values on a logarithmic axis that begins at ``least``."""
    most = max(max((max(given) for given in values.values() if len(given)), default=1.0), least * 10)
    axes = _Axes(title, x_label, "share of jobs", (least, most), x_log=True)
    powers = range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1)
    axes.grid([(10.0**power, f"{10.0**power:,g}") for power in powers], SHARES)
    for number, (name, given) in enumerate(values.items()):
        ordered = sorted(given)
        points = [(ordered[at * (len(ordered) - 1) // 200], at / 200) for at in range(201)] if ordered else []
        axes.line(points, number, name, is_bold=name == bold)
    return axes.svg()


def curves(
    title: str,
    x_label: str,
    y_label: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    y_top: float,
    bold: str,
) -> str:
    """Lines over a linear axis; shares from 0 to ``y_top``."""
    low = min(x for points in series.values() for x, _ in points)
    high = max(x for points in series.values() for x, _ in points)
    axes = _Axes(title, x_label, y_label, (low, high), x_log=False)
    ticks = [low + (high - low) * part / 5 for part in range(6)]
    axes.grid([(at, f"{at:.0%}") for at in ticks], [(part / 4, f"{y_top * part / 4:.0%}") for part in range(5)])
    for number, (name, points) in enumerate(series.items()):
        axes.line([(x, min(1.0, y / y_top)) for x, y in points], number, name, is_bold=name == bold)
    return axes.svg()
