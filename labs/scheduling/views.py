"""What a job would hold and when it would start, shown beside the form before submitting."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campus.core.errors import InvalidInput
from campus.core.formats import gpu_count, gpu_memory
from labs.jobs.api import WHOLE_GPU, GpuAsk, points_of, pool_offer
from labs.jobs.sweep_forms import SweepForm

from .forecasts import Forecast, account_for, forecast
from .sweep_forecasts import forecast_sweep
from .words import waits_because

_MOST = 10**9


@require_GET
def show_forecast(request: HttpRequest) -> HttpResponse:
    """Answer with the partial; what is wrong with the form so far is said in its place."""
    sweep = SweepForm(request.GET)
    try:
        wishes = wishes_of(request.GET, request.user)
        if sweep.is_filled:
            return render(request, "scheduling/_sweep_forecast.html", sweep_context(request.user, wishes, sweep))
        return render(request, "scheduling/_forecast.html", job_context(request.user, wishes))
    except InvalidInput as error:
        context = {"problems": [text for texts in error.fields.values() for text in texts]}
        return render(request, "scheduling/_forecast.html", context, status=400)


def job_context(user: Any, wishes: dict[str, Any]) -> dict[str, Any]:
    """What the partial of a job shows. Raises InvalidInput that names the field."""
    found = forecast(user=user, **wishes)
    return {"forecast": found, "because": because(found), "share": share_words(wishes)}


def sweep_context(user: Any, wishes: dict[str, Any], sweep: SweepForm) -> dict[str, Any]:
    """What the partial of a sweep shows. Raises InvalidInput that names the field."""
    if not sweep.is_valid():
        raise InvalidInput({name: [str(text) for text in texts] for name, texts in sweep.errors.items()})
    asked = sweep.wish()
    runs = len(points_of(asked))
    found = forecast_sweep(user=user, runs=runs, max_running=asked.max_running, **wishes)
    return {"forecast": found, "grid": asked.grid, "share": share_words(wishes)}


def share_words(wishes: dict[str, Any]) -> str:
    """What a share of a GPU gets, its memory with it; empty for whole GPUs, of which the form says all."""
    ask = GpuAsk(wishes["gpus"], wishes["gpu_milli"])
    if ask.milli == WHOLE_GPU:
        return ""
    memory_mib = wishes["gpu_memory_mib"] or pool_offer().least_memory_of_share(ask.milli, wishes["gpu_type"])
    if not memory_mib:
        return gpu_count(ask.in_all)
    return _("%(share)s, at least %(memory)s") % {
        "share": gpu_count(ask.in_all), "memory": gpu_memory(memory_mib)
    }  # fmt: skip


def because(found: Forecast) -> str:
    """Why it would wait, in words; empty where it would start at once."""
    return waits_because(found.reason, found.facts, place=found.place) if found.reason else ""


def wishes_of(given: Any, user: Any) -> dict[str, Any]:
    """Read gpus, gpu_milli, gpu_memory_mib, gpu_type, wall_s, campus, account and work_key from a query string.

    As forms send them, `gpus` may also be a share (0.25), and gpu_memory (in GiB) and wall_minutes stand for theirs.
    Raises InvalidInput naming the field.
    """
    wrong: dict[str, str] = {}
    ask = _ask(given, wrong)
    wishes = {
        "gpus": ask.gpus,
        "gpu_milli": _whole(given, "gpu_milli", wrong, ask.milli),
        "gpu_memory_mib": _memory_mib(given, wrong),
        "gpu_type": given.get("gpu_type", "")[:60],
        "wall_s": _wall_s(given, wrong),
        "preferred_campus_id": _whole(given, "campus", wrong) or _whole(given, "preferred_campus", wrong),
        "work_key": given.get("work_key", "")[:80].replace("\0", ""),
    }
    account_id = _whole(given, "account", wrong)
    if wrong:
        raise InvalidInput(wrong)
    return wishes | {"account": account_for(user, account_id)}


def _whole(given: Any, name: str, wrong: dict[str, str], default: int | None = None) -> int | None:
    text = given.get(name, "").strip()
    if not text:
        return default
    if text.lstrip("-").isdecimal() and len(text) <= 10:
        return int(text)
    wrong[name] = _("Enter a whole number.")
    return default


def _ask(given: Any, wrong: dict[str, str]) -> GpuAsk:
    try:
        return GpuAsk.of(given.get("gpus", "").strip() or "1")
    except ValueError:
        wrong["gpus"] = _("Enter a whole number of GPUs, or a share of one such as 0.25.")
        return GpuAsk()


def _memory_mib(given: Any, wrong: dict[str, str]) -> int | None:
    text = given.get("gpu_memory", "").strip()
    if not text:
        return _whole(given, "gpu_memory_mib", wrong)
    return _number(text, "gpu_memory", wrong, times=1024)


def _wall_s(given: Any, wrong: dict[str, str]) -> int:
    name = "wall_minutes" if given.get("wall_minutes", "").strip() else "wall_s"
    text = given.get(name, "").strip() or "600"
    return _number(text, name, wrong, times=60 if name == "wall_minutes" else 1)


def _number(text: str, name: str, wrong: dict[str, str], *, times: int) -> int:
    """So many times the number that `text` is, whole; 0 where it is none."""
    try:
        value = Decimal(text)
        if value.is_finite() and abs(value) < _MOST:
            return int(value * times)
    except InvalidOperation:
        pass
    wrong[name] = _("Enter a number.")
    return 0
