"""One's own notices: the list, opening one, marking all as read."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from campus.core.errors import NotFound
from campus.core.models import Notice

from .kinds import kind_of, words_of
from .services import open_notice, read_all

PAGE = 25


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """Everything that this person was told, newest first; `?show=unread` leaves out what was read."""
    only_unread = request.GET.get("show") == "unread"
    mine = Notice.objects.filter(recipient_id=request.user.pk).order_by("-id")
    page = Paginator(mine.filter(read_at=None) if only_unread else mine, PAGE).get_page(request.GET.get("page"))
    return render(
        request, "core/notices.html", {"page": page, "rows": [_row(one) for one in page], "only_unread": only_unread}
    )


def _row(notice: Notice) -> dict[str, Any]:
    return {"notice": notice, "kind": kind_of(notice.kind), "words": words_of(notice.kind, notice.facts)}


@require_safe
def open_one(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Mark it as read, and go where it leads. Opening it twice does no harm, so a link may do it."""
    url = open_notice(user_id=request.user.pk or 0, notice_id=notice_id)
    if url is None:
        raise NotFound
    return redirect(url)


@require_POST
def mark_all_read(request: HttpRequest) -> HttpResponse:
    """Mark all as read."""
    read_all(user_id=request.user.pk or 0)
    return redirect("notices")
