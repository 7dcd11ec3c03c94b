"""Every string that a person may see has a Korean translation; English is the language of the msgids."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("campus", "courses", "labs", "infra")
PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
LITERAL = r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
IN_TEMPLATE = re.compile(rf"\b(gettext|ngettext|pgettext|npgettext|_)\(\s*{LITERAL}(?:\s*,\s*{LITERAL})?")
Message = tuple[str, str]  # context and msgid


def catalogues() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("locale/ko/LC_MESSAGES/django.po"))


def translated() -> set[Message]:
    known = {(entry.msgctxt or "", entry.msgid) for path in catalogues() for entry in polib.pofile(str(path))}
    for folder in settings.LOCALE_PATHS:
        for path in Path(folder).rglob("ko/LC_MESSAGES/django.po"):
            known |= {(entry.msgctxt or "", entry.msgid) for entry in polib.pofile(str(path))}
    return known


def in_python(path: Path) -> Iterator[Message]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        texts = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
        if name in PLAIN | PLURAL and texts and isinstance(texts[0], str) and texts[0]:
            yield "", texts[0]
        elif name in CONTEXT and len(texts) > 1 and isinstance(texts[0], str) and isinstance(texts[1], str):
            yield texts[0], texts[1]


def in_template(path: Path) -> Iterator[Message]:
    for name, first, second in IN_TEMPLATE.findall(templatize(path.read_text(encoding="utf-8"))):
        one = ast.literal_eval(first)
        if name in ("pgettext", "npgettext"):
            yield one, ast.literal_eval(second)
        elif one.strip():
            yield "", one


def messages() -> Iterator[tuple[Path, Message]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix == ".py" and "migrations" not in path.parts and "demo" not in path.parts:
                yield from ((path, message) for message in in_python(path))
            elif path.suffix == ".html" and "templates" in path.parts:
                yield from ((path, message) for message in in_template(path))


def test_no_string_lacks_a_korean_translation():
    shown, known = list(messages()), translated()
    assert len(shown) > 1_000, "the search itself finds too little"
    lacking = sorted({f"{path.relative_to(ROOT)}: {message[1]!r}" for path, message in shown if message not in known})
    assert not lacking, f"{len(lacking)} lack a translation:\n" + "\n".join(lacking)


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_entry_of_a_catalogue_is_empty_or_a_guess(path: Path):
    catalogue = polib.pofile(str(path))
    assert not [entry.msgid for entry in catalogue.untranslated_entries()]
    assert not [entry.msgid for entry in catalogue.fuzzy_entries()]
