"""The new-job page."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from campus.core.errors import CampusError, Conflict, InvalidInput, OverQuota
from campus.core.form_errors import add_service_error
from campus.people.access import standing_of
from campus.people.requests import SignedInRequest
from labs.jobs.access import get_own_job
from labs.jobs.domain.source import from_json
from labs.jobs.forms import JobForm
from labs.jobs.gpu_fields import GpuAsk
from labs.jobs.models import Job, Sweep
from labs.jobs.services import SweepWish, Wish, points_of, submit, submit_sweep
from labs.jobs.sweep_forms import SweepForm
from labs.jobs.uploads import files_of, shown_files, typed_files, unshown_files
from labs.quota.models import Account

FIRST_PROGRAM = b"""import json
import time

for step in range(1, 6):
    time.sleep(0.5)
    print(json.dumps({"step": step, "loss": round(1 / step, 4)}))

with open("metrics.json", "w") as file:
    json.dump({"loss": 0.2}, file)
print("done")
"""
# The form's names of what the service calls otherwise.
FORM_FIELDS = {
    "account_id": "account",
    "gpu_milli": "gpus",
    "gpu_memory_mib": "gpu_memory",
    "environment_id": "environment",
    "wall_s": "wall_minutes",
    "is_preemptible": "preemptible",
    "data_set_ids": "data_sets",
    "preferred_campus_id": "preferred_campus",
}


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Write or upload code, choose what it runs on, see what that holds and when it starts, and submit."""
    source = _source(request)
    form = JobForm(request.POST or None, user=request.user, initial=_initial(request, source))
    sweep = _sweep_form(request, source)
    if request.method == "GET":
        files = from_json(source.source.files) if source else {"main.py": FIRST_PROGRAM}
        return _page(request, form, sweep, source, shown_files(files))
    files, shortage = {}, {}
    try:
        files = _files(request, source)
        if _are_valid(form, sweep) and "check" not in request.POST:
            return _submitted(request, form.wish(), sweep, files, source)
    except CampusError as error:
        form.is_valid()
        sweep.is_valid()
        if isinstance(error, OverQuota):
            shortage = error.facts | {"message": str(error.message)}
        else:
            _tell(form, sweep, _renamed(error))
    uploaded = bool(request.FILES.getlist("upload"))
    return _page(
        request, form, sweep, source, shown_files(files) if files and uploaded else typed_files(request),
        shortage=shortage, lost=[*unshown_files(files)] if uploaded else [],
        status=400 if form.errors or sweep.errors else 409 if shortage else 200,
    )  # fmt: skip


def _are_valid(form: JobForm, sweep: SweepForm) -> bool:
    """Judge both, so that all that is wrong is said at once."""
    valid = [form.is_valid(), sweep.is_valid()]
    if sweep.is_filled and all(valid):
        points_of(sweep.wish())
    return all(valid)


def _tell(form: JobForm, sweep: SweepForm, error: CampusError) -> None:
    """Put an error onto the form whose fields it names."""
    if isinstance(error, InvalidInput):
        of_sweep = {name: error.fields.pop(name) for name in ("grid", *sweep.fields) if name in error.fields}
        if of_sweep:
            add_service_error(sweep, InvalidInput(of_sweep))
            if not error.fields:
                return
    add_service_error(form, error)


def _submitted(
    request: SignedInRequest, wish: dict[str, Any], sweep: SweepForm, files: dict[str, bytes], source: Job | None
) -> HttpResponse:
    if not sweep.is_filled:
        return redirect("jobs:job", _submit(request.user, wish, files, source).pk)
    return redirect("jobs:sweep", _submit_sweep(request.user, wish, sweep.wish(), files).pk)


def _page(
    request: SignedInRequest, form: JobForm, sweep: SweepForm, source: Job | None, files: list[dict[str, str]], *,
    shortage: Mapping[str, Any] | None = None, lost: list[str] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    context: dict[str, Any] = {
        "form": form,
        "sweep": sweep,
        "most_runs": settings.LABS_SWEEP_MAX_RUNS,
        "files": files,
        "source": source,
        "kept": [*_kept(source)] if source else [],
        "lost": lost or [],
        "shortage": shortage,
        "is_checking": "check" in request.POST and form.is_valid() and sweep.is_valid(),
        "has_account": Account.objects.filter(owner=request.user, is_open=True).exists(),
        "max_bytes": settings.LABS_SOURCE_MAX_BYTES,
    }
    return render(request, "jobs/new.html", context, status=status)


def _source(request: SignedInRequest) -> Job | None:
    """Return the job that `?from=` names, whose code and settings the form begins with."""
    wanted = request.GET.get("from", "")
    if not wanted.isdecimal() or len(wanted) > 15:
        return None
    return get_own_job(standing_of(request.user), int(wanted))


def _sweep_form(request: SignedInRequest, source: Job | None) -> SweepForm:
    """The sweep's part of the page; `?from=JOB&sweep=1` begins with the sweep of that job."""
    began = source.sweep if source is not None and "sweep" in request.GET else None
    if request.method == "POST":
        return SweepForm(request.POST)
    if began is None:
        return SweepForm()
    initial = {"metric": began.metric, "direction": began.direction, "max_running": began.max_running}
    # The database keeps an object's names in an order of its own.
    grid = {name: began.grid[name] for name in began.names if name in began.grid}
    return SweepForm(initial_grid=grid, initial=initial)


def _kept(source: Job) -> dict[str, bytes]:
    return unshown_files(from_json(source.source.files))


def _files(request: SignedInRequest, source: Job | None) -> dict[str, bytes]:
    """What the editor holds with what it cannot show of the run that it began with, or what was uploaded instead."""
    files = files_of(request)
    if source is None or request.FILES.getlist("upload"):
        return files
    return _kept(source) | files


def _submit(owner: Any, wish: dict[str, Any], files: dict[str, bytes], source: Job | None) -> Job:
    # A run of a sweep that is edited and run by itself is told what that run was told.
    same = {"owner": owner, "files": files, "rerun_of": source, "parameters": source.parameters if source else {}}
    try:
        return submit(**same, **wish)[0]
    except Conflict as error:
        if error.code != "idempotency_key_reused":
            raise
    # The page was sent before and changed since, after the browser's "back": a new job, not the old one again.
    return submit(**same, **wish | {"idempotency_key": _new_key()})[0]


def _submit_sweep(owner: Any, wish: dict[str, Any], asked: SweepWish, files: dict[str, bytes]) -> Sweep:
    one = Wish(files=files, deadline_at=None, work_key="", **wish)
    try:
        return submit_sweep(owner=owner, wish=one, asked=asked)[0]
    except Conflict as error:
        if error.code != "idempotency_key_reused":
            raise
    return submit_sweep(owner=owner, wish=replace(one, idempotency_key=_new_key()), asked=asked)[0]


def _new_key() -> str:
    return f"web-{uuid.uuid4().hex}"


def _initial(request: SignedInRequest, source: Job | None) -> dict[str, Any]:
    # The key makes a doubled submit, by an impatient finger or a lost answer, one job.
    initial: dict[str, Any] = {"key": _new_key(), "after": request.GET.get("after", "")}
    if source is None:
        return initial
    return initial | {
        "title": source.title,
        "account": source.account_id,
        "environment": source.environment_id,
        "entrypoint": source.entrypoint,
        "gpus": GpuAsk(source.gpus, source.gpu_milli),
        "gpu_memory": source.gpu_memory_mib,
        "gpu_type": source.gpu_type,
        "wall_minutes": f"{source.wall_s / 60:.2f}".rstrip("0").rstrip("."),
        "preferred_campus": source.preferred_campus_id,
        "preemptible": source.is_preemptible,
        "data_sets": [one.pk for one in source.data_sets.all()],
    }


def _renamed(error: CampusError) -> CampusError:
    if isinstance(error, InvalidInput):
        error.fields = {FORM_FIELDS.get(name, name): texts for name, texts in error.fields.items()}
    return error
