"""A lab run many times over parameters: a sweep of `labs.jobs`, each run of which counts as a run of the lab."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campus.core.errors import NotAllowed, NotFound
from campus.people.models import User
from courses.catalog.models import Enrolment
from labs.jobs import api as jobs
from labs.jobs.models import Job, Sweep

from .access import get_lab_for
from .models import Lab, LabRun
from .services import asked_of, deadline_to_come, out_of_bounds, work_key


def submit_lab_sweep(
    *,
    lab_id: int,
    user: User,
    files: Mapping[str, bytes],
    asked: jobs.SweepWish,
    gpus: int,
    gpu_milli: int,
    gpu_memory_mib: int | None,
    wall_s: int,
    is_preemptible: bool,
    idempotency_key: str,
) -> tuple[Sweep, bool]:
    """Queue a run of the lab for each point of `asked`, or none. Returns the sweep and whether it is new.

    Raises as `submit_lab_run`, and what `labs.jobs.api.submit_sweep` raises.
    """
    lab, access = get_lab_for(user, lab_id)
    enrolment = access.enrolment
    if enrolment is None or enrolment.state != Enrolment.State.ACTIVE:
        raise NotAllowed(_("Only learners who are enrolled now run this lab. Staff try code under “New job”."))
    ask = asked_of(lab, gpus, gpu_milli)
    wrong = out_of_bounds(lab, ask, wall_s, None)
    wish = jobs.Wish(
        account_id=enrolment.account_id,
        title=lab.title,
        environment_id=lab.environment_id,
        files=files,
        entrypoint=lab.entrypoint,
        gpus=ask.gpus,
        gpu_milli=ask.milli,
        gpu_memory_mib=lab.gpu_memory_mib if gpu_memory_mib is None else gpu_memory_mib,
        gpu_type=lab.gpu_type,
        wall_s=wall_s,
        data_set_ids=list(lab.data_sets.values_list("pk", flat=True)),
        preferred_campus_id=enrolment.cohort.campus_id,
        deadline_at=deadline_to_come(lab, enrolment),
        work_key=work_key(lab.pk),
        idempotency_key=idempotency_key,
        is_preemptible=is_preemptible,
    )
    try:
        with transaction.atomic():
            sweep, is_new = jobs.submit_sweep(owner=user, wish=wish, asked=asked, wrong=wrong)
            if is_new:
                runs = Job.objects.filter(sweep=sweep).order_by("id").values_list("pk", flat=True)
                LabRun.objects.bulk_create(LabRun(lab=lab, enrolment=enrolment, job_id=pk) for pk in runs)
    except IntegrityError as error:  # the lab was deleted meanwhile, which is found when all is committed
        if Lab.objects.filter(pk=lab_id).exists():
            raise
        raise NotFound from error
    return sweep, is_new
