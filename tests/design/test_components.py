"""The tags, the form renderer, the navigation and the files of the code editor."""

import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from campus.core import navigation, states
from campus.core.forms import editor_files
from campus.core.navigation import NavItem

ROOT = Path(__file__).parents[2]


def draw(source: str, **values: Any) -> str:
    with translation.override("en"):
        context = Context({"request": RequestFactory().get("/x/?q=a&page=2"), **values})
        return Template("{% load ui %}" + source).render(context)


def test_every_icon_that_a_template_or_a_module_names_is_in_the_sprite() -> None:
    drawn = (ROOT / "campus/core/static/vendor/icons/sprite.svg").read_text()
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', drawn))
    named: dict[str, str] = {}
    for top in ("campus", "courses", "labs", "infra"):
        for path in (ROOT / top).rglob("*"):
            if "node_modules" in path.parts or "vendor" in path.parts or path.suffix not in {".html", ".js", ".py"}:
                continue
            text = path.read_text()
            found = re.findall(r'{% icon "([\w-]+)"|icon="([\w-]+)"|iconName: "([\w-]+)"', text)
            named |= {name: str(path.relative_to(ROOT)) for groups in found for name in groups if name}
    assert {name: path for name, path in named.items() if name not in sprite} == {}
    assert len(named) > 20


def test_a_state_is_a_word_a_tone_and_a_shape() -> None:
    html = draw("{% state_badge 'TIMED_OUT' live='job-state' %}")
    assert "Timed out" in html
    assert "badge-danger" in html
    assert "#timer-off" in html
    assert 'data-live="job-state"' in html


def test_an_unknown_tone_is_refused() -> None:
    with pytest.raises(ValueError, match="purple"):
        states.register("test", {"X": states.State("x", "purple", "circle")})


def test_what_people_wrote_is_escaped_in_every_component() -> None:
    nasty = "<img src=x onerror=alert(1)>"
    sources = [
        "{% badge x %}", "{% icon 'play' label=x %}", "{% card title=x %}{{ x }}{% endcard %}", "{% codeblock x %}",
        "{% callout 'info' title=x %}{{ x }}{% endcallout %}", "{% stat x value=x unit=x hint=x %}", "{% crumb x %}",
        "{% timeline %}{% event x meta=x %}{{ x }}{% endevent %}{% endtimeline %}", "{% person x meta=x %}",
        "{% kv %}{% kv_row x x %}{% endkv %}", "{% empty title=x text=x %}", "{% logview 'a' data=x %}",
        "{% chart c title=x %}", "{% confirm_button url='/' label=x title=x text=x %}", "{% copy x label=x %}",
        "{% disclosure x %}{{ x }}{% enddisclosure %}", "{% state_badge x %}",
        "{% capture as y %}{{ x }}{% endcapture %}{{ y }}",
    ]  # fmt: skip
    chart = {"kind": "bar", "x": [nasty], "series": [{"name": nasty, "values": [1]}]}
    html = "".join(draw(source, x=nasty, c=chart) for source in sources)
    assert "<img" not in html
    assert html.count("&lt;img") >= len(sources)


@pytest.mark.parametrize(("name", "initial"), [("김하늘", "김"), ("Ada Lovelace", "AL"), ("ada", "A")])
def test_an_avatar_shows_the_family_name_in_korean_and_two_letters_in_latin(name: str, initial: str) -> None:
    person = SimpleNamespace(pk=1, name=name)
    assert f">{initial}</span>" in draw("{% avatar p %}", p=person)


def test_a_meter_never_draws_past_its_end() -> None:
    html = draw("{% quota_meter used=90 held=30 total=100 %}")
    widths = [float(width) for width in re.findall(r'width="([\d.]+)%"', html)]
    assert widths == [90, 10]


def test_a_log_gives_scripts_its_bytes_and_readers_its_words() -> None:
    html = draw("{% logview 'a' data=d %}", d=b"10%\r60%\r100%\r\n\x1b[31mred\x1b[0m\n")
    assert 'data-first="MTAlDTYwJQ0xMDAlDQobWzMxbXJlZBtbMG0K"' in html
    body = re.search(r"<pre[^>]*>(.*?)</pre>", html, re.DOTALL)
    assert body is not None
    assert unescape(body[1]).strip() == "100%\nred"


def test_pagination_keeps_the_query() -> None:
    html = draw("{% pagination p %}", p=Paginator(range(60), 20).page(2))
    assert "?q=a&amp;page=1" in html
    assert "?q=a&amp;page=3" in html


def test_links_in_a_swapped_part_lead_to_whole_pages() -> None:
    request = RequestFactory().get("/", {"part": "live", "sort": "name"})
    source = "{% load ui %}{% pagination p %}{% sort_th 'Name' 'name' %}"
    html = Template(source).render(Context({"request": request, "p": Paginator(range(60), 20).page(2)}))
    assert "?sort=name&amp;page=3" in html
    assert "?sort=-name" in html
    assert "part" not in html


class _Form(forms.Form):
    title = forms.CharField(help_text="shown in the list")
    note = forms.CharField(required=False, widget=forms.TextInput(attrs={"placeholder": "Note"}))


def test_a_field_points_to_its_help_and_its_error() -> None:
    with translation.override("en"):
        html = str(_Form({"title": ""}))
    assert 'aria-describedby="id_title_helptext id_title_error"' in html
    assert 'id="id_title_helptext"' in html
    assert 'id="id_title_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'href="#id_title"' in html, "the summary leads to the field"
    assert 'placeholder="Note"' not in html, "a placeholder that repeats the label is noise"


def test_the_files_of_the_editor_come_back_in_order() -> None:
    post = {
        "files-0-path": "b.py", "files-0-text": "1\r\n2", "files-1-path": "", "files-1-text": "left out",
        "files-2-path": "pkg/a.py", "files-2-text": "",
    }  # fmt: skip
    assert editor_files(post) == {"b.py": "1\n2", "pkg/a.py": ""}


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", "a\\b", "a\x00b", ".."])
def test_a_path_that_leaves_the_folder_is_refused_by_name(path: str) -> None:
    with pytest.raises(ValidationError):
        editor_files({"files-0-path": path, "files-0-text": ""})


def test_two_files_of_one_name_are_refused() -> None:
    post = {f"files-{i}-{part}": "a.py" for i in range(2) for part in ("path", "text")}
    with pytest.raises(ValidationError):
        editor_files(post)


@pytest.fixture
def _two_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "_ITEMS", {})
    navigation.register(
        NavItem("Sign in", "account_login", icon="log-in", predicate=lambda request: True, tab=True),
        NavItem("E-mail", "account_email", icon="mail"),
        NavItem("Gone", "no-such-route", icon="x", predicate=lambda request: True),
    )


@pytest.mark.usefixtures("_two_items")
def test_navigation_shows_what_a_person_may_see_and_marks_where_they_are() -> None:
    request = RequestFactory().get("/accounts/login/")
    request.user = AnonymousUser()
    shown = navigation.for_request(request)
    assert [(item.label, item.is_current) for _, items in shown.sections for item in items] == [("Sign in", True)]
    request.user = SimpleNamespace(is_authenticated=True)  # type: ignore[assignment]
    labels = [item.label for _, items in navigation.for_request(request).sections for item in items]
    assert labels == ["Sign in", "E-mail"]


def test_an_item_in_an_unknown_section_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        navigation.register(NavItem("x", "account_login", icon="x", section="nowhere"))


def test_a_kept_part_shows_its_values_escaped_and_refuses_what_may_change_unseen() -> None:
    row = Template(
        '{% load ui %}{% kept "catalog/_lesson_row.html" pk=7 title=title minutes=5 is_published=True is_done=done'
        " may_read=False is_preview=False %}"
    )
    with translation.override("en"):
        shown = row.render(Context({"title": "<b>", "done": False}))
        assert "&lt;b&gt;" in shown
        assert 'aria-label="Lesson"' in shown
        assert 'aria-label="Done"' in row.render(Context({"title": "<b>", "done": True}))
    with translation.override("ko"):
        assert 'aria-label="Lesson"' not in row.render(Context({"title": "<b>", "done": False}))
    with pytest.raises(TypeError, match="SimpleNamespace"):
        row.render(Context({"title": SimpleNamespace(), "done": False}))
