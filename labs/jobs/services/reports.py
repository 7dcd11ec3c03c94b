"""What a running attempt says: its log, to the byte, and its metric points, in order."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from campus.core.errors import Conflict, InvalidInput
from labs.jobs.domain.logs import LogGap, new_part
from labs.jobs.domain.results import clean_point, is_number
from labs.jobs.live import tell_output
from labs.jobs.models import Attempt, LogChunk, MetricPoint

from .fences import StaleFence


def _lock(attempt: Attempt, fence: int) -> Attempt:
    current = Attempt.objects.select_for_update(no_key=True, of=("self",)).get(pk=attempt.pk)
    if current.fence != fence or current.state == Attempt.State.ENDED:
        raise StaleFence
    return current


def append_log(*, attempt: Attempt, fence: int, start: int, content: bytes) -> int:
    """Add bytes whose first is byte `start` of the log; returns where the log ends now.

    What is there already is ignored, so chunks may come twice and overlap. Raises StaleFence, InvalidInput, and
    Conflict (log_gap, facts: next) if bytes before `start` are missing. Beyond LABS_LOG_MAX_BYTES nothing is kept.
    """
    if start < 0:
        raise InvalidInput({"start": _("An offset is 0 or more.")})
    with transaction.atomic():
        current = _lock(attempt, fence)
        try:
            fresh = new_part(current.log_bytes, start, content, settings.LABS_LOG_MAX_BYTES)
        except LogGap as gap:
            words = _("Bytes before this chunk are missing. Send the log from byte %(next)s.")
            facts = {"next": gap.next_start}
            raise Conflict(words % facts, code="log_gap", facts=facts) from gap
        if not fresh:
            # Beyond the cap the node is told that it arrived: it would send it for ever.
            return max(current.log_bytes, start + len(content))
        LogChunk.objects.create(attempt=current, start=current.log_bytes, content=fresh)
        end = current.log_bytes + len(fresh)
        is_cut = end >= settings.LABS_LOG_MAX_BYTES
        Attempt.objects.filter(pk=current.pk).update(log_bytes=end, log_is_truncated=current.log_is_truncated or is_cut)
        tell_output(current.job_id)
    return max(end, start + len(content))


def append_metrics(*, attempt: Attempt, fence: int, first_seq: int, points: Sequence[Mapping[str, Any]]) -> int:
    """Add points, the first of which is point `first_seq`; returns the number that is wanted next.

    Points may come twice. If some before `first_seq` are missing nothing is added, and the answer says from where to
    send: a chart that lost a point is no reason to end a run. Points without a finite number are stored as empty, so
    that the numbering stays the node's; beyond LABS_METRIC_MAX_POINTS nothing is kept. Raises StaleFence, InvalidInput.
    """
    if first_seq < 0:
        raise InvalidInput({"first_seq": _("A number is 0 or more.")})
    with transaction.atomic():
        current = _lock(attempt, fence)
        last = MetricPoint.objects.filter(attempt=current).order_by("-seq").values_list("seq", flat=True).first()
        following = 0 if last is None else last + 1
        if first_seq > following:
            return following
        fresh = [
            MetricPoint(attempt=current, seq=seq, run_s=_run_s(point), values=_values(point))
            for seq, point in enumerate(points, start=first_seq)
            if following <= seq < settings.LABS_METRIC_MAX_POINTS
        ]
        if fresh:
            MetricPoint.objects.bulk_create(fresh)
            tell_output(current.job_id)
    return max(following, first_seq + len(points))


def _run_s(point: Mapping[str, Any]) -> float:
    run_s = point.get("run_s") if isinstance(point, dict) else None
    return float(run_s) if is_number(run_s) else 0.0  # type: ignore[arg-type]


def _values(point: Mapping[str, Any]) -> dict[str, float]:
    values = point.get("values") if isinstance(point, dict) else None
    return clean_point(values) if isinstance(values, dict) else {}
