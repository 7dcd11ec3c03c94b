"""Template tags that say why a job waits, what ends it, and when it is expected to start."""

from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from infra.pool.models import Node, Site
from labs.jobs.models import Job
from labs.quota.models import Account
from labs.scheduling.models import ClassReservation
from labs.scheduling.words import wait_ends_when, waits_because

register = template.Library()

_NAMED = {"node_id": Node, "site_id": Site, "account_id": Account, "reservation_id": ClassReservation}


@register.simple_tag
def wait_reason(job: Job) -> str:
    """Say in one sentence why `job` waits. Costs no query, so lists may use it."""
    return waits_because(job.wait_reason or "just_submitted", job.wait_facts, place=job.queue_place)


@register.simple_tag
def wait_ends(job: Job) -> str:
    """Say what ends the wait, with the names of what it is about: a query for each, so for one job's page."""
    names = {}
    for key, model in _NAMED.items():
        pk = job.wait_facts.get(key)
        if pk is not None and (found := model._default_manager.filter(pk=pk).first()):
            names[key] = str(found)
    return wait_ends_when(job.wait_reason or "just_submitted", job.wait_facts, names=names)


@register.simple_tag
def start_range(job: Any) -> str:
    """Say the expected start from its P50 to its P90: "14:05 – 14:20", with the day where it is not today."""
    first, last = job.start_p50_at, job.start_p90_at
    if first is None:
        return ""
    now = timezone.localtime()
    start, end = timezone.localtime(first), timezone.localtime(last or first)
    if (end - now).total_seconds() < 60:
        return _("within a minute")
    return _("%(start)s – %(end)s") % {"start": _clock(start, now), "end": _clock(end, start if start > now else now)}


@register.simple_tag
def finish_range(forecast: Any) -> str:
    """Say when the last run of a sweep is expected to end, from its P50 to its P90."""
    now = timezone.localtime()
    first, last = (timezone.localtime(at) for at in (forecast.end_p50_at or forecast.end_p90_at, forecast.end_p90_at))
    if (last - first).total_seconds() < 60:
        return _clock(last, now)
    return _("%(start)s – %(end)s") % {"start": _clock(first, now), "end": _clock(last, first)}


def _clock(at: Any, beside: Any) -> str:
    return date_format(at, "H:i") if at.date() == beside.date() else date_format(at, "n/j H:i")
