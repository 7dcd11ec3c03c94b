"""The quota tree, and the learners' lines that open in it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from campus.people.access import standing_of
from labs.quota.access import get_account_for, looks_after
from labs.quota.models import Account
from labs.quota.selectors import children_of, children_rows, quota_tree, with_outlooks

MOST_LINES = 500
DEPTHS = frozenset("23456789")


@require_safe
def tree(request: HttpRequest) -> HttpResponse:
    """Everything that this person may see, from the roots down."""
    rows = with_outlooks(quota_tree(standing_of(request.user)))
    return render(request, "quota/tree.html", {"rows": rows, "can_allocate": any(row.may_allocate for row in rows)})


@require_safe
def learners(request: HttpRequest, account_id: int) -> HttpResponse:
    """The learners' lines below an account, as a part of the tree."""
    standing = standing_of(request.user)
    account = get_account_for(standing, account_id)
    found = children_of(account).filter(kind=Account.Kind.LEARNER)
    children = list(found[:MOST_LINES]) if looks_after(standing, account) else []
    depth = request.GET.get("depth", "")
    rows = with_outlooks(children_rows(standing, children, int(depth) if depth in DEPTHS else 2))
    context = {"rows": rows, "account": account, "is_cut": len(children) == MOST_LINES, "back": reverse("quota:tree")}
    return render(request, "quota/_learners.html", context)
