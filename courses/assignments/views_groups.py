"""Groups of a run's learners: sets of them, and who is in which."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from campus.core.errors import CampusError, InvalidInput, NotAllowed, NotFound
from campus.people.requests import SignedInRequest
from courses.catalog.api import RunAccess, get_editable_run, get_run_for

from .domain.grouping import MOST_BYTES
from .group_lists import members_by_group, sets_of
from .grouping import add_group, divide_at_random, import_groups, open_group_set, place, remove_group
from .models import GroupSet


@require_http_methods(["GET", "POST"])
def group_sets(request: SignedInRequest, slug: str) -> HttpResponse:
    """List the ways in which a run's learners are divided, and add one."""
    access = get_editable_run(request.user, get_run_for(request.user, slug).run)
    error = None
    if request.method == "POST":
        try:
            made = open_group_set(run=access.run, name=request.POST.get("name", ""), actor=request.user)
        except InvalidInput as raised:
            error = raised
        else:
            return redirect("assignments:groups", made.pk)
    context = {"run": access.run, "sets": sets_of(access.run), "error": error, "name": request.POST.get("name", "")}
    return render(request, "assignments/group_sets.html", context, status=400 if error else 200)


@require_http_methods(["GET", "POST"])
def groups(request: SignedInRequest, set_id: int) -> HttpResponse:
    """Show who is in which group; add, fill and empty groups."""
    found, access = _get_set(request, set_id)
    error = None
    if request.method == "POST":
        try:
            messages.success(request, _act(request, found))
            return redirect("assignments:groups", found.pk)
        except (NotFound, NotAllowed):
            raise
        except CampusError as raised:
            error = raised
    context = {
        "run": access.run, "group_set": found, "error": error, "fields": getattr(error, "fields", {}),
        "said": request.POST if error else {}, **members_by_group(found),
    }  # fmt: skip
    return render(request, "assignments/groups.html", context, status=error.status if error else 200)


def _get_set(request: SignedInRequest, set_id: int) -> tuple[GroupSet, RunAccess]:
    found = GroupSet.objects.select_related("run__course", "run__term").filter(pk=set_id).first()
    if found is None:
        raise NotFound
    get_run_for(request.user, found.run.slug)
    return found, get_editable_run(request.user, found.run)


def _act(request: SignedInRequest, found: GroupSet) -> str:
    """Do what the form says and return what was done, in words. Raises as the services."""
    said, actor = request.POST, request.user
    what = said.get("what", "")
    if what == "add":
        group = add_group(group_set=found, name=said.get("name", ""), actor=actor)
        return _("“%(name)s” is added.") % {"name": group.name}
    if what == "remove":
        remove_group(group_set=found, group_id=_number(said.get("group", "")) or 0, actor=actor)
        return _("The group is deleted.")
    if what == "random":
        is_mixed = said.get("campuses") == "mixed"
        size = _number(said.get("size", "")) or 0
        count = divide_at_random(group_set=found, size=size, is_mixed=is_mixed, actor=actor)
        return ngettext("%(n)d group is made.", "%(n)d groups are made.", count) % {"n": count}
    if what == "import":
        count = import_groups(group_set=found, raw=_table(request), actor=actor)
    elif what == "place":
        learners = [pk for pk in map(_number, said.getlist("learner")) if pk is not None]
        if not learners:
            raise InvalidInput({"learner": _("Choose at least one learner.")})
        group_id = _number(said.get("group", ""))
        count = place(group_set=found, enrolment_ids=learners, group_id=group_id, actor=actor)
    else:
        raise InvalidInput({"what": _("Choose what to do.")})
    return ngettext("%(n)d learner moved.", "%(n)d learners moved.", count) % {"n": count}


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _table(request: SignedInRequest) -> bytes:
    """The table that was typed or uploaded, and no more of it than shows that it is too large."""
    upload: Any = request.FILES.get("file")
    if upload is None:
        return request.POST.get("table", "").encode()
    return bytes(upload.read(MOST_BYTES + 1))
