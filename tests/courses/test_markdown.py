"""What the Markdown of lessons may do, and what hostile Markdown may not."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.content.domain.markdown import render

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example/a)",
    "![x](javascript:alert(1))",
    "![x](http://evil.example/pixel.png)",
    "![x](//evil.example/pixel.png)",
    "<javascript:alert(1)>",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x]: https://a.example "\\" onclick=alert(1) x=\\""\n\n[x]',
    "<style>*{display:none}</style>",
    '<a href="javascript:alert(1)">x</a>',
    "<svg><script>alert(1)</script></svg>",
    '<iframe src="https://evil.example"></iframe>',
    "<form action=https://evil.example><input name=password></form>",
    '```"><script>alert(1)</script>\nx\n```',
    "```python onload=alert(1)\n<img src=x onerror=alert(1)>\n```",
    "$<img src=x onerror=alert(1)>$",
    "$$\n</div><script>alert(1)</script>\n$$",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "| <script>alert(1)</script> |\n|-|\n| <img src=x onerror=alert(1)> |",
    '# <h1 onclick="alert(1)">x</h1>',
    "- [ ] <input type=text autofocus onfocus=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "a\u202e<script>\u202calert(1)</script>",
]
TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img", "input", "label",
    "li", "ol", "p", "pre", "s", "section", "span", "strong", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


class _Reader(HTMLParser):
    """Notes everything a browser would act on."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def _read(html):
    reader = _Reader()
    reader.feed(html)
    return reader


def _is_inert(html):
    read = _read(html)
    assert read.tags <= TAGS
    for tag, name, value in read.attributes:
        assert not name.startswith("on")
        assert name not in {"style", "srcset", "formaction", "srcdoc"}
        if name in {"href", "src"}:
            assert re.match(r"(https?://|mailto:|#|/(?!/)|[\w./%-]+$)", value), value
        if tag == "img" and name == "src":
            assert value.startswith(("https://", "/"))
        if tag == "input":
            assert (name, value) in {("type", "checkbox"), ("checked", "checked"), ("disabled", "disabled"),
                                     ("class", "task-list-item-checkbox")}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_out_inert(text):
    _is_inert(render(text))


@given(st.text(alphabet="<>\"'&`$[]()!#*_|-:/\\ \nabcjsonload=", max_size=120))
def test_whatever_is_written_comes_out_inert(text):
    _is_inert(render(text))


def test_an_input_is_a_checkbox_that_nobody_can_change():
    attributes = {name: value for _tag, name, value in _read(render("- [x] done")).attributes}

    assert attributes["type"] == "checkbox"
    assert "disabled" in attributes


def test_maths_stays_text_between_its_marks_for_katex():
    html = render("Let $a < b$ and\n\n$$\n\\sum_i x_i\n$$\n")

    assert '<span class="math" data-math="">$a &lt; b$</span>' in html
    assert '<div class="math math-display" data-math="">$$\\sum_i x_i$$</div>' in html


def test_prices_are_no_maths():
    assert "data-math" not in render(r"It costs \$5 or \$10.")


def test_code_is_coloured_on_the_server_and_unknown_languages_stay_plain():
    assert '<span class="k">def</span>' in render("```python\ndef f(): pass\n```")
    assert render("```klingon\n<b>\n```") == '<pre><code class="language-klingon">&lt;b&gt;\n</code></pre>\n'


def test_tables_tasks_footnotes_and_strikes_are_known():
    html = render("| a | b |\n|:-|-:|\n| 1 | 2 |\n\n~~no~~ x[^1]\n\n[^1]: why\n")

    assert '<td class="text-end">2</td>' in html
    assert "<s>no</s>" in html
    assert 'id="fn1"' in html


def test_headings_begin_below_the_pages_own():
    assert render("# One\n\n###### Six") == "<h2>One</h2>\n<h6>Six</h6>\n"


def test_a_very_long_text_is_rendered_in_reasonable_depth():
    html = render("> " * 500 + "deep\n\n" + "*" * 5_000 + "\n\n" + "[" * 5_000)

    _is_inert(html)


@pytest.mark.parametrize("path", sorted(Path("campus/web/demo").glob("l*/**/*.md")), ids=lambda path: path.stem)
def test_the_demos_texts_use_what_is_known(path):
    html = render(path.read_text(encoding="utf-8"))

    _is_inert(html)
    assert "<p>" in html
    assert "```" not in html
