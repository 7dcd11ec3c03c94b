"""Opening and changing campuses, buildings and rooms."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clashes import words_of_clash
from campus.core.errors import InvalidInput, NotAllowed, NotFound
from campus.people.api import ADMINISTERING, open_scope, platform_scope, standing_of
from campus.people.models import Scope, User

from .models import Building, Campus, Room

MAX_CAPACITY = 5_000
MAX_EQUIPMENT = 30


@transaction.atomic
def open_campus(*, actor: User | None, slug: str, name_ko: str, name_en: str, timezone: str, address: str) -> Campus:
    """Open a campus and its scope. `actor` None is the platform itself (seeding).

    Raises NotAllowed (platform administrators only), InvalidInput.
    """
    if actor is not None and not standing_of(actor).is_platform_admin:
        raise NotAllowed
    campus = Campus(slug=slug, name_ko=name_ko, name_en=name_en, timezone=timezone, address=address)
    _clean(campus, exclude=("scope",))
    campus.scope = open_scope(kind=Scope.Kind.CAMPUS, name=name_ko, parent=platform_scope())
    campus.save()
    audit.record(actor=actor, verb="campus.opened", target=campus, scope_path=campus.scope.path)
    return campus


@transaction.atomic
def update_campus(*, campus_id: int, actor: User, fields: Mapping[str, Any]) -> Campus:
    """Change name, address, time zone or openness of a campus. Raises NotFound, NotAllowed, InvalidInput."""
    campus = Campus.objects.select_related("scope").select_for_update(of=("self",)).filter(pk=campus_id).first()
    if campus is None:
        raise NotFound
    _require_admin(actor, campus)
    _apply(campus, fields, allowed=("name_ko", "name_en", "timezone", "address", "is_open"), actor=actor, campus=campus)
    if campus.scope.name != campus.name_ko:
        campus.scope.name = campus.name_ko
        campus.scope.save(update_fields=["name"])
    return campus


@transaction.atomic
def add_building(*, campus_id: int, actor: User | None, name_ko: str, name_en: str = "") -> Building:
    """Add a building to a campus. Raises NotFound, NotAllowed, InvalidInput (the name is taken)."""
    campus = Campus.objects.select_related("scope").filter(pk=campus_id).first()
    if campus is None:
        raise NotFound
    _require_admin(actor, campus)
    building = Building(campus=campus, name_ko=name_ko, name_en=name_en)
    _clean(building)
    building.save()
    audit.record(actor=actor, verb="building.added", target=building, scope_path=campus.scope.path)
    return building


@transaction.atomic
def save_room(
    *,
    building_id: int,
    actor: User | None,
    name_ko: str,
    capacity: int,
    name_en: str = "",
    floor: int = 1,
    equipment: Sequence[str] = (),
    is_active: bool = True,
    room_id: int | None = None,
) -> Room:
    """Add a room, or change the one with `room_id`. Raises NotFound, NotAllowed, InvalidInput."""
    building = Building.objects.select_related("campus__scope").filter(pk=building_id).first()
    room = Room(building_id=building_id) if room_id is None else Room.objects.filter(pk=room_id).first()
    if building is None or room is None or room.building_id != building_id:
        raise NotFound
    _require_admin(actor, building.campus)
    if not 1 <= capacity <= MAX_CAPACITY:
        raise InvalidInput({"capacity": _("Give a number of people from 1 to %(most)d.") % {"most": MAX_CAPACITY}})
    if len(equipment) > MAX_EQUIPMENT:
        raise InvalidInput({"equipment": _("List at most %(most)d pieces.") % {"most": MAX_EQUIPMENT}})
    fields = {
        "name_ko": name_ko,
        "name_en": name_en,
        "capacity": capacity,
        "floor": floor,
        "equipment": list(equipment),
        "is_active": is_active,
    }
    _apply(room, fields, allowed=tuple(fields), actor=actor, campus=building.campus)
    return room


def _require_admin(actor: User | None, campus: Campus) -> None:
    """Raise unless `actor` administers `campus`; None is the platform itself."""
    if actor is not None and not standing_of(actor).holds(ADMINISTERING, campus.scope.path):
        raise NotAllowed


def _apply(
    target: Campus | Room, fields: Mapping[str, Any], *, allowed: Sequence[str], actor: User | None, campus: Campus
) -> None:
    changes = {name: (getattr(target, name), fields[name]) for name in allowed if name in fields}
    for name, (_before, after) in changes.items():
        setattr(target, name, after)
    _clean(target)
    kind = target._meta.model_name
    verb = f"{kind}.changed" if target.pk else f"{kind}.added"
    target.save()
    audit.record(actor=actor, verb=verb, target=target, scope_path=campus.scope.path, changes=changes)


def _clean(target: Model, exclude: Sequence[str] = ()) -> None:
    try:
        target.full_clean(exclude=exclude)
    except ValidationError as error:
        raise InvalidInput(_complaints(target, error)) from error


def _complaints(target: Model, error: ValidationError) -> dict[str, list[str]]:
    """Name each wrong field; what two fields make wrong together is a name that another one has there."""
    fields: dict[str, list[str]] = {}
    for name, causes in error.error_dict.items():
        for cause in causes:
            if cause.code == "unique_together":
                fields.setdefault("name_ko", []).append(_("There is one of that name here already."))
            else:
                fields.setdefault("" if name == "__all__" else name, []).extend(words_of_clash(target, cause))
    return fields
