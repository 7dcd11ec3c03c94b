"""Groups of a run's learners: made by hand, at random or from a table. Work that was handed in stays whose it was."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from campus.core import audit, formats
from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.people.models import User
from courses.catalog.api import save_new
from courses.catalog.models import CourseRun, Enrolment

from .domain.grouping import MOST_BYTES, divide, read_rows
from .models import Assignment, Group, GroupMember, GroupSet


def group_of(assignment: Assignment, enrolment: Enrolment) -> Group | None:
    """Return the group in which a learner hands in; None: alone. One query where the assignment has groups."""
    if assignment.group_set_id is None:
        return None
    now = GroupMember.objects.select_related("group").filter(
        group_set=assignment.group_set_id, enrolment=enrolment, left_at=None
    )
    member = now.first()
    return member.group if member else None


def members_of(group: Group) -> list[Enrolment]:
    """Return who is in a group now and still enrolled. One query."""
    mine = Q(group_memberships__group=group, group_memberships__left_at=None)
    found = Enrolment.objects.filter(mine).exclude(state=Enrolment.State.WITHDRAWN)
    return list(found.select_related("user", "cohort__scope").order_by("pk"))


@transaction.atomic
def open_group_set(*, run: CourseRun, name: str, actor: User | None) -> GroupSet:
    """Add a way to divide a run's learners. Raises InvalidInput (name)."""
    found = GroupSet(run=run, name=name.strip())
    if GroupSet.objects.filter(run=run, name=found.name).exists():
        raise InvalidInput({"name": _("This name is taken here.")})
    save_new(found, actor=actor)
    return found


@transaction.atomic
def add_group(*, group_set: GroupSet, name: str, actor: User | None) -> Group:
    """Add an empty group. Raises InvalidInput (name)."""
    _lock(group_set)
    name = name.strip()
    if not 0 < len(name) <= 80 or Group.objects.filter(group_set=group_set, name=name).exists():
        raise InvalidInput({"name": _("Give it a name that no other group of this set has.")})
    group = Group.objects.create(group_set=group_set, name=name)
    _record(group_set, actor, "group.added", name)
    return group


@transaction.atomic
def remove_group(*, group_set: GroupSet, group_id: int, actor: User | None) -> None:
    """Delete a group that is empty and has handed nothing in. Raises NotFound, Conflict (group_is_used)."""
    _lock(group_set)
    group = Group.objects.filter(group_set=group_set, pk=group_id).first()
    if group is None:
        raise NotFound
    if group.submissions.exists() or group.members.filter(left_at=None).exists():
        raise Conflict(_("Move its members first. A group that handed work in stays."), code="group_is_used")
    name = group.name
    group.delete()
    _record(group_set, actor, "group.deleted", name)


@transaction.atomic
def place(*, group_set: GroupSet, enrolment_ids: list[int], group_id: int | None, actor: User | None) -> int:
    """Put learners into a group, out of the one they are in; None: into none. Returns how many moved.

    What they handed in before stays theirs. Raises NotFound.
    """
    _lock(group_set)
    group = Group.objects.filter(group_set=group_set, pk=group_id).first() if group_id is not None else None
    learners = _learners(group_set.run_id).filter(pk__in=enrolment_ids)
    found = list(learners.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    if (group is None and group_id is not None) or len(found) != len(set(enrolment_ids)):
        raise NotFound
    moved = _place(group_set, {one.pk: group for one in found})
    _record(group_set, actor, "group.members_changed", group.name if group else "–", moved)
    return moved


@transaction.atomic
def divide_at_random(*, group_set: GroupSet, size: int, is_mixed: bool, actor: User | None) -> int:
    """Divide those who are in no group yet into new groups of at most `size`; returns how many groups.

    Raises InvalidInput (size), Conflict (nobody_is_left).
    """
    if not 2 <= size <= 50:
        raise InvalidInput({"size": _("Use 2 to 50 learners a group.")})
    _lock(group_set)
    placed = GroupMember.objects.filter(group_set=group_set, left_at=None).values("enrolment")
    free = _learners(group_set.run_id).filter(state=Enrolment.State.ACTIVE).exclude(pk__in=placed)
    campuses = dict(free.values_list("pk", "cohort__campus_id"))
    if not campuses:
        raise Conflict(_("Everybody is in a group already."), code="nobody_is_left")
    seed = get_random_string(12)
    groups = divide(campuses, size, is_mixed=is_mixed, seed=seed)
    names = _free_names(group_set, len(groups))
    made = Group.objects.bulk_create(Group(group_set=group_set, name=name) for name in names)
    _place(group_set, {pk: group for group, members in zip(made, groups, strict=True) for pk in members})
    _record(group_set, actor, "group.members_changed", f"random {seed}", len(campuses))
    return len(made)


@transaction.atomic
def import_groups(*, group_set: GroupSet, raw: bytes, actor: User | None) -> int:
    """Place learners as a CSV of e-mail and group says, all or nobody; groups that lack are added.

    Returns how many moved. Raises InvalidInput (table) with every wrong line.
    """
    _lock(group_set)
    known = {email.lower(): pk for pk, email in _learners(group_set.run_id).values_list("pk", "user__email")}
    chosen, wrong = read_rows(raw, known)
    if wrong or not chosen:
        words = {
            "columns": _("Line %(line)d: write e-mail, then group."),
            "unknown": _("Line %(line)d: “%(text)s” is no learner of this course."),
            "doubled": _("Line %(line)d: “%(text)s” is there twice."),
            "name": _("Line %(line)d: the group needs a name of at most 80 characters."),
            "too_many": _("Line %(line)d: that is more than a table may have."),
            "too_large": _("The table is larger than %(most)s.") % {"most": formats.file_size(MOST_BYTES)},
            "encoding": _("This is no text that a spreadsheet writes. Save it as CSV (UTF-8)."),
            "binary": _("This is no text that a spreadsheet writes. Save it as CSV (UTF-8)."),
            "quotes": _("From line %(line)d on, a quotation mark is opened and never closed."),
            "empty": _("There is nobody in this table."),
        }
        facts = [(words[one.code], {"line": one.line, "text": one.text}) for one in wrong]
        said = [text % known_facts if "%(line)d" in text else text for text, known_facts in facts]
        raise InvalidInput({"table": said or [_("There is nobody in this table.")]})
    groups = {group.name: group for group in Group.objects.filter(group_set=group_set)}
    lacking = [name for name in dict.fromkeys(chosen.values()) if name not in groups]
    for group in Group.objects.bulk_create(Group(group_set=group_set, name=name) for name in lacking):
        groups[group.name] = group
    moved = _place(group_set, {pk: groups[name] for pk, name in chosen.items()})
    _record(group_set, actor, "group.members_changed", "CSV", moved)
    return moved


def _learners(run_id: int) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(run=run_id).exclude(state=Enrolment.State.WITHDRAWN)


def _lock(group_set: GroupSet) -> None:
    GroupSet.objects.select_for_update(of=("self",)).get(pk=group_set.pk)


def _place(group_set: GroupSet, wanted: Mapping[int, Group | None]) -> int:
    """End memberships that differ and begin the wanted ones; returns how many learners moved. Three queries."""
    now = GroupMember.objects.filter(group_set=group_set, enrolment__in=wanted, left_at=None)
    here = dict(now.values_list("enrolment_id", "group_id"))
    moving = {pk: group for pk, group in wanted.items() if here.get(pk) != (group.pk if group else None)}
    now.filter(enrolment__in=moving).update(left_at=Now())
    GroupMember.objects.bulk_create(
        GroupMember(group_set=group_set, group=group, enrolment_id=pk) for pk, group in moving.items() if group
    )
    return len(moving)


def _free_names(group_set: GroupSet, count: int) -> list[str]:
    taken = set(Group.objects.filter(group_set=group_set).values_list("name", flat=True))
    numbers = (_("Group %(n)d") % {"n": n} for n in range(1, count + len(taken) + 1))
    return [name for name in numbers if name not in taken][:count]


def _record(group_set: GroupSet, actor: User | None, verb: str, name: str, moved: int | None = None) -> None:
    changes = {"group": ("", name)} | ({"learners": (0, moved)} if moved is not None else {})
    audit.record(actor=actor, verb=verb, target=group_set, changes=changes)
