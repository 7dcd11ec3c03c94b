"""Who may see a lab, run it and change it."""

from campus.core.errors import NotFound
from courses.catalog.api import RunAccess, get_editable_run, get_readable_run

from .models import Lab


def get_lab_for(user: object, lab_id: int) -> tuple[Lab, RunAccess]:
    """Return a lab for reading. Raises NotFound for strangers, and for learners while it is hidden."""
    lab = (
        Lab.objects.select_related("module__run__course", "module__run__term", "environment", "starter")
        .filter(pk=lab_id)
        .first()
    )
    if lab is None:
        raise NotFound
    access = get_readable_run(user, lab.module.run)
    if not access.is_staff and not (lab.is_published and lab.module.is_published):
        raise NotFound
    return lab, access


def get_lab_to_edit(user: object, lab_id: int) -> tuple[Lab, RunAccess]:
    """Return a lab for editing. Raises NotFound, NotAllowed."""
    lab, _access = get_lab_for(user, lab_id)
    return lab, get_editable_run(user, lab.module.run)
