"""An announcement's place in words."""

from django.utils.translation import gettext as _

from .models import Announcement


def place_name(about: Announcement) -> str:
    """Say for whom it is: a cohort with its course, a course, a campus, or all campuses."""
    if about.cohort is not None:
        return f"{about.cohort.run.course.name} · {about.cohort.name}"
    if about.run is not None:
        return str(about.run.course.name)
    if about.campus is not None:
        return str(about.campus.name)
    return _("All campuses")
