"""What runs after a commit may fail: the caller's work is done and stays done."""

import pytest
from django.db import connection, transaction

from courses.content.models import Lesson
from labs.jobs.live import tell_pool
from labs.jobs.nudges import nudge_nodes, nudge_scheduler
from tests.access import world as worlds

pytestmark = pytest.mark.django_db


def test_django_can_name_whatever_fails_after_a_commit() -> None:
    """It takes the name in the branch that swallows the failure; what has none would fail the caller after all."""
    world = worlds.build()
    with transaction.atomic():
        before = len(connection.run_on_commit)
        nudge_scheduler()
        nudge_nodes(["node.one", "node.two"])
        tell_pool()
        Lesson.objects.get(pk=world.lesson.pk).save()
        hooks = connection.run_on_commit[before:]
    assert len(hooks) >= 5
    assert [hook for _savepoints, hook, is_robust in hooks if not is_robust or not hasattr(hook, "__qualname__")] == []
