"""What people are told about requests, and whom: askers of the answer, deciders of the question."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campus.core.models import Way
from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.services import notify
from campus.core.notices.topics import Topic, register_topics
from campus.people.requests import teaches

from .access_requests import deciders_of
from .models import QuotaRequest

TOPICS = {
    "labs.requests": Topic(_("Answers to your requests for GPU time"), "labs", Way.MAIL),
    "labs.to_decide": Topic(_("Requests for GPU time that you decide"), "teaching", Way.MAIL, predicate=teaches),
}

KINDS = {
    "quota.request_made": NoticeKind(
        _("%(asker)s asks for %(wanted_gpu_s)s for “%(account)s”"),
        _("Needed until %(until_on)s. %(reason)s"),
        icon="inbox", tone="action", topic="labs.to_decide",
    ),
    "quota.request_approved": NoticeKind(
        _("“%(account)s” was given %(given_gpu_s)s"),
        _("%(decider)s approved your request for %(wanted_gpu_s)s. %(answer)s"),
        icon="circle-check", tone="ok", topic="labs.requests",
    ),
    "quota.request_approved_until": NoticeKind(
        _("“%(account)s” was given %(given_gpu_s)s until %(given_until_on)s"),
        _("%(decider)s approved your request for %(wanted_gpu_s)s. %(answer)s"),
        icon="circle-check", tone="ok", topic="labs.requests",
    ),
    "quota.request_declined": NoticeKind(
        _("Your request for “%(account)s” was declined"),
        _("%(decider)s: %(answer)s"),
        icon="circle-x", tone="danger", topic="labs.requests",
    ),
    "quota.request_passed_up": NoticeKind(
        _("Your request for “%(account)s” was passed up"),
        _("%(decider)s has too little to give and asks for more at “%(above)s”. You will be told what comes of it."),
        icon="arrow-up", tone="wait", topic="labs.requests",
    ),
    "quota.request_withdrawn": NoticeKind(
        _("%(asker)s withdrew the request for “%(account)s”"), "", icon="undo-2", topic="labs.to_decide"
    ),
}  # fmt: skip


def register_notices() -> None:
    register_topics(TOPICS)
    register(KINDS)


def tell_asked(made: QuotaRequest) -> None:
    """Tell the nearest who may decide it."""
    _notify("quota.request_made", made, deciders_of(made.account))


def tell_answer(found: QuotaRequest) -> None:
    """Tell who asked. What was raised for another request leads back to that one, which can be answered now."""
    kind = "quota.request_declined"
    if found.state == QuotaRequest.State.APPROVED:
        kind = "quota.request_approved_until" if found.given_until else "quota.request_approved"
    _notify(kind, found, [found.asker_id], url=_url(found.raised_for_id or found.pk))


def tell_passed_up(found: QuotaRequest, raised: QuotaRequest) -> None:
    """Tell who asked where it went."""
    facts = {"decider": raised.asker.name, "above": raised.account.name}
    _notify("quota.request_passed_up", found, [found.asker_id], **facts)


def tell_withdrawn(found: QuotaRequest) -> None:
    """Tell those who were asked, and who passed it up where somebody else took it back."""
    told = {*deciders_of(found.account), found.asker_id} - {found.decided_by_id}
    _notify("quota.request_withdrawn", found, told)


def _notify(kind: str, found: QuotaRequest, recipient_ids: Any, *, url: str = "", **more: str) -> None:
    facts = {
        "account": found.account.name,
        "asker": found.asker.name,
        "wanted_gpu_s": found.wanted_s,
        "given_gpu_s": found.given_s,
        "until_on": found.until.isoformat(),
        "given_until_on": found.given_until.isoformat() if found.given_until else "",
        "reason": found.reason,
        "answer": found.answer,
        "decider": found.decided_by.name if found.decided_by else "",
    }
    notify(recipient_ids=recipient_ids, kind=kind, url=url or _url(found.pk), facts=facts | more)


def _url(request_id: int) -> str:
    return reverse("quota:request", args=[request_id])
