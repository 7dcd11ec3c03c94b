"""Moving a lab among those of its module, and deleting it."""

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from campus.people.requests import SignedInRequest
from courses.content.api import back_to_order, removal_page

from .access import get_lab_to_edit
from .arranging import delete_lab, lab_parts, move_lab
from .models import Lab
from .services import change_lab


@require_POST
def move(request: SignedInRequest, lab_id: int) -> HttpResponse:
    """Move a lab."""
    _lab, access = get_lab_to_edit(request.user, lab_id)
    return back_to_order(request, access, "lab", lab_id, move_lab)


@require_http_methods(["GET", "POST"])
def remove(request: SignedInRequest, lab_id: int) -> HttpResponse:
    """Ask, then delete a lab, or hide it."""
    lab, access = get_lab_to_edit(request.user, lab_id)
    return removal_page(
        request, access, lab.title, lab_parts(Lab.objects.filter(pk=lab_id)), is_hidden=not lab.is_published,
        delete=lambda: delete_lab(lab_id=lab_id, actor=request.user),
        hide=lambda: change_lab(lab_id=lab_id, fields={"is_published": False}, actor=request.user),
    )  # fmt: skip
