"""Who may see a material, change it, and see what whose learners watched: as with lessons, and staff their cohorts."""

from django.db.models import QuerySet

from campus.core.errors import NotAllowed, NotFound
from courses.catalog.api import RunAccess, get_readable_run, get_run_for
from courses.catalog.models import Enrolment
from courses.content.api import require_released

from .models import Material, MaterialVersion


def get_material_for(user: object, material_id: int) -> tuple[Material, RunAccess]:
    """Return a material for reading. Raises NotFound for strangers, and for learners while it is hidden; Locked."""
    found = Material.objects.select_related("module__run__course", "module__run__term").filter(pk=material_id)
    material = found.first() if material_id < 2**63 else None
    if material is None:
        raise NotFound
    access = get_readable_run(user, material.module.run)
    require_readable(access, material)
    return material, access


def require_readable(access: RunAccess, material: Material) -> None:
    """Raise NotFound where it is hidden from the reader, Locked until its module opens to them."""
    if not access.is_staff and not (material.is_published and material.module.is_published):
        raise NotFound
    require_released(access, material.module_id)


def get_material_to_edit(user: object, material_id: int) -> tuple[Material, RunAccess]:
    """Return a material for editing. Raises NotFound, NotAllowed."""
    material, access = get_material_for(user, material_id)
    if not access.may_edit:
        raise NotAllowed
    return material, access


def get_version_for(user: object, material_id: int, number: int) -> tuple[MaterialVersion, RunAccess]:
    """Return a version: the newest for learners, any for staff. Raises as `get_material_for`."""
    material, access = get_material_for(user, material_id)
    newest = newest_version(material)
    if newest is None or number > 32_767:
        raise NotFound
    if number == newest.number:
        return newest, access
    older = MaterialVersion.objects.filter(material=material, number=number).first() if access.is_staff else None
    if older is None:
        raise NotFound
    older.material = material
    return older, access


def newest_version(material: Material) -> MaterialVersion | None:
    """Return what is shown of a material. One query."""
    found = MaterialVersion.objects.filter(material=material).defer("text").order_by("-number").first()
    if found is not None:
        found.material = material
    return found


def get_run_to_follow(user: object, slug: str) -> RunAccess:
    """Return a run for the staff of its cohorts. Raises NotFound, NotAllowed."""
    access = get_run_for(user, slug)
    if not access.taught:
        raise NotAllowed
    return access


def followed_by(access: RunAccess) -> QuerySet[Enrolment]:
    """Return the learners whose watching this person may see: those of the cohorts they teach."""
    learners = Enrolment.objects.filter(cohort__in=access.taught).exclude(state=Enrolment.State.WITHDRAWN)
    return learners.select_related("user", "cohort").order_by("cohort__name", "user__name", "pk")


def get_watcher_for(user: object, material_id: int, enrolment_id: int) -> tuple[Material, RunAccess, Enrolment]:
    """Return a material with one learner: oneself, or one of one's own cohorts. Raises as `get_material_for`."""
    material, access = get_material_for(user, material_id)
    if access.enrolment is not None and access.enrolment.pk == enrolment_id:
        return material, access, access.enrolment
    if not access.taught:
        raise NotFound
    found = followed_by(access).filter(pk=enrolment_id).first() if enrolment_id < 2**63 else None
    if found is None:
        raise NotFound
    return material, access, found
