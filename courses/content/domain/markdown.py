"""Markdown to safe HTML: tables, task lists, footnotes, maths left for KaTeX, code coloured on the server.

Whatever is written, what comes out is inert: raw HTML is shown as text, and the result passes an allow-list.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

SCHEMES = {"http", "https", "mailto"}
FILES = "files/"
MAX_HIGHLIGHTED = 20_000  # characters; a longer block is shown plain

_TAGS = {
    "a", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img",
    "input", "label", "li", "ol", "p", "pre", "s", "section", "span", "strong", "sub", "sup", "table", "tbody", "td",
    "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title", "class", "id"},
    "code": {"class"},
    "div": {"class", "data-math"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "img": {"src", "alt", "title"},
    "input": {"type", "checked", "disabled", "class"},
    "li": {"class", "id"},
    "ol": {"start", "class"},
    "pre": {"class"},
    "section": {"class"},
    "span": {"class", "data-math"},
    "sup": {"class"},
    "td": {"class"},
    "th": {"class"},
    "ul": {"class"},
}
_ALIGNED = {"text-align:left": "text-start", "text-align:center": "text-center", "text-align:right": "text-end"}


def render(text: str, files: str = "") -> str:
    """Return the HTML of a Markdown text. Headings start at h2, since the page has its own h1.

    What the text names as `files/NAME` is found below the address `files`.
    """
    parser, env = _parser(), dict[str, Any]()
    tokens = parser.parse(text, env)
    if files:
        _point_to(tokens, files)
    return nh3.clean(
        parser.renderer.render(tokens, parser.options, env),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener nofollow",
        strip_comments=True,
        attribute_filter=_filtered,
    )


def _point_to(tokens: Sequence[Token], files: str) -> None:
    for token in tokens:
        for one in (token, *(token.children or ())):
            for name in ("src", "href"):
                address = str(one.attrs.get(name, ""))
                if address.startswith(FILES):
                    one.attrs[name] = files + address.removeprefix(FILES)


def _filtered(tag: str, name: str, value: str) -> str | None:
    """Keep what our own renderer writes: a checkbox is a disabled one, a picture comes over HTTPS or from us."""
    if tag == "input" and name == "type" and value != "checkbox":
        return None
    if tag == "img" and name == "src" and not value.startswith(("https://", "/")):
        return None
    if tag in {"a", "img"} and name in {"href", "src"} and value.startswith("//"):
        return None
    return value


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "highlight": None})
    parser.enable(["table", "strikethrough"])
    parser.use(footnote_plugin).use(tasklists_plugin, label=True).use(dollarmath_plugin, double_inline=True)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("math_inline", _math("span", "$"))
    parser.add_render_rule("math_inline_double", _math("div", "$$"))
    parser.add_render_rule("math_block", _math("div", "$$"))
    parser.add_render_rule("math_block_label", _math("div", "$$"))
    parser.add_render_rule("heading_open", _heading)
    parser.add_render_rule("heading_close", _heading)
    for cell in ("td_open", "th_open"):
        parser.add_render_rule(cell, _cell)
    return parser


def _fence(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Mapping[str, Any], env: Mapping[str, Any]
) -> str:
    token = tokens[index]
    language = (token.info.split() or [""])[0].lower()
    kind = f' class="language-{escape(language)}"' if language else ""
    return f"<pre><code{kind}>{_coloured(token.content, language)}</code></pre>\n"


def _coloured(code: str, language: str) -> str:
    if not language or len(code) > MAX_HIGHLIGHTED:
        return escape(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _math(tag: str, mark: str) -> Any:
    """The formula as text between its marks: readable without scripts, drawn by KaTeX with them."""

    def rule(
        self: RendererHTML, tokens: Sequence[Token], index: int, options: Mapping[str, Any], env: Mapping[str, Any]
    ) -> str:
        kind = "math math-display" if mark == "$$" else "math"
        return f'<{tag} class="{kind}" data-math="">{mark}{escape(tokens[index].content.strip())}{mark}</{tag}>'

    return rule


def _heading(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Mapping[str, Any], env: Mapping[str, Any]
) -> str:
    token = tokens[index]
    token.tag = f"h{min(6, max(2, int(token.tag[1])))}"
    return self.renderToken(tokens, index, options, env)  # type: ignore[arg-type]


def _cell(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Mapping[str, Any], env: Mapping[str, Any]
) -> str:
    """Alignment as a class: the page's policy allows no style attributes."""
    style = str(tokens[index].attrs.pop("style", ""))
    if style in _ALIGNED:
        tokens[index].attrs["class"] = _ALIGNED[style]
    return self.renderToken(tokens, index, options, env)  # type: ignore[arg-type]
