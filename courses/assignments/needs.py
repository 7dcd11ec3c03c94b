"""Which labs need an environment or a data set, so that neither is retired under their learners."""

from collections.abc import Sequence

from django.utils import timezone

from labs.environments.api import Offered
from labs.environments.models import Environment

from .models import Lab


def labs_that_need(target: Offered) -> Sequence[str]:
    """Return "course: lab" for labs of terms that are not over. One query."""
    labs = Lab.objects.filter(module__run__term__ends_on__gte=timezone.localdate())
    labs = labs.filter(environment=target) if isinstance(target, Environment) else labs.filter(data_sets=target)
    found = labs.select_related("module__run__course").order_by("module__run_id", "module__position", "position")
    return [f"{lab.module.run.course.name}: {lab.title}" for lab in found]
