"""Every pair of colours that carries text or a control's edge, computed as WCAG 2.2 does, in both themes."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "campus/core/static/core/tokens.css"
GROUNDS = ("bg", "surface", "raised", "sunken")
TONES = ("ok", "warn", "danger", "run", "wait", "neutral", "accent")
TEXT = [
    *[(text, ground) for text in ("ink", "ink-2", "ink-3") for ground in GROUNDS],
    *[(text, "hover") for text in ("ink", "ink-2")],
    *[(tone, ground) for tone in TONES for ground in (*GROUNDS, f"{tone}-soft")],
    *[("ink", f"{tone}-soft") for tone in TONES],
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-danger", "danger"),
    ("on-danger", "danger-strong"),
    ("accent-strong", "surface"),
    *[(f"code-{kind}", ground) for kind in ("keyword", "string", "number", "comment", "name") for ground in GROUNDS],
]
EDGES = [
    *[("line-strong", ground) for ground in ("bg", "surface", "raised")],
    *[(f"series-{number}", "surface") for number in range(1, 7)],
    ("ink-2", "neutral-soft"),
    ("run", "neutral-soft"),
]


def _tokens() -> dict[str, dict[str, str]]:
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", TOKENS.read_text())
    return {
        "light": {name: light for name, light, _ in pairs},
        "dark": {name: dark for name, _, dark in pairs},
    }


def _luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2, definition of relative luminance)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_reads_with_at_least_4_5(theme: str) -> None:
    tokens = _tokens()[theme]
    weak = {pair: round(ratio, 2) for pair in TEXT if (ratio := contrast(tokens[pair[0]], tokens[pair[1]])) < 4.5}
    assert weak == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_of_controls_and_marks_of_charts_have_at_least_3(theme: str) -> None:
    tokens = _tokens()[theme]
    weak = {pair: round(ratio, 2) for pair in EDGES if (ratio := contrast(tokens[pair[0]], tokens[pair[1]])) < 3}
    assert weak == {}
