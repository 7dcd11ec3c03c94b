"""Running a lab's job again is another run of that lab."""

import pytest

from courses.assignments.models import LabRun
from labs.jobs.api import cancel, rerun
from tests.access import world as worlds

pytestmark = pytest.mark.django_db


def test_a_rerun_of_a_labs_job_counts_for_the_lab():
    world = worlds.build()
    first = world.job()
    again = rerun(job_id=first.pk, actor=world.learner)
    run = LabRun.objects.get(job=again)
    assert (run.lab_id, run.enrolment_id) == (world.lab.pk, world.enrolment.pk)
    assert again.work_url == first.work_url
    cancel(job_id=again.pk, actor=world.learner)


def test_a_rerun_of_a_job_of_no_lab_belongs_to_none():
    world = worlds.build()
    first = world.job()
    LabRun.objects.filter(job=first).delete()
    assert not LabRun.objects.filter(job=rerun(job_id=first.pk, actor=world.learner)).exists()
