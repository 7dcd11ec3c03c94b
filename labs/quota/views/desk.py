"""The quota desk: the whole tree that one administers at a glance, its learners on demand, and its CSV."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from campus.core.errors import NotAllowed
from campus.people.access import Standing, standing_of
from labs.quota.access import get_account_for
from labs.quota.desk_csv import desk_csv
from labs.quota.forms_desk import DeskForm
from labs.quota.models import Account
from labs.quota.selectors_desk import Concern, Search, administered, desk, learner_rows

DEPTHS = frozenset("23456789")


def require_administrator(request: HttpRequest) -> Standing:
    """Return the standing of an administrator of any campus, or of the platform. Raises NotAllowed."""
    standing = standing_of(request.user)
    if not standing.is_administering:
        raise NotAllowed
    return standing


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Every account that one administers, narrowed by a name, a concern or a campus."""
    standing = require_administrator(request)
    places = list(administered(standing).filter(kind=Account.Kind.CAMPUS).order_by("name", "id"))
    form = DeskForm(request.GET, places=places)
    found = desk(standing, _search(request, form))
    context = {
        "desk": found, "rows": found.rows, "form": form, "narrows": _search(request, form).narrows,
        "query": request.GET.urlencode(), "can_change": any(row.may_change for row in found.rows),
    }  # fmt: skip
    return render(request, "quota/desk.html", context)


@require_safe
def learners(request: HttpRequest, account_id: int) -> HttpResponse:
    """The learners' lines below an account, as a part of the desk."""
    standing = require_administrator(request)
    account = get_account_for(standing, account_id)
    depth = request.GET.get("depth", "")
    rows = learner_rows(standing, account, int(depth) if depth in DEPTHS else 2)
    return render(request, "quota/_desk_rows.html", {"rows": rows})


@require_safe
def table(request: HttpRequest) -> HttpResponse:
    """The desk as a CSV with every learner, narrowed as the page is; edited, it can be sent back."""
    standing = require_administrator(request)
    places = list(administered(standing).filter(kind=Account.Kind.CAMPUS))
    search = _search(request, DeskForm(request.GET, places=places), all_learners=True)
    rows = desk(standing, search).rows
    names = {row.account.pk: row.account.name for row in rows}
    return desk_csv([row for row in rows if row.is_match], names, f"gpu-quota-{timezone.localdate().isoformat()}")


def _search(request: HttpRequest, form: DeskForm, *, all_learners: bool = False) -> Search:
    """Read what is looked for; what makes no sense is as good as nothing."""
    form.is_valid()
    given = form.cleaned_data
    opened = {int(text) for text in request.GET.getlist("open") if text.isascii() and text.isdigit() and len(text) < 19}
    return Search(
        text=given.get("q", "").strip(),
        concern=Concern(given["show"]) if given.get("show") else None,
        within=int(given["within"]) if given.get("within") else None,
        opened=frozenset(opened),
        all_learners=all_learners,
    )
