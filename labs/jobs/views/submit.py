"""The new-job page."""

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from campus.core.errors import CampusError, InvalidInput
from campus.core.form_errors import add_service_error
from campus.people.access import standing_of
from labs.jobs.access import get_own_job
from labs.jobs.domain.source import from_json
from labs.jobs.forms import JobForm
from labs.jobs.models import Job
from labs.jobs.services import submit
from labs.jobs.uploads import files_of, shown_files
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
    "environment_id": "environment",
    "wall_s": "wall_minutes",
    "data_set_ids": "data_sets",
    "preferred_campus_id": "preferred_campus",
}


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Write or upload code, choose what it runs on, see what that holds and when it starts, and submit."""
    source = _source(request)
    form = JobForm(request.POST or None, user=request.user, initial=_initial(request, source))
    files = from_json(source.source.files) if source else {"main.py": FIRST_PROGRAM}
    if request.method == "POST":
        try:
            files = files_of(request)
            if form.is_valid():
                job, _created = submit(owner=request.user, files=files, rerun_of=source, **form.wish())
                return redirect("jobs:job", job.pk)
        except CampusError as error:
            form.is_valid()
            add_service_error(form, _renamed(error))
    context: dict[str, Any] = {
        "form": form,
        "files": shown_files(files),
        "source": source,
        "has_account": Account.objects.filter(owner=request.user, is_open=True).exists(),
        "max_bytes": settings.LABS_SOURCE_MAX_BYTES,
    }
    return render(request, "jobs/new.html", context, status=400 if form.errors else 200)


def _source(request: HttpRequest) -> Job | None:
    """Return the job that `?from=` names, whose code and settings the form begins with."""
    wanted = request.GET.get("from", "")
    if not wanted.isdecimal() or len(wanted) > 15:
        return None
    return get_own_job(standing_of(request.user), int(wanted))


def _initial(request: HttpRequest, source: Job | None) -> dict[str, Any]:
    # The key makes a doubled submit, by an impatient finger or a lost answer, one job.
    initial: dict[str, Any] = {"key": f"web-{uuid.uuid4().hex}"}
    if source is None:
        return initial
    return initial | {
        "title": source.title,
        "account": source.account_id,
        "environment": source.environment_id,
        "entrypoint": source.entrypoint,
        "gpus": source.gpus,
        "gpu_type": source.gpu_type,
        "wall_minutes": f"{source.wall_s / 60:g}",
        "preferred_campus": source.preferred_campus_id,
        "data_sets": [one.pk for one in source.data_sets.all()],
    }


def _renamed(error: CampusError) -> CampusError:
    if isinstance(error, InvalidInput):
        error.fields = {FORM_FIELDS.get(name, name): texts for name, texts in error.fields.items()}
    return error
