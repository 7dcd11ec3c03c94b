"""What learners watch and open: reports of players become evidence and credit, and credit finishes a video."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotAllowed
from campus.people.models import User
from courses.catalog.api import get_editable_run, save_changes
from courses.catalog.models import CourseRun, Enrolment
from courses.materials.domain import intervals
from courses.materials.models import (
    DEFAULT_FINISH_PCT,
    Material,
    MaterialVersion,
    Opening,
    WatchCredit,
    WatchEvidence,
    WatchRule,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRIES = 5


@dataclass(frozen=True)
class Reported:
    """Where the learner stands after a report, and how much of it came too fast to be true."""

    credit: WatchCredit
    refused_ms: int = 0
    pieces: tuple[intervals.Piece, ...] = field(default=())


class _Repeated(Exception):
    """The same report, at the same time, on another connection."""


def report(
    *, version: MaterialVersion, enrolment: Enrolment | None, tab: UUID, number: int, said: object, position_s: object
) -> Reported:
    """Take a player's report: pairs of seconds that were played since the last. The same one again changes nothing.

    Raises NotAllowed (staff, who have left), InvalidInput (times that no player sends), Conflict where so many tabs
    report at once that this one found no turn: sent again, it counts.
    """
    if enrolment is None or enrolment.state != Enrolment.State.ACTIVE:
        raise NotAllowed(_("Only learners who are enrolled now get credit for watching."))
    duration = version.duration_ms or 0
    try:
        claimed = intervals.claims(said, duration)
        position = intervals.place(position_s, duration)
    except intervals.BadClaim as refusal:
        raise InvalidInput({"intervals": _("These are no times of this video.")}, code=refusal.code) from refusal
    try:
        return _take(version, enrolment, tab, number, claimed, position)
    except _Repeated:
        return Reported(WatchCredit.objects.get(version=version, enrolment=enrolment))


@transaction.atomic
def _take(
    version: MaterialVersion, enrolment: Enrolment, tab: UUID, number: int, claimed: tuple[intervals.Piece, ...],
    position_ms: int,
) -> Reported:  # fmt: skip
    WatchCredit.objects.bulk_create([WatchCredit(version=version, enrolment=enrolment)], ignore_conflicts=True)
    finish_pct = finish_pct_of(version.material)
    for _try in range(_TRIES):
        credit = WatchCredit.objects.get(version=version, enrolment=enrolment)
        if WatchEvidence.objects.filter(version=version, enrolment=enrolment, tab=tab, number=number).exists():
            return Reported(credit, pieces=pieces_of(credit))
        now = database_now()
        counted = intervals.credit(watched_of(credit), claimed, _ms(now))
        if write_credit(credit, counted.watched, position_ms, now, finish_pct, version.duration_ms or 0):
            _note(version, enrolment, tab, number, claimed, counted, now)
            credit.refresh_from_db()
            return Reported(credit, counted.refused_ms, counted.watched.pieces)
    raise Conflict(_("This video reports from too many tabs at once."), code="busy")


def write_credit(
    credit: WatchCredit, watched: intervals.Watched, position_ms: int, now: datetime, finish_pct: int, duration_ms: int
) -> bool:
    """Write the state that was folded from `credit`, unless another report was written since. Says whether it was."""
    total, percent = watched.total_ms, intervals.percent(watched.total_ms, duration_ms)
    is_over = percent >= finish_pct
    rows = WatchCredit.objects.filter(pk=credit.pk, revision=credit.revision).update(
        pieces=[list(piece) for piece in watched.pieces], seconds=total // 1000, percent=percent,
        position_ms=position_ms, slack_ms=watched.slack_ms, reported_at=now, revision=F("revision") + 1,
        finished_at=credit.finished_at or (now if is_over else None),
    )  # fmt: skip
    return rows == 1


def _note(
    version: MaterialVersion, enrolment: Enrolment, tab: UUID, number: int, claimed: tuple[intervals.Piece, ...],
    counted: intervals.Credited, now: datetime,
) -> None:  # fmt: skip
    try:
        with transaction.atomic():
            WatchEvidence.objects.create(
                version=version, enrolment=enrolment, tab=tab, number=number, claimed=[list(one) for one in claimed],
                counted=[list(one) for one in counted.counted], refused_ms=counted.refused_ms, at=now,
            )  # fmt: skip
    except IntegrityError as error:
        raise _Repeated from error


@transaction.atomic
def fold_reports(
    *, version: MaterialVersion, enrolment: Enrolment, tab: UUID,
    reports: Sequence[tuple[datetime, Sequence[intervals.Piece]]],
) -> None:  # fmt: skip
    """Write what past reports of one page come to, in their order, by the rules of live ones: for imports and demos."""
    if not reports:
        return
    watched, finished_at, rows = intervals.Watched(), None, []
    duration, finish_pct = version.duration_ms or 0, finish_pct_of(version.material)
    for number, (at, claimed) in enumerate(reports):
        counted = intervals.credit(watched, claimed, _ms(at))
        watched = counted.watched
        if finished_at is None and intervals.percent(watched.total_ms, duration) >= finish_pct:
            finished_at = at
        rows.append(
            WatchEvidence(
                version=version, enrolment=enrolment, tab=tab, number=number, at=at, refused_ms=counted.refused_ms,
                claimed=[list(one) for one in claimed], counted=[list(one) for one in counted.counted],
            )
        )  # fmt: skip
    WatchEvidence.objects.bulk_create(rows)
    last = [end for _at, claimed in reports for _start, end in claimed]
    WatchCredit.objects.create(
        version=version, enrolment=enrolment, pieces=[list(one) for one in watched.pieces],
        seconds=watched.total_ms // 1000, percent=intervals.percent(watched.total_ms, duration),
        position_ms=last[-1] if last else 0, slack_ms=watched.slack_ms, reported_at=reports[-1][0],
        finished_at=finished_at, revision=len(reports),
    )  # fmt: skip


def watched_of(credit: WatchCredit) -> intervals.Watched:
    """Return a row of credit as the rules read it."""
    at_ms = _ms(credit.reported_at) if credit.reported_at else None
    return intervals.Watched(pieces_of(credit), at_ms, credit.slack_ms)


def pieces_of(credit: WatchCredit | None) -> tuple[intervals.Piece, ...]:
    """Return the pieces that count, in order; none without a row."""
    return tuple((start, end) for start, end in credit.pieces) if credit else ()


def open_version(*, version: MaterialVersion, enrolment: Enrolment | None) -> None:
    """Note that a learner opened a file or notebook; the first time counts. Staff leave no trace."""
    if enrolment is None or enrolment.state != Enrolment.State.ACTIVE:
        return
    Opening.objects.bulk_create([Opening(version=version, enrolment=enrolment)], ignore_conflicts=True)


def finish_pct_of(material: Material) -> int:
    """Return how many percent of a video finish it: its own, else the run's, else 90. One query at most."""
    if material.finish_pct is not None:
        return material.finish_pct
    rule = WatchRule.objects.filter(run_id=material.module.run_id).values_list("finish_pct", flat=True).first()
    return rule if rule is not None else DEFAULT_FINISH_PCT


@transaction.atomic
def set_watch_rule(*, run: CourseRun, finish_pct: int, actor: User | None) -> WatchRule:
    """Set how much of a video finishes it in this run. Who is over a lower bar is finished now; nobody loses it.

    Raises NotAllowed, InvalidInput (finish_pct).
    """
    if actor is not None:
        get_editable_run(actor, run)
    WatchRule.objects.bulk_create([WatchRule(run=run)], ignore_conflicts=True)
    rule = WatchRule.objects.select_for_update().get(run=run)
    save_changes(rule, {"finish_pct": finish_pct}, actor=actor)
    finish_who_is_over(Q(version__material__module__run=run, version__material__finish_pct=None), finish_pct)
    return rule


def finish_who_is_over(which: Q, finish_pct: int) -> int:
    """Finish the videos of those who watched enough by a bar that was lowered. Returns how many."""
    rows = WatchCredit.objects.filter(which, finished_at=None, percent__gte=finish_pct)
    return rows.update(finished_at=database_now(), revision=F("revision") + 1)


def _ms(at: datetime) -> int:
    return round((at - _EPOCH).total_seconds() * 1000)
