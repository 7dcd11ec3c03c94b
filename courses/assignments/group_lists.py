"""Reading groups: sets of a run with how many are in them, and the members of each group."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from courses.catalog.models import CourseRun, Enrolment

from .models import Group, GroupMember, GroupSet


def sets_of(run: CourseRun) -> list[GroupSet]:
    """Return a run's group sets with `groups_count`, `members_count` and the assignments that use them. Two queries."""
    members = Count("groups__members", filter=Q(groups__members__left_at=None), distinct=True)
    rows = GroupSet.objects.filter(run=run).prefetch_related("assignments")
    return list(rows.annotate(groups_count=Count("groups", distinct=True), members_count=members).order_by("pk"))


@dataclass(frozen=True)
class ShownGroup:
    """A group with who is in it now. It `is_free` to be deleted while empty and without submissions."""

    group: Group
    members: tuple[Enrolment, ...]
    submissions: int

    @property
    def is_free(self) -> bool:
        return not self.members and not self.submissions


def members_by_group(group_set: GroupSet) -> dict[str, Any]:
    """Return `shown` groups with members, those that are `free` to go, and the `unplaced` learners. Three queries."""
    learners = Enrolment.objects.filter(run=group_set.run_id).exclude(state=Enrolment.State.WITHDRAWN)
    people = list(learners.select_related("user", "cohort__campus").order_by("user__name", "pk"))
    rows = GroupMember.objects.filter(group_set=group_set, left_at=None)
    where = dict(rows.values_list("enrolment_id", "group_id"))
    inside: dict[int | None, list[Enrolment]] = defaultdict(list)
    for one in people:
        inside[where.get(one.pk)].append(one)
    groups = Group.objects.filter(group_set=group_set).annotate(n=Count("submissions")).order_by("pk")
    shown = [ShownGroup(group, tuple(inside[group.pk]), group.n) for group in groups]
    return {"shown": shown, "unplaced": inside[None], "free": [one for one in shown if one.is_free]}
