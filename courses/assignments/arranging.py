"""Putting the labs of a module in order, and deleting one that nobody has run."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import ngettext

from campus.people.models import User
from courses.content.api import Part, delete_unused, lock_module_of, put
from courses.content.models import Module

from .models import Lab


@transaction.atomic
def move_lab(*, lab_id: int, to: str, actor: User | None) -> None:
    """Move a lab within its module: `to` is "up", "down", "end" or the id of the lab that is to follow.

    Raises NotFound, NotAllowed, Conflict (that lab is gone).
    """
    module = lock_module_of(Module.objects.filter(labs=lab_id), actor)
    put(Lab.objects.filter(module=module), lab_id, to, actor)


@transaction.atomic
def delete_lab(*, lab_id: int, actor: User | None) -> None:
    """Delete a lab with its starter. Raises NotFound, NotAllowed, Conflict (learners have run it)."""
    lock_module_of(Module.objects.filter(labs=lab_id), actor)
    lab = Lab.objects.select_for_update().get(pk=lab_id)
    delete_unused(lab, lab_parts(Lab.objects.filter(pk=lab_id)), actor)


def labs_in_module(module_id: int, is_locked: bool) -> Sequence[Part]:
    """Return the labs of a module with who ran them; `is_locked` keeps new runs waiting until the end."""
    labs = Lab.objects.filter(module_id=module_id)
    if is_locked:
        list(labs.select_for_update().order_by("pk"))
    return lab_parts(labs)


def lab_parts(labs: QuerySet[Lab]) -> list[Part]:
    """Return labs with how often learners ran them. One query."""
    rows = labs.order_by("position").annotate(count=Count("runs")).values_list("title", "count")
    words = ("learners ran it %(n)d time", "learners ran it %(n)d times")
    return [Part(title, ngettext(*words, count) % {"n": count} if count else "") for title, count in rows]
