"""Writing labs, and running them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import InvalidInput, NotAllowed, NotFound
from campus.core.formats import gpu_count
from campus.people.models import User
from courses.catalog.api import get_editable_run, save_changes, save_new
from courses.catalog.models import Enrolment
from courses.content.models import Module
from labs.jobs import api as jobs
from labs.jobs.api import WHOLE_GPU, GpuAsk

from .access import get_lab_for
from .lab_deadlines import lab_deadlines
from .models import Lab, LabRun


def submit_lab_run(
    *,
    lab_id: int,
    user: User,
    files: Mapping[str, bytes],
    entrypoint: str = "",
    gpus: int | None = None,
    gpu_milli: int | None = None,
    gpu_memory_mib: int | None = None,
    gpu_type: str | None = None,
    wall_s: int | None = None,
    is_preemptible: bool = False,
    idempotency_key: str | None = None,
    wrong: InvalidInput | None = None,
) -> tuple[LabRun, bool]:
    """Run a lab: queue a job with the lab's environment, data sets and deadline. Returns the run and whether it is new.

    What is left out is the lab's own; where only a count of GPUs is said they are whole.
    After the deadline a run is possible and counts as late.
    Raises NotFound (strangers, hidden labs), NotAllowed (staff and those who ended), and what `labs.jobs` raises:
    InvalidInput, Conflict, OverQuota. What the caller found `wrong` already is raised together with the rest.
    """
    lab, access = get_lab_for(user, lab_id)
    enrolment = access.enrolment
    if enrolment is None or enrolment.state != Enrolment.State.ACTIVE:
        raise NotAllowed(_("Only learners who are enrolled now run this lab. Staff try code under “New job”."))
    ask, wall_s = asked_of(lab, gpus, gpu_milli), wall_s if wall_s is not None else lab.wall_s
    wrong = out_of_bounds(lab, ask, wall_s, wrong)
    deadline_at = deadline_to_come(lab, enrolment)
    try:
        with transaction.atomic():
            job, is_new = jobs.submit(
                owner=user,
                account_id=enrolment.account_id,
                title=lab.title,
                environment_id=lab.environment_id,
                files=files,
                entrypoint=entrypoint or lab.entrypoint,
                gpus=ask.gpus,
                gpu_milli=ask.milli,
                gpu_memory_mib=lab.gpu_memory_mib if gpu_memory_mib is None else gpu_memory_mib,
                gpu_type=lab.gpu_type if gpu_type is None else gpu_type,
                wall_s=wall_s,
                is_preemptible=is_preemptible,
                data_set_ids=list(lab.data_sets.values_list("pk", flat=True)),
                preferred_campus_id=enrolment.cohort.campus_id,
                deadline_at=deadline_at,
                work_key=work_key(lab.pk),
                idempotency_key=idempotency_key,
                work_url=reverse("assignments:lab", args=[lab.pk]),
                wrong=wrong,
            )
            run, _made = LabRun.objects.get_or_create(job=job, defaults={"lab": lab, "enrolment": enrolment})
    except IntegrityError as error:  # the lab was deleted meanwhile, which is found when all is committed
        if Lab.objects.filter(pk=lab_id).exists():
            raise
        raise NotFound from error
    return run, is_new


def deadline_to_come(lab: Lab, enrolment: Enrolment) -> datetime | None:
    """The deadline that the scheduler is told, while it is to come: where the lab is handed in, the learner's own."""
    due_at = lab_deadlines([lab], [enrolment]).of(lab, enrolment.pk)
    return due_at if due_at and due_at > database_now() else None


def work_key(lab_id: int) -> str:
    """Name the work by which run times are predicted: all runs of a lab are one."""
    return f"lab:{lab_id}"


@transaction.atomic
def open_lab(
    *, module_id: int, files: Mapping[str, bytes], data_sets: Iterable[Any] = (), actor: User | None, **fields: Any
) -> Lab:
    """Add a lab at the end of a module. `files` is the starter. Raises NotFound, NotAllowed, InvalidInput."""
    module = Module.objects.select_for_update(of=("self",)).select_related("run").filter(pk=module_id).first()
    if module is None:
        raise NotFound
    if actor is not None:
        get_editable_run(actor, module.run)
    last = Lab.objects.filter(module=module).aggregate(last=Max("position"))["last"] or 0
    lab = Lab(module=module, position=last + 1, **fields)
    lab.starter = _starter(files, lab.entrypoint)
    save_new(lab, actor=actor)
    lab.data_sets.set(data_sets)
    return lab


@transaction.atomic
def change_lab(
    *, lab_id: int, fields: Mapping[str, Any], files: Mapping[str, bytes] | None = None,
    data_sets: Iterable[Any] | None = None, actor: User | None,
) -> Lab:  # fmt: skip
    """Change a lab; runs that were made keep what they ran. Raises NotFound, NotAllowed, InvalidInput."""
    lab = Lab.objects.select_for_update(of=("self",)).select_related("module__run").filter(pk=lab_id).first()
    if lab is None:
        raise NotFound
    if actor is not None:
        get_editable_run(actor, lab.module.run)
    changes = dict(fields)
    if files is not None:
        changes["starter"] = _starter(files, changes.get("entrypoint", lab.entrypoint))
    save_changes(lab, changes, actor=actor)
    if data_sets is not None:
        lab.data_sets.set(data_sets)
    return lab


def _starter(files: Mapping[str, bytes], entrypoint: str) -> Any:
    if entrypoint not in files:
        raise InvalidInput({"entrypoint": _("The file to run must be one of the starter's files.")})
    return jobs.store_bundle(jobs.checked_files(files))


def asked_of(lab: Lab, gpus: int | None, gpu_milli: int | None) -> GpuAsk:
    """What a run asks for: the lab's own where nothing is said, one GPU where a share is, and whole ones else."""
    if gpus is None:
        return lab.usual if gpu_milli is None else GpuAsk(1 if gpu_milli < WHOLE_GPU else lab.gpus, gpu_milli)
    return GpuAsk(gpus, WHOLE_GPU if gpu_milli is None else gpu_milli)


def out_of_bounds(lab: Lab, ask: GpuAsk, wall_s: int, earlier: InvalidInput | None) -> InvalidInput | None:
    """What the lab does not allow, beside what was wrong before."""
    wrong = {}
    if not 0 < ask.in_all <= lab.most.in_all:
        wrong["gpus"] = _("This lab allows at most %(most)s.") % {"most": gpu_count(lab.most.in_all)}
    if not 1 <= wall_s <= lab.max_wall_s:
        wrong["wall_s"] = _("This lab allows at most %(most)d seconds.") % {"most": lab.max_wall_s}
    return InvalidInput(wrong).beside(earlier) if wrong else earlier
