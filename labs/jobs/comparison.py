"""Two jobs side by side: settings, results, metrics over time, and the code's differences."""

import difflib
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from .models import Attempt, Job, MetricPoint, SourceBundle

MAX_POINTS = 2_000
MAX_DIFF_LINES = 1_500
X_NAMES = ("step", "epoch", "iteration", "batch")


def compare_jobs(first: Job, second: Job) -> dict[str, Any]:
    """Return what the comparison page shows; a fixed number of queries."""
    return {
        "first": first,
        "second": second,
        "settings": _settings(first, second),
        "results": _results(first.result, second.result),
        "charts": _charts(first, second),
        "changes": list(_changes(first.source, second.source)),
    }


def _settings(first: Job, second: Job) -> list[dict[str, Any]]:
    def facts(job: Job) -> dict[str, Any]:
        return {
            _("State"): job.get_state_display(),
            _("Environment"): job.environment.name if job.environment else _("Plain Python"),
            _("File to run"): job.entrypoint,
            _("GPUs"): job.gpus,
            _("GPU type"): job.gpu_type or _("any"),
            _("Time limit (s)"): job.wall_s,
            _("GPU-seconds charged"): job.charged_s,
        }

    ours, theirs = facts(first), facts(second)
    return [{"name": name, "a": ours[name], "b": theirs[name], "differs": ours[name] != theirs[name]} for name in ours]


def _results(first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name in sorted({*first, *second}):
        a, b = first.get(name), second.get(name)
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (a, b))
        rows.append(
            {"name": name, "a": a, "b": b, "delta": b - a if numbers and a is not None and b is not None else None}
        )
    return rows


def _points(job: Job) -> list[dict[str, float]]:
    last = Attempt.objects.filter(job=job).order_by("-number").values("pk")[:1]
    values = MetricPoint.objects.filter(attempt__in=last).order_by("seq").values_list("values", flat=True)
    return list(values[:MAX_POINTS])


def _charts(first: Job, second: Job) -> list[dict[str, Any]]:
    ours, theirs = _points(first), _points(second)
    names = sorted({name for point in (*ours, *theirs) for name in point} - set(X_NAMES))
    charts = []
    for name in names[:8]:
        a, b = (_series(points, name) for points in (ours, theirs))
        xs = sorted({*a, *b})
        series = [
            {"name": f"#{first.pk}", "values": [a.get(x) for x in xs]},
            {"name": f"#{second.pk}", "values": [b.get(x) for x in xs]},
        ]
        charts.append(
            {"name": name, "data": {"kind": "line", "x": xs, "x_name": _x_name(ours or theirs), "series": series}}
        )
    return charts


def _x_name(points: list[dict[str, float]]) -> str:
    return next((name for name in X_NAMES if points and name in points[0]), _("point"))


def _series(points: list[dict[str, float]], name: str) -> dict[float, float]:
    x_name = next((one for one in X_NAMES if points and one in points[0]), None)
    return {
        point.get(x_name, index) if x_name else index: point[name]
        for index, point in enumerate(points)
        if name in point
    }


def _changes(first: SourceBundle, second: SourceBundle) -> Iterator[dict[str, Any]]:
    """Yield, for each file that differs, its path and its unified difference as (kind, text) lines."""
    if first.digest == second.digest:
        return
    room = MAX_DIFF_LINES
    for path in sorted({*first.files, *second.files}):
        before, after = (_lines(bundle.files.get(path)) for bundle in (first, second))
        if before == after or room <= 0:
            continue
        lines = [_kinded(line) for line in difflib.unified_diff(before, after, lineterm="", n=3)][2 : 2 + room]
        room -= len(lines)
        yield {"path": path, "lines": lines}


def _lines(entry: dict[str, str] | None) -> list[str]:
    if entry is None:
        return []
    return entry["text"].splitlines() if "text" in entry else [_("(binary content)") + " " + entry["base64"][:16]]


def _kinded(line: str) -> dict[str, str]:
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return {"kind": kinds.get(line[:1], "same"), "text": line}
