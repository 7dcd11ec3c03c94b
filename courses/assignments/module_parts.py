"""What lies in a module beside its lessons, and who used it: for deleting modules."""

from collections.abc import Sequence

from django.db.models import Count
from django.utils.translation import ngettext

from courses.content.api import Part

from .arranging import labs_in_module
from .models import Assignment


def parts_in_module(module_id: int, is_locked: bool) -> Sequence[Part]:
    """Return a module's labs and assignments; `is_locked` keeps new runs and submissions waiting until the end."""
    rows = Assignment.objects.filter(module_id=module_id)
    if is_locked:
        list(rows.select_for_update().order_by("pk"))
    used = rows.order_by("position").annotate(n=Count("submissions")).values_list("title", "n")
    words = ("learners handed in %(n)d version", "learners handed in %(n)d versions")
    parts = [Part(title, ngettext(*words, n) % {"n": n} if n else "") for title, n in used]
    return [*labs_in_module(module_id, is_locked), *parts]
