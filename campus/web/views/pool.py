"""The pool board and a node's page."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, NotAllowed, NotFound
from campus.core.form_errors import add_service_error
from campus.people.access import ADMINISTERING, standing_of
from campus.people.requests import SignedInRequest
from campus.web import pool_board
from campus.web.forms import NodeForm, ReasonForm
from campus.web.services import drain_node, resume_node
from infra.pool import api as nodes
from infra.pool.models import Node
from labs.scheduling.promise_record import coverage


@require_GET
def pool(request: SignedInRequest) -> HttpResponse:
    """Show sites, nodes, GPUs and the queue; `?part=live` gives what changes, for the page to swap in."""
    _require_staff(request)
    standing = standing_of(request.user)
    sites = pool_board.board(standing, request.user.pk)
    shown = [row.node for site in sites for row in site.nodes]
    context: dict[str, Any] = {
        "sites": sites,
        "queue": pool_board.queue(standing, request.user.pk),
        "idle": pool_board.idle(standing),
        "gpus": sum(site.gpus for site in sites),
        "busy": sum(site.busy for site in sites),
        "unconfined": [node for node in shown if node.confinement == Node.Confinement.UNCONFINED],
        "refusing": [
            node for node in shown if node.confinement == Node.Confinement.REFUSED and node.state != Node.State.DOWN
        ],
        "cycle": pool_board.last_cycle(),
        "kept_promises": coverage(),
        "may_register": standing.is_administering,
    }
    template = "web/pool/_live.html" if request.GET.get("part") == "live" else "web/pool/board.html"
    return render(request, template, context)


@require_GET
def node(request: SignedInRequest, name: str) -> HttpResponse:
    """Show one node: its GPUs, environments with their digests, and what ran on it."""
    _require_staff(request)
    standing = standing_of(request.user)
    sites = pool_board.board(standing, request.user.pk, node_name=name)
    if not sites:
        raise NotFound
    row = sites[0].nodes[0]
    visible = [
        {"attempt": one, "visible": pool_board.may_see(one.job, standing, request.user.pk)}
        for one in pool_board.attempts_on(row.node)
    ]
    context = {
        "row": row,
        "site": sites[0].site,
        "attempts": visible,
        "may_edit": _may_edit(request, row.node),
        "reason_form": ReasonForm(),
        "token": request.session.pop(f"node-token-{name}", None),
    }
    return render(request, "web/pool/node.html", context)


@require_http_methods(["GET", "POST"])
def new_node(request: SignedInRequest) -> HttpResponse:
    """Register a node; its token is shown once."""
    standing = standing_of(request.user)
    if not standing.is_administering:
        raise NotAllowed
    form = NodeForm(request.POST or None, standing=standing)
    if request.method == "POST" and form.is_valid():
        try:
            registered, token = nodes.register_node(
                site_id=form.cleaned_data["site"].pk, name=form.cleaned_data["name"], actor=request.user
            )
            request.session[f"node-token-{registered.name}"] = token
            return redirect("web:node", registered.name)
        except CampusError as error:
            add_service_error(form, error)
    context = {"form": form, "title": _("Register a node"), "back": reverse("web:pool")}
    return render(request, "web/form.html", context, status=400 if form.errors else 200)


@require_POST
def drain(request: SignedInRequest, name: str) -> HttpResponse:
    """Stop giving a node new work; what runs there goes on."""
    drain_node(node_id=_editable(request, name).pk, actor=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, _("%(node)s takes no new jobs; those that run there go on.") % {"node": name})
    return redirect("web:node", name)


@require_POST
def resume(request: SignedInRequest, name: str) -> HttpResponse:
    """Give a node work again."""
    resume_node(node_id=_editable(request, name).pk, actor=request.user)
    messages.success(request, _("%(node)s takes jobs again.") % {"node": name})
    return redirect("web:node", name)


@require_http_methods(["GET", "POST"])
def renew_token(request: SignedInRequest, name: str) -> HttpResponse:
    """Give a node a new token, shown once; the GET asks for confirmation where there is no JavaScript."""
    shown = _editable(request, name)
    if request.method == "POST":
        _node, request.session[f"node-token-{name}"] = nodes.renew_token(node_id=shown.pk, actor=request.user)
        return redirect("web:node", name)
    context = {
        "title": _("Give the node a new token?"),
        "text": _("The old one stops working at once."),
        "label": _("New token"),
        "cancel_url": reverse("web:node", args=[name]),
        "tone": "danger",
    }
    return render(request, "core/confirm.html", context)


def _require_staff(request: SignedInRequest) -> None:
    if not standing_of(request.user).is_teaching:
        raise NotAllowed(_("The pool board is for staff. Your own jobs say where they run and why they wait."))


def _editable(request: SignedInRequest, name: str) -> Node:
    _require_staff(request)
    found = Node.objects.select_related("site__campus__scope").filter(name=name).first()
    if found is None:
        raise NotFound
    if not _may_edit(request, found):
        raise NotAllowed
    return found


def _may_edit(request: SignedInRequest, shown: Node) -> bool:
    return standing_of(request.user).holds(ADMINISTERING, shown.site.campus.scope.path)
