"""A lab: its brief, its editor, its runs; and writing labs."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, InvalidInput, NotAllowed, NotFound, OverQuota
from campus.core.form_errors import add_service_error
from campus.people.requests import SignedInRequest
from courses.catalog.api import RunAccess, form_page
from courses.catalog.models import Enrolment
from courses.content.api import get_module_to_edit
from courses.content.api import render as render_markdown
from labs.jobs.api import SweepForm, files_of, files_of_bundle, shown_files, typed_files, unshown_files

from .access import get_lab_for, get_lab_to_edit
from .forms import LabForm, RunForm
from .models import Lab
from .selectors import LabEntry, best_value, lab_entry, runs_of_lab
from .services import change_lab, open_lab, submit_lab_run
from .starter import Starter, starter_of
from .sweeping import submit_lab_sweep

# The form's names of what the service calls otherwise.
FORM_FIELDS = {"wall_s": "wall_minutes", "gpu_milli": "gpus", "gpu_memory_mib": "gpu_memory"}
FIRST_PROGRAM = b'print("Hello from the lab")\n'


@require_GET
def lab(request: SignedInRequest, lab_id: int) -> HttpResponse:
    """Show a lab with its editor and the reader's runs; `?from=RUN` begins with that run's files."""
    shown, access = get_lab_for(request.user, lab_id)
    files = files_of_bundle(_source(request, shown, access).files)
    form = RunForm(lab=shown, initial=_initial(shown))
    return _lab_page(request, shown, access, form, shown_files(files), kept=sorted(unshown_files(files)))


@require_POST
def submit(request: SignedInRequest, lab_id: int) -> HttpResponse:
    """Run a lab: the editor's files with those of the source that it cannot show, or what was uploaded instead.

    What was typed stays in the page when it is refused.
    """
    shown, access = get_lab_for(request.user, lab_id)
    form, sweep = RunForm(request.POST, lab=shown), SweepForm(request.POST)
    kept = unshown_files(files_of_bundle(_source(request, shown, access).files))
    is_upload = bool(request.FILES.getlist("upload"))
    files: dict[str, bytes] = {}
    shortage: dict[str, Any] = {}
    try:
        files = files_of(request)
        if form.is_valid() and sweep.is_valid():
            return redirect(_submitted(request, lab_id, form, sweep, files if is_upload else kept | files))
    except (NotFound, NotAllowed):
        raise
    except CampusError as error:
        form.is_valid()
        if isinstance(error, OverQuota):
            shortage = error.facts | {"message": str(error.message)}
        elif isinstance(error, InvalidInput) and "grid" in error.fields:
            add_service_error(sweep, InvalidInput({"grid": error.fields["grid"]}))
        else:
            add_service_error(form, _renamed(error))
    rows = shown_files(files) if files and is_upload else typed_files(request)
    lost = [*unshown_files(files)] if is_upload else []
    status = 409 if shortage else 400
    return _lab_page(
        request, shown, access, form, rows, sweep=sweep, kept=sorted(kept), lost=lost, shortage=shortage, status=status
    )


def _submitted(
    request: SignedInRequest, lab_id: int, form: RunForm, sweep: SweepForm, files: Mapping[str, bytes]
) -> str:
    """Submit a run, or a sweep where parameters are named; returns where it is followed. Raises as the services."""
    given = form.cleaned_data
    wishes: dict[str, Any] = {
        "lab_id": lab_id, "user": request.user, "files": files, "gpus": given["gpus"].gpus,
        "gpu_milli": given["gpus"].milli, "gpu_memory_mib": given["gpu_memory"], "wall_s": given["wall_minutes"],
        "is_preemptible": given["preemptible"], "idempotency_key": given["key"],
    }  # fmt: skip
    if sweep.is_filled:
        swept, _is_new = submit_lab_sweep(asked=sweep.wish(), **wishes)
        return reverse("jobs:sweep", args=[swept.pk])
    run, _is_new = submit_lab_run(**wishes)
    return reverse("jobs:job", args=[run.job_id])


@require_http_methods(["GET", "POST"])
def new_lab(request: SignedInRequest, module_id: int) -> HttpResponse:
    """Write a new lab."""
    module, access = get_module_to_edit(request.user, module_id)
    form = LabForm(request.POST or None)
    starter = starter_of(request, {"main.py": FIRST_PROGRAM})

    def save(fields: dict[str, Any]) -> str:
        made = open_lab(module_id=module_id, files=starter.files, actor=request.user, **fields)
        return reverse("assignments:lab", args=[made.pk])

    back = reverse("catalog:run", args=[access.run.slug])
    return _lab_form(request, form, save, _("Add a lab"), back, module.title, starter)


@require_http_methods(["GET", "POST"])
def edit_lab(request: SignedInRequest, lab_id: int) -> HttpResponse:
    """Change a lab."""
    shown, _access = get_lab_to_edit(request.user, lab_id)
    back = reverse("assignments:lab", args=[lab_id])
    starter = starter_of(request, files_of_bundle(shown.starter.files))
    form = LabForm(request.POST or None, instance=shown)

    def save(fields: dict[str, Any]) -> str:
        data_sets = fields.pop("data_sets")
        change_lab(lab_id=lab_id, fields=fields, files=starter.files, data_sets=data_sets, actor=request.user)
        return back

    return _lab_form(request, form, save, _("Change the lab"), back, shown.module.title, starter)


def _lab_page(
    request: SignedInRequest,
    shown: Lab,
    access: RunAccess,
    form: RunForm,
    files: list[dict[str, Any]],
    *,
    kept: list[str],
    sweep: SweepForm | None = None,
    lost: list[str] | None = None,
    shortage: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Draw the lab; `files` are the editor's, `kept` come along, `shortage` the facts of a refused hold."""
    enrolment = access.enrolment
    runs = runs_of_lab(shown, enrolment) if enrolment else []
    now = timezone.now()
    entry = lab_entry(shown, enrolment, now) if enrolment else LabEntry(shown, due_at=shown.due_at)
    context = {
        "lab": shown,
        "access": access,
        "run": access.run,
        "form": form,
        "sweep": sweep or SweepForm(initial={"metric": shown.main_metric}),
        "most_runs": settings.LABS_SWEEP_MAX_RUNS,
        "files": files,
        "kept": kept,
        "lost": lost or [],
        "shortage": shortage,
        "html": mark_safe(render_markdown(shown.brief)),  # noqa: S308 - sanitised by an allow-list
        "data_sets": shown.data_sets.all(),
        "may_run": enrolment is not None and enrolment.state == Enrolment.State.ACTIVE,
        "progress": entry.progress,
        "due_at": entry.due_at,
        "runs": [{"run": run, "job": run.job, "best": best_value(run, shown)} for run in runs],
        "account": enrolment.account if enrolment else None,
        "campus_id": enrolment.cohort.campus_id if enrolment else None,
        "from": request.GET.get("from", ""),
        "is_past_due": entry.due_at is not None and entry.due_at < now,
        "max_bytes": settings.LABS_SOURCE_MAX_BYTES,
    }
    return render(request, "assignments/lab.html", context, status=status)


def _initial(shown: Lab) -> dict[str, Any]:
    # The key makes a doubled submit, by an impatient finger or a lost answer, one job.
    return {
        "gpus": shown.usual,
        "gpu_memory": shown.gpu_memory_mib,
        "wall_minutes": shown.wall_s,
        "key": f"lab-{uuid.uuid4().hex}",
    }


def _source(request: SignedInRequest, shown: Lab, access: RunAccess) -> Any:
    """Return the starter, or the files of the reader's own run that `?from=` names."""
    wanted = request.GET.get("from", "")
    if wanted.isdecimal() and len(wanted) < 16 and access.enrolment:
        rows = shown.runs.select_related("job__source").filter(enrolment=access.enrolment, job_id=int(wanted))
        run = rows.first()
        if run is not None:
            return run.job.source
    return shown.starter


def _renamed(error: CampusError) -> CampusError:
    if isinstance(error, InvalidInput):
        error.fields = {FORM_FIELDS.get(name, name): texts for name, texts in error.fields.items()}
    return error


def _lab_form(
    request: SignedInRequest, form: LabForm, save: Any, title: str, back: str, hint: str, starter: Starter
) -> HttpResponse:
    if starter.error is not None:
        add_service_error(form, starter.error)
    brief = form["brief"].value() or ""
    return form_page(
        request, form, save, title=title, back=back, hint=hint, template="assignments/lab_form.html",
        starter=starter, max_bytes=settings.LABS_SOURCE_MAX_BYTES,
        html=mark_safe(render_markdown(brief[:100_000])),  # noqa: S308
    )  # fmt: skip
