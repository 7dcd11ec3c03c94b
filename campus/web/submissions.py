"""A job from the API: of a lab, of an environment, or of plain Python."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from campus.core.errors import InvalidInput, NotFound
from courses.assignments.api import submit_lab_run
from labs.jobs.api import WHOLE_GPU, Submission, Wish, read_submission, read_sweep, submit, submit_sweep
from labs.jobs.models import Job, Sweep
from labs.quota.models import Account

KEY_HEADER = "Idempotency-Key"
DEFAULT_GPUS = 1
DEFAULT_WALL_S = 600
FIRST_CHOICE = "main.py"
#: What a lab decides itself, so that nobody believes to have chosen it.
OF_THE_LAB = ("environment", "data_sets", "account", "preferred_campus", "after")


def submit_from(request: Any) -> tuple[Job, bool]:
    """Queue the job that a REST request describes. Returns it and whether it is new.

    Raises InvalidInput (fields named), TooLarge, NotAllowed, Conflict and OverQuota.
    """
    said = read_submission(request)
    key = _key(said, request.headers.get(KEY_HEADER, "").strip())
    if said.lab_id is not None:
        return _run_lab(request.user, said, said.lab_id, key)
    return submit(
        owner=request.user,
        account_id=said.account_id if "account" in said.given else _newest_account_id(request.user),
        title=said.title,
        environment_id=said.environment_id,
        files=said.files,
        entrypoint=said.entrypoint or _only_program(said),
        gpus=DEFAULT_GPUS if said.gpus is None else said.gpus,
        gpu_milli=WHOLE_GPU if said.gpu_milli is None else said.gpu_milli,
        gpu_memory_mib=said.gpu_memory_mib,
        gpu_type=said.gpu_type,
        wall_s=DEFAULT_WALL_S if said.wall_s is None else said.wall_s,
        data_set_ids=said.data_set_ids,
        preferred_campus_id=said.preferred_campus_id,
        is_preemptible=said.is_preemptible,
        idempotency_key=key,
        after=said.after,
        wrong=said.wrong,
    )


def sweep_from(request: Any) -> tuple[Sweep, bool]:
    """Queue the sweep that a REST request describes. Returns it and whether it is new.

    Raises InvalidInput (fields named), TooLarge, Conflict and OverQuota.
    """
    said, (asked, wrong) = read_submission(request), read_sweep(request)
    wrong = wrong.beside(said.wrong) if wrong is not None else said.wrong
    if "lab" in said.given:
        words = _("A sweep belongs to no lab. Leave it out, and name environment and data sets.")
        wrong = InvalidInput({"lab": words}).beside(wrong)
    wish = Wish(
        account_id=said.account_id if "account" in said.given else _newest_account_id(request.user),
        title=said.title,
        environment_id=said.environment_id,
        files=said.files,
        entrypoint=said.entrypoint or _only_program(said),
        gpus=DEFAULT_GPUS if said.gpus is None else said.gpus,
        gpu_milli=WHOLE_GPU if said.gpu_milli is None else said.gpu_milli,
        gpu_memory_mib=said.gpu_memory_mib,
        gpu_type=said.gpu_type,
        wall_s=DEFAULT_WALL_S if said.wall_s is None else said.wall_s,
        data_set_ids=said.data_set_ids,
        preferred_campus_id=said.preferred_campus_id,
        deadline_at=None,
        work_key="",
        idempotency_key=_key(said, request.headers.get(KEY_HEADER, "").strip()),
        after=said.after,
        is_preemptible=said.is_preemptible,
    )
    return submit_sweep(owner=request.user, wish=wish, asked=asked, wrong=wrong)


def _run_lab(user: Any, said: Submission, lab_id: int, key: str | None) -> tuple[Job, bool]:
    surplus = [name for name in OF_THE_LAB if name in said.given]
    if surplus:
        of_lab = InvalidInput(dict.fromkeys(surplus, _("The lab decides this. Leave it out, or leave the lab out.")))
        said = replace(said, wrong=of_lab.beside(said.wrong))
    try:
        run, is_new = submit_lab_run(
            lab_id=lab_id,
            user=user,
            files=said.files,
            entrypoint=said.entrypoint,
            gpus=said.gpus,
            gpu_milli=said.gpu_milli,
            gpu_memory_mib=said.gpu_memory_mib,
            gpu_type=said.gpu_type if "gpu_type" in said.given else None,
            wall_s=said.wall_s,
            is_preemptible=said.is_preemptible,
            idempotency_key=key,
            wrong=said.wrong,
        )
    except NotFound as error:
        words = _("There is no lab %(id)s that you may run. GET labs/ lists yours.") % {"id": lab_id}
        raise InvalidInput({"lab": words}).beside(said.wrong) from error
    return run.job, is_new


def _key(said: Submission, header: str) -> str | None:
    if header and said.idempotency_key and header != said.idempotency_key:
        raise InvalidInput(
            {"idempotency_key": _("The body and the Idempotency-Key header name different keys. Send one of them.")}
        )
    return said.idempotency_key or header or None


def _newest_account_id(user: Any) -> int | None:
    newest = Account.objects.filter(owner=user, is_open=True).order_by("-id")
    return newest.values_list("pk", flat=True).first()


def _only_program(said: Submission) -> str:
    """Return the file to run where none was named: the only Python file, else main.py."""
    programs = [path for path in said.files if path.endswith(".py")]
    return programs[0] if len(programs) == 1 and FIRST_CHOICE not in programs else FIRST_CHOICE
