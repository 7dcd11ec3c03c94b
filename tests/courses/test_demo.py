"""The demo campus: seeded once, believable, and true to every invariant of the ledger."""

import io
import stat
from math import ceil

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import F, Q, Sum

from campus.core.models import AuditEntry
from campus.people.models import RoleGrant, User
from campus.places.models import Campus, Room
from courses.assignments.models import LabRun
from courses.catalog.models import Cohort, Enrolment
from courses.content.models import Lesson, LessonCompletion
from infra.pool.models import Node
from labs.jobs.models import Artifact, Attempt, Job, JobEvent, LogChunk, MetricPoint
from labs.quota import api as quota
from labs.quota.models import Account, Allocation, LedgerEntry, UsageDay

pytestmark = pytest.mark.django_db

MODELS = (
    Account, Allocation, Artifact, Attempt, AuditEntry, Campus, Cohort, Enrolment, Job, JobEvent, LabRun, LedgerEntry,
    Lesson, LessonCompletion, LogChunk, MetricPoint, Node, RoleGrant, Room, UsageDay, User,
)  # fmt: skip


@pytest.fixture
def state(tmp_path, settings):
    settings.STATE_DIR = tmp_path / "state"
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.STATE_DIR


def _seed():
    out = io.StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def _everything():
    return {model.__name__: sorted(model.objects.values_list("pk", flat=True)) for model in MODELS}


def _files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_seeding_twice_changes_nothing(state):
    first = _seed()
    rows, files, secret = _everything(), _files(state), User.objects.get(email="learner@campus.example").password

    assert _seed() == first
    assert _everything() == rows
    assert _files(state) == files
    assert User.objects.get(email="learner@campus.example").password == secret


def test_the_seeded_campus_is_whole_and_its_ledger_adds_up(state, client):
    printed = _seed()

    accounts = [line.split() for line in printed.splitlines()]
    assert [row[1] for row in accounts] == [
        "platform-admin", "campus-admin", "campus-admin", "instructor", "assistant", "learner",
    ]  # fmt: skip
    assert (state / "accounts.txt").read_text() == printed
    for _word, _role, email, password in accounts:
        assert client.login(email=email, password=password)
    assert User.objects.count() == 60
    for name in ("yongin-01", "jeonbuk-01"):
        token = state / "nodes" / f"{name}.token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
    with transaction.atomic():
        assert quota.rebuild() == []
    over = Job.objects.exclude(state=Job.State.QUEUED)
    assert over.count() > 100
    assert {state for state, _label in Job.State.choices} - {"RUNNING"} == set(
        Job.objects.values_list("state", flat=True)
    )
    sums = LedgerEntry.objects.filter(job_id__in=over.values("pk")).order_by().values("job_id", "attempt")
    by_kind = {kind: Sum("gpu_seconds", filter=Q(kind=kind), default=0) for kind in ("HOLD", "CHARGE", "RELEASE")}
    assert all(row["HOLD"] == row["CHARGE"] + row["RELEASE"] for row in sums.annotate(**by_kind))
    assert not Attempt.objects.filter(ended_at__lt=F("started_at")).exists()
    for cohort in Cohort.objects.all():
        assert cohort.seats_taken == cohort.enrolments.filter(state="ACTIVE").count()


def test_what_the_past_jobs_left_is_really_there(state):
    _seed()

    for artifact in Artifact.objects.select_related("attempt__job"):
        with artifact.file.open() as file:
            content = file.read()
        assert len(content) == artifact.size_bytes
    for attempt in Attempt.objects.filter(outcome="SETTLED").prefetch_related("log_chunks"):
        assert sum(len(bytes(chunk.content)) for chunk in attempt.log_chunks.all()) == attempt.log_bytes
    succeeded = Job.objects.filter(state="SUCCEEDED")
    assert succeeded.count() == Artifact.objects.filter(path="metrics.json", is_published=True).count()


def test_some_of_the_shown_week_ran_on_shares_that_cost_their_part(state):
    _seed()
    shares = Job.objects.filter(gpu_milli__lt=1000)
    assert {(job.gpus, job.gpu_milli, job.sweep_id is None) for job in shares} == {(1, 250, False)}
    for job in shares:
        run_s = job.attempts.get().run_s
        assert job.charged_s == ceil(run_s / 4)
    together = [(job.started_at, job.ended_at) for job in shares]
    assert max(sum(began <= at < ended for began, ended in together) for at, _ended in together) == 8


def test_a_new_database_takes_over_the_tokens_and_passwords_of_the_state_folder(state):
    first = _seed()
    tokens = _files(state / "nodes")
    with transaction.atomic():
        Node.objects.update(token_digest=F("name"))  # as if the files belonged to another database
        User.objects.filter(email="learner@campus.example").update(password="!")

    assert _seed() == first
    assert _files(state / "nodes") == tokens
    assert not Node.objects.filter(token_digest=F("name")).exists()
    assert User.objects.get(email="learner@campus.example").check_password(first.split()[-1])
