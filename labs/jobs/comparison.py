"""Two jobs side by side: results, metrics over time, settings, and the code's differences."""

import difflib
from typing import Any

from django.utils.translation import gettext as _

from campus.core.formats import duration, file_size, gpu_hours, gpu_memory, gpu_number

from .domain.results import is_number
from .domain.sweeps import as_text
from .job_page import metrics_of
from .models import Attempt, Job, SourceBundle

MOST_POINTS = 200
MOST_CHARTS = 8
MOST_DIFF_LINES = 1_500
X_NAMES = ("step", "epoch", "iteration", "batch")

Points = list[dict[str, float]]


def compare_jobs(first: Job, second: Job) -> dict[str, Any]:
    """Return what the comparison page shows; a fixed number of queries."""
    attempts = {one.job_id: one for one in _last_attempts(first, second)}
    ours, theirs = attempts.get(first.pk), attempts.get(second.pk)
    changes, is_cut = _changes(first.source, second.source)
    return {
        "first": first,
        "second": second,
        "sides": [("A", first), ("B", second)],
        "results": _results(_measured(first, ours), _measured(second, theirs)),
        "has_results": bool(first.result or second.result),
        "settings": _settings(first, ours, second, theirs),
        "charts": _charts((first, _points(ours)), (second, _points(theirs))),
        "changes": changes,
        "is_cut": is_cut,
    }


def _last_attempts(first: Job, second: Job) -> list[Attempt]:
    both = Attempt.objects.filter(job__in=(first, second)).select_related("node")
    return list(both.order_by("job_id", "-number").distinct("job_id"))


def _measured(job: Job, attempt: Attempt | None) -> dict[str, Any]:
    """The job's own results, then how long it ran."""
    measured = dict(job.result)
    if attempt is not None and attempt.run_s is not None:
        measured[_("run time (s)")] = round(attempt.run_s, 2)
    return measured


def _settings(first: Job, ours: Attempt | None, second: Job, theirs: Attempt | None) -> list[dict[str, Any]]:
    a, b = _facts(first, ours), _facts(second, theirs)
    return [
        {"name": name, "a": a.get(name, "–"), "b": b.get(name, "–"), "differs": a.get(name) != b.get(name)}
        for name in dict.fromkeys([*a, *b])
    ]


def _facts(job: Job, attempt: Attempt | None) -> dict[str, Any]:
    memory = attempt.peak_memory_bytes if attempt else None
    return {
        _("Environment"): job.environment.name if job.environment else _("Plain Python"),
        _("File to run"): job.entrypoint,
        _("Data sets"): ", ".join(sorted(one.slug for one in job.data_sets.all())) or "–",
        _("GPUs"): gpu_number(job.gpus_in_all),
        _("GPU memory at least"): gpu_memory(job.gpu_memory_mib) if job.gpu_memory_mib else _("any"),
        _("GPU type"): job.gpu_type or _("any"),
        _("Time limit"): duration(job.wall_s),
        _("Node"): attempt.node.name if attempt else "–",
        _("Most memory used"): file_size(memory) if memory else "–",
        _("Charged"): gpu_hours(job.charged_s),
        **{name: as_text(value) for name, value in job.parameters.items()},
    }


def _results(first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name in dict.fromkeys([*first, *second]):
        a, b = first.get(name), second.get(name)
        delta = b - a if is_number(a) and is_number(b) else None  # type: ignore[operator]
        rows.append({"name": name, "a": a, "b": b, "delta": delta, "share": delta / abs(a) if delta and a else None})
    return rows


def _points(attempt: Attempt | None) -> Points:
    return metrics_of(attempt, most=MOST_POINTS).points if attempt else []


def _charts(first: tuple[Job, Points], second: tuple[Job, Points]) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for _job, points in (first, second) for point in points for name in point)
    shown = [name for name in names if name not in X_NAMES][:MOST_CHARTS]
    return [{"id": f"compared-{n}", "name": name, "data": _chart(name, first, second)} for n, name in enumerate(shown)]


def _chart(name: str, first: tuple[Job, Points], second: tuple[Job, Points]) -> dict[str, Any]:
    lines = {
        f"{letter} · #{job.pk}": _line(points, name)
        for letter, (job, points) in zip("AB", (first, second), strict=True)
    }
    xs = sorted({x for line in lines.values() for x in line})
    series = [{"name": label, "values": [line.get(x) for x in xs]} for label, line in lines.items()]
    shown = [int(x) if float(x).is_integer() else x for x in xs]
    # Two runs seldom report at the same steps: each line goes on over the steps that only the other has.
    return {"kind": "line", "x": shown, "x_name": _x_name(first[1] or second[1]), "series": series, "connect": True}


def _x_name(points: Points) -> str:
    return next((name for name in X_NAMES if points and name in points[0]), _("point"))


def _line(points: Points, name: str) -> dict[float, float]:
    x_name = next((one for one in X_NAMES if points and one in points[0]), None)
    return {
        point.get(x_name, place) if x_name else place: point[name]
        for place, point in enumerate(points)
        if name in point
    }


def _changes(first: SourceBundle, second: SourceBundle) -> tuple[list[dict[str, Any]], bool]:
    """For each file that differs its path and the lines of its difference by kind; and whether some had no room."""
    changes: list[dict[str, Any]] = []
    room = MOST_DIFF_LINES
    if first.digest == second.digest:
        return changes, False
    for path in sorted({*first.files, *second.files}):
        before, after = first.files.get(path), second.files.get(path)
        if before == after:
            continue
        if room <= 0:
            return changes, True
        lines = _difference(before, after)
        changes.append({"path": path, "lines": lines[:room]})
        room -= len(lines)
    return changes, room < 0


def _difference(before: dict[str, str] | None, after: dict[str, str] | None) -> list[dict[str, str]]:
    if any(entry is not None and "text" not in entry for entry in (before, after)):
        return [{"kind": "place", "text": _("It is no text, and its content differs.")}]
    old, new = (entry["text"].splitlines() if entry else [] for entry in (before, after))
    kinds = {"+": "added", "-": "removed", "@": "place"}
    lines = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
    return [{"kind": kinds.get(line[:1], "same"), "text": line} for line in lines]
