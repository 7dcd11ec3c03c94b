"""Announcements: reading, writing, looking before publishing, withdrawing."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from campus.core.errors import NotAllowed
from campus.people.api import standing_of
from campus.people.requests import SignedInRequest
from courses.catalog.api import form_page
from courses.content.api import render as render_markdown

from .access import get_announcement_for, get_announcement_to_write
from .audience import count_reached
from .forms import AnnouncementForm, initial_of
from .models import Announcement
from .selectors import announcements_for, counts_of, written_announcements
from .services import mark_read, publish, save_announcement, withdraw
from .words import place_name

PAGE = 25


@require_safe
def announcements(request: HttpRequest) -> HttpResponse:
    """What is announced to the reader; `?show=written` what staff wrote, with who has read it."""
    standing = standing_of(request.user)
    writes = standing.is_teaching
    shows_written = writes and request.GET.get("show") == "written"
    rows = written_announcements(standing) if shows_written else announcements_for(standing)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [{"announcement": one, "place": place_name(one)} for one in page],
        "writes": writes,
        "shows_written": shows_written,
    }
    return render(request, "announcements/list.html", context)


@require_safe
def announcement(request: SignedInRequest, announcement_id: int) -> HttpResponse:
    """Show one and note that it was read; opening it twice does no harm, so a link may do it."""
    found, writes = get_announcement_for(request.user, announcement_id)
    mark_read(announcement_id=found.pk, user=request.user)
    return render(request, "announcements/announcement.html", _shown(found) | {"writes": writes} | _read(found, writes))


def _shown(found: Announcement) -> dict[str, Any]:
    return {"announcement": found, "place": place_name(found), "html": _html(found.body)}


def _html(text: str) -> SafeString:
    return mark_safe(render_markdown(text))  # noqa: S308  # what the renderer gives passed its allow-list


def _read(found: Announcement, writes: bool) -> dict[str, Any]:
    if not writes or found.published_at is None:
        return {}
    brought, read = counts_of(found)
    return {"brought": brought, "read": read}


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Write a draft; `?cohort=` begins with that cohort."""
    standing = standing_of(request.user)
    if not standing.is_teaching:
        raise NotAllowed
    initial = {"place": f"COHORT:{request.GET['cohort']}"} if "cohort" in request.GET else {}
    form = AnnouncementForm(request.POST or None, standing=standing, initial=initial)

    def save(_said: dict[str, Any]) -> str:
        return _look_url(save_announcement(wish=form.wish(), actor=request.user))

    return form_page(
        request, form, save, title=_("New announcement"), back=reverse("announcements:list"),
        done=_("Kept as a draft. Look at it before it goes out."), template="announcements/form.html",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, announcement_id: int) -> HttpResponse:
    """Change a draft, or correct what is published."""
    found = get_announcement_to_write(request.user, announcement_id)
    form = AnnouncementForm(
        request.POST or None, standing=standing_of(request.user), found=found, initial=initial_of(found)
    )

    def save(_said: dict[str, Any]) -> str:
        saved = save_announcement(wish=form.wish(), actor=request.user, announcement_id=found.pk)
        return _page_url(saved) if saved.published_at else _look_url(saved)

    return form_page(
        request, form, save, title=_("Change the announcement"), back=_page_url(found),
        template="announcements/form.html", announcement=found,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def publish_one(request: SignedInRequest, announcement_id: int) -> HttpResponse:
    """Look at it as readers will, with the number of people it reaches; then publish, or let it wait for its time."""
    found = get_announcement_to_write(request.user, announcement_id)
    if request.method == "POST":
        waits = request.POST.get("when") == "later"
        publish(announcement_id=found.pk, actor=request.user, at_its_time=waits)
        messages.success(request, _("It will be published at its time.") if waits else _("It is published."))
        return redirect(_page_url(found))
    if found.published_at is not None:
        return redirect(_page_url(found))
    context = _shown(found) | {"reached": count_reached(found), "reader": request.user}
    return render(request, "announcements/preview.html", context)


@require_http_methods(["GET", "POST"])
def withdraw_one(request: SignedInRequest, announcement_id: int) -> HttpResponse:
    """Take an announcement back, after asking once."""
    found = get_announcement_to_write(request.user, announcement_id)
    if request.method == "POST":
        withdraw(announcement_id=found.pk, actor=request.user)
        messages.success(request, _("It is gone from all pages."))
        return redirect(f"{reverse('announcements:list')}?show=written")
    context = {
        "title": _("Withdraw “%(title)s”?") % {"title": found.title},
        "text": _("It leaves all pages and notices. E-mails that were sent cannot be taken back."),
        "label": pgettext("announcement", "Withdraw"),
        "cancel_url": _page_url(found),
        "tone": "danger",
    }
    return render(request, "core/confirm.html", context)


def _page_url(found: Announcement) -> str:
    return reverse("announcements:announcement", args=[found.pk])


def _look_url(found: Announcement) -> str:
    return reverse("announcements:publish", args=[found.pk])
