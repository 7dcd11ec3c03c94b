"""Every field of every form is named in the reader's language."""

import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

from django import forms
from django.utils import translation

import campus
import courses
import labs

HANGUL = re.compile("[가-힣]")
#: Written the same in both languages.
SAME = {"URL", "GPU", "GPUs", "CPU"}


def every_form() -> Iterator[type[forms.BaseForm]]:
    for package in (campus, courses, labs):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.rpartition(".")[2].startswith("forms"):
                import_module(found.name)
    waiting: list[type[forms.BaseForm]] = [forms.BaseForm]
    while waiting:
        for form in waiting.pop().__subclasses__():
            waiting.append(form)
            if form.__module__.partition(".")[0] in ("campus", "courses", "labs"):
                yield form


def test_no_label_of_a_form_stays_english_in_korean() -> None:
    unnamed = set()
    with translation.override("ko"):
        for form in every_form():
            for name, field in form.base_fields.items():  # type: ignore[attr-defined]
                is_hidden = isinstance(field.widget, forms.HiddenInput | forms.MultipleHiddenInput)
                label = "" if field.label is None else str(field.label)
                if not is_hidden and label not in SAME and not HANGUL.search(label):
                    unnamed.add(f"{form.__module__}.{form.__qualname__}.{name}: {label!r}")
    assert not unnamed, "\n".join(sorted(unnamed))
