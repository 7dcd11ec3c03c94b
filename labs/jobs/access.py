"""Who may see a job and who may act on it.

Its owner and the staff of its account's scope may see it. Its owner and the instructors and administrators of that
scope may cancel it; only its owner runs it again, because a rerun spends the owner's GPU time.
"""

from django.db.models import Q, QuerySet

from campus.core.errors import NotAllowed, NotFound
from campus.people.access import ADMINISTERING, INSTRUCTING, TEACHING, Standing

from .models import Job, Sweep


def jobs_for(standing: Standing) -> QuerySet[Job]:
    """Return every job that this person may see; one query, whatever the number of scopes."""
    mine = Q(owner_id=standing.user_id)
    scopes = standing.scope_ids(TEACHING)
    return Job.objects.filter(mine | Q(account__scope__path__overlap=scopes) if scopes else mine)


def get_job_for(standing: Standing, job_id: int) -> Job:
    """Return the job with its owner, account, scope and environment. Raises NotFound for a stranger."""
    related = ("owner", "account__scope", "environment", "source", "preferred_campus")
    is_an_id = standing.user_id is not None and 0 < job_id < 2**63
    job = jobs_for(standing).select_related(*related).filter(pk=job_id).first() if is_an_id else None
    if job is None:
        raise NotFound
    return job


def may_cancel(standing: Standing, job: Job) -> bool:
    """Say whether this person may cancel `job`, whose `account.scope` is at hand."""
    return job.owner_id == standing.user_id or standing.holds(INSTRUCTING, job.account.scope.path)


def get_job_to_cancel(standing: Standing, job_id: int) -> Job:
    """Return the job. Raises NotFound for a stranger, NotAllowed for an assistant, who may only look."""
    job = get_job_for(standing, job_id)
    if not may_cancel(standing, job):
        raise NotAllowed
    return job


def may_correct(standing: Standing, job: Job) -> bool:
    """Say whether this person may correct what `job` was charged: an administrator of its account's scope."""
    return standing.holds(ADMINISTERING, job.account.scope.path)


def get_job_to_correct(standing: Standing, job_id: int) -> Job:
    """Return the job. Raises NotFound for a stranger, NotAllowed for who may only look."""
    job = get_job_for(standing, job_id)
    if not may_correct(standing, job):
        raise NotAllowed
    return job


def get_own_job(standing: Standing, job_id: int) -> Job:
    """Return the person's own job. Raises NotFound for a stranger, NotAllowed for staff who may only look."""
    job = get_job_for(standing, job_id)
    if job.owner_id != standing.user_id:
        raise NotAllowed
    return job


def sweeps_for(standing: Standing) -> QuerySet[Sweep]:
    """Return every sweep that this person may see: whoever may see its jobs."""
    mine = Q(owner_id=standing.user_id)
    scopes = standing.scope_ids(TEACHING)
    return Sweep.objects.filter(mine | Q(account__scope__path__overlap=scopes) if scopes else mine)


def get_sweep_for(standing: Standing, sweep_id: int) -> Sweep:
    """Return the sweep with its owner, account and scope. Raises NotFound for a stranger."""
    is_an_id = standing.user_id is not None and 0 < sweep_id < 2**63
    found = sweeps_for(standing).select_related("owner", "account__scope").filter(pk=sweep_id) if is_an_id else None
    sweep = found.first() if found is not None else None
    if sweep is None:
        raise NotFound
    return sweep


def may_cancel_sweep(standing: Standing, sweep: Sweep) -> bool:
    """Say whether this person may cancel its runs; `account.scope` is at hand."""
    return sweep.owner_id == standing.user_id or standing.holds(INSTRUCTING, sweep.account.scope.path)


def get_sweep_to_cancel(standing: Standing, sweep_id: int) -> Sweep:
    """Return the sweep. Raises NotFound for a stranger, NotAllowed for an assistant, who may only look."""
    sweep = get_sweep_for(standing, sweep_id)
    if not may_cancel_sweep(standing, sweep):
        raise NotAllowed
    return sweep


def get_own_sweep(standing: Standing, sweep_id: int) -> Sweep:
    """Return the person's own sweep. Raises NotFound for a stranger, NotAllowed for staff who may only look."""
    sweep = get_sweep_for(standing, sweep_id)
    if sweep.owner_id != standing.user_id:
        raise NotAllowed
    return sweep
