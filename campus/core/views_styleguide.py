"""The living style guide: every component with believable content."""

import math
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

CODE = "import json\n\nfor epoch in range(5):\n    print(json.dumps({'epoch': epoch}))\n"
LOG = (
    "\x1b[1mepoch 1/5\x1b[0m\n  loss \x1b[33m1.2034\x1b[0m  accuracy \x1b[32m0.6120\x1b[0m\n"
    "downloading  10%\rdownloading  60%\rdownloading 100%\n\x1b[31mWarning:\x1b[0m <b>not markup</b>\n"
)


class ExampleForm(forms.Form):
    """One field of each kind, drawn by the campus's form renderer."""

    title = forms.CharField(label=gettext_lazy("Title"), help_text=gettext_lazy("Shown in your list of jobs."))
    environment = forms.ChoiceField(
        label=gettext_lazy("Environment"), choices=[("py311", "Python 3.11 · scikit-learn"), ("torch", "PyTorch 2")]
    )
    gpus = forms.IntegerField(label=gettext_lazy("GPUs"), min_value=1, max_value=4, initial=1)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    mode = forms.ChoiceField(
        label=gettext_lazy("Mode"),
        choices=[("onsite", gettext_lazy("On site")), ("online", gettext_lazy("Online"))],
        widget=forms.RadioSelect,
    )
    agree = forms.BooleanField(label=gettext_lazy("Tell me when it ends"), required=False)


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component, to developers and to superusers.

    Raises PermissionDenied for anyone else.
    """
    if not (settings.DEBUG or request.user.is_superuser):
        raise PermissionDenied
    if "toast" in request.GET:
        messages.success(request, _("Saved. The cohort sees it now."))
    return render(request, "core/styleguide.html", _examples(request))


def _examples(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    names = ("김하늘", "이서준", "박지우", "Ada Lovelace")
    return {
        "now": now,
        "soon": now + timedelta(hours=3),
        "earlier": now - timedelta(minutes=12),
        "people": [SimpleNamespace(pk=number, name=name) for number, name in enumerate(names)],
        "job_states": ("QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELLED"),
        "node_states": ("UP", "DRAINING", "DOWN"),
        "tones": ("neutral", "ok", "warn", "danger", "run", "wait", "action"),
        "form": ExampleForm(),
        "bad_form": ExampleForm(
            {"bad-title": "", "bad-environment": "py311", "bad-gpus": 9, "bad-mode": "onsite"}, prefix="bad"
        ),
        "page_obj": Paginator(range(95), 20).page(2),
        "files": [
            {
                "path": "train.py",
                "text": CODE,
            },
            {"path": "README.md", "text": "# Digits\n\nTrains on **real** data.\n"},
        ],
        "log_text": LOG,
        "spark": [2, 5, 3, 8, 6, 9, 12, 7, 10, 14],
        "charts": _charts(),
    }


def _charts() -> dict[str, Any]:
    days = ["11/15", "11/16", "11/17", "11/18", "11/19", "11/20", "11/21"]
    hours = [f"{hour}" for hour in range(24)]
    wave = [[x, y, round(50 + 40 * math.sin(x / 4 + y), 1)] for x in range(24) for y in range(2)]
    return {
        "stacked": {
            "kind": "stacked", "x_name": _("Day"), "x": days,
            "series": [
                {"name": "CV", "values": [1.2, 0.4, 2.1, 3.3, 0, 1.1, 2.0]},
                {"name": "NLP", "values": [0.4, 1.4, 0.2, 2.0, 1.5, 0.3, 0.9]},
            ],
        },
        "range": {
            "kind": "range", "x_name": _("Hour"), "x": ["09", "10", "11", "12"],
            "series": [
                {"name": _("Wait"), "values": [4, 9, 16, 6], "low": [1, 4, 8, 2], "high": [9, 18, 31, 12]}
            ],
        },
        "heatmap": {
            "kind": "heatmap", "x_name": _("Node"), "x": hours, "y": ["yongin-01", "jeonbuk-01"], "cells": wave,
        },
        "treemap": {
            "kind": "treemap",
            "tree": [
                {
                    "name": "용인", "value": 62,
                    "children": [{"name": "CV 1", "value": 40}, {"name": "NLP 2", "value": 22}],
                },
                {"name": "전북", "value": 38, "children": [{"name": "CV 2", "value": 38}]},
            ],
        },
    }  # fmt: skip
