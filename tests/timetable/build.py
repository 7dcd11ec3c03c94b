"""Rooms, streams, GPUs and classes for these tests."""

import itertools
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from campus.people.models import RoleGrant, User
from campus.places.api import add_building, save_room
from campus.places.models import Campus, Room
from courses.catalog.models import Cohort
from courses.timetable.models import Stream
from infra.pool.models import Gpu, Node, Site
from tests.courses import build as courses

SEOUL = ZoneInfo("Asia/Seoul")
_numbers = itertools.count(1)


def room(at: Campus, capacity: int = 40, **fields: Any) -> Room:
    """A room in a building of its own."""
    number = next(_numbers)
    building = add_building(campus_id=at.pk, actor=None, name_ko=f"건물 {number}")
    return save_room(
        building_id=building.pk,
        actor=None,
        name_ko=f"강의실 {number}",
        name_en=f"Room {number}",
        capacity=capacity,
        **fields,
    )


def stream() -> Stream:
    number = next(_numbers)
    return Stream.objects.create(
        name_ko=f"채널 {number}", name_en=f"Channel {number}", url="https://live.campus.test/1"
    )


def site(at: Campus, gpus: int = 8) -> Site:
    """A site with one node of so many GPUs."""
    made = Site.objects.create(
        campus=at, name_ko=f"데이터홀 {next(_numbers)}", name_en="Hall", slug=f"hall-{next(_numbers)}"
    )
    node = Node.objects.create(site=made, name=f"node-{made.pk}", token_digest=f"{made.pk:064}", confinement="FULL")
    Gpu.objects.bulk_create(
        Gpu(node=node, index=index, uuid=f"GPU-{made.pk}-{index}", kind="NVIDIA", gpu_type="h100")
        for index in range(gpus)
    )
    return made


def instructor(*cohorts: Cohort, name: str = "이선생") -> User:
    """Who plans classes of these cohorts."""
    user = courses.person(name)
    RoleGrant.objects.bulk_create(
        RoleGrant(user=user, role=RoleGrant.Role.INSTRUCTOR, scope=cohort.scope) for cohort in cohorts
    )
    return user


def at(days: int, hour: int, minute: int = 0) -> datetime:
    """A time at the campus so many days from the Monday after next: never over, never on two days."""
    today = timezone.localdate()
    monday = today + timedelta(days=14 - today.weekday())
    return datetime.combine(monday + timedelta(days=days), time(hour, minute), SEOUL)
