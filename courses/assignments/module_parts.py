"""What lies in a module beside its lessons: who used it, for deleting, and who finished it, for opening the next."""

from collections.abc import Collection, Sequence

from django.db.models import Count, Value
from django.utils.translation import ngettext

from courses.content.api import Part, PartsDone, counted
from labs.jobs.models import Job

from .arranging import labs_in_module
from .models import Assignment, Lab, LabRun


def parts_in_module(module_id: int, is_locked: bool) -> Sequence[Part]:
    """Return a module's labs and assignments; `is_locked` keeps new runs and submissions waiting until the end."""
    rows = Assignment.objects.filter(module_id=module_id)
    if is_locked:
        list(rows.select_for_update().order_by("pk"))
    used = rows.order_by("position").annotate(n=Count("submissions")).values_list("title", "n")
    words = ("learners handed in %(n)d version", "learners handed in %(n)d versions")
    parts = [Part(title, ngettext(*words, n) % {"n": n} if n else "") for title, n in used]
    return [*labs_in_module(module_id, is_locked), *parts]


def labs_finished(enrolment_ids: Collection[int], module_ids: Collection[int]) -> PartsDone:
    """Return a module's published labs, and in how many of them a learner succeeded. One query.

    Assignments do not count: one that closed could never be finished, and would lock the rest of the course.
    """
    labs = Lab.objects.filter(module_id__in=module_ids, is_published=True)
    done = (
        LabRun.objects.filter(
            enrolment_id__in=enrolment_ids, lab__module_id__in=module_ids, lab__is_published=True,
            job__state=Job.State.SUCCEEDED,
        )
        .order_by()
        .values_list("enrolment_id", "lab__module_id")
        .annotate(n=Count("lab_id", distinct=True))
    )  # fmt: skip
    totals = labs.order_by().values_list(Value(0), "module_id").annotate(n=Count("pk"))
    return counted(totals.union(done, all=True))
