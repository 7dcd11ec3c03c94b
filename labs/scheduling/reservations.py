"""Class reservations: making, moving and giving them up, never more GPUs than the site has (docs/decisions/0005)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotFound, Text
from campus.core.formats import campus_time, number
from infra.pool.models import Gpu, Node, Site
from labs.jobs.live import tell_pool
from labs.jobs.nudges import nudge_scheduler
from labs.quota.models import Account

from .domain.booking import FAR_S, Booked, Stock, free_at_least, nearest
from .models import ClassReservation

LONGEST = timedelta(hours=24)
#: So late may a class be booked that has begun: a form takes a while to fill.
LATE = timedelta(minutes=30)
RELEASE_AFTER_S = 900
LEAST_RELEASE_S, MOST_RELEASE_S = 60, 6 * 3600
#: A class begins at a round time: seconds.
STEP_S = 300
_MOVABLE = ("title", "start_at", "end_at", "gpus", "gpu_type", "site_id", "release_after_s")


def reserve_class(
    *,
    account_id: int,
    site_id: int,
    gpus: int,
    start_at: datetime,
    end_at: datetime,
    title: str,
    actor: Any,
    gpu_type: str = "",
    release_after_s: int = RELEASE_AFTER_S,
    key: str | None = None,
) -> ClassReservation:
    """Keep GPUs of a site for the jobs of an account and all below it, from `start_at` until `end_at`.

    They are released when nobody of the class has a job for `release_after_s`. `key` names what it is for: the same key
    again gives the first reservation, if it is not given up. Raises InvalidInput (fields named) and Conflict:
    reservation_clash (facts: gpus_free, clashes with id, title, gpus, start_at and end_at, and the nearest free slots
    as start_at and end_at).
    """
    with transaction.atomic():
        _lock(site_id)
        if key and (first := ClassReservation.objects.filter(key=key).exclude(state="CANCELLED").first()):
            return first
        made = ClassReservation(
            account=_account(account_id),
            site_id=site_id,
            title=title.strip(),
            gpus=gpus,
            gpu_type=gpu_type.strip(),
            start_at=start_at,
            end_at=end_at,
            release_after_s=release_after_s,
            key=key or None,
            created_by=actor,
        )
        _check(made, database_now(), is_new=True)
        ClassReservation.objects.filter(key=key, key__isnull=False).update(key=None)  # of one that was cancelled
        made.save(force_insert=True)
        _note(
            made, "reservation.made", actor, {name: ("", _said(made, name)) for name in ("start_at", "end_at", "gpus")}
        )
    return made


def move_reservation(*, reservation_id: int, actor: Any, **changes: Any) -> ClassReservation:
    """Change a reservation that is not over: title, start_at, end_at, gpus, gpu_type, site_id, release_after_s.

    Raises as `reserve_class`, NotFound, and Conflict (reservation_over) for one that is over or given up.
    """
    if unknown := changes.keys() - set(_MOVABLE):
        raise TypeError(f"a reservation has no {', '.join(sorted(unknown))} to change")
    with transaction.atomic():
        # Both sites, in the order of their ids, so that two who swap do not wait for each other.
        at_first = ClassReservation.objects.filter(pk=reservation_id).values_list("site_id", flat=True).first()
        if at_first is None:
            raise NotFound
        for site_id in sorted({at_first, changes.get("site_id", at_first)}):
            _lock(site_id)
        moved = _open(reservation_id)
        before = {name: _said(moved, name) for name in changes}
        for name, value in changes.items():
            setattr(moved, name, value.strip() if isinstance(value, str) else value)
        _check(moved, database_now(), is_new=False)
        moved.save(update_fields=list(changes) or None)
        moved.refresh_from_db()
        _note(moved, "reservation.moved", actor, {name: (before[name], _said(moved, name)) for name in changes})
    return moved


def cancel_reservation(*, reservation_id: int, actor: Any, reason: str = "") -> ClassReservation:
    """Give a reservation up. Twice changes nothing. Raises NotFound, and Conflict (reservation_over)."""
    with transaction.atomic():
        row = ClassReservation.objects.select_for_update(no_key=True, of=("self",)).filter(pk=reservation_id).first()
        if row is None:
            raise NotFound
        if row.state == ClassReservation.State.CANCELLED:
            return row
        cancelled = _open(reservation_id)
        cancelled.state, cancelled.given_up_at = ClassReservation.State.CANCELLED, Now()
        cancelled.save(update_fields=["state", "given_up_at"])
        cancelled.refresh_from_db()
        _note(cancelled, "reservation.cancelled", actor, {}, reason)
    return cancelled


def reservations_of(
    *, account_ids: Iterable[int] = (), key: str | None = None, from_at: datetime | None = None,
    until_at: datetime | None = None,
) -> QuerySet[ClassReservation]:  # fmt: skip
    """The reservations of these accounts (not of those below them), or of a key, that touch the time; in order."""
    found = ClassReservation.objects.select_related("account", "site")
    wanted = list(account_ids)
    if wanted:
        found = found.filter(account_id__in=wanted)
    if key is not None:
        found = found.filter(key=key)
    if from_at is not None:
        found = found.filter(end_at__gt=from_at)
    return found.filter(start_at__lt=until_at) if until_at is not None else found


# ---- what they share ------------------------------------------------------------------------------------------------


def _lock(site_id: int) -> None:
    """Bookings of one site pass one by one, so each sees those before it. Raises InvalidInput."""
    if not Site.objects.select_for_update(no_key=True).filter(pk=site_id).exists():
        raise InvalidInput({"site_id": _("There is no such site. Choose again.")})


def _account(account_id: int) -> Account:
    account = Account.objects.filter(pk=account_id).first()
    if account is None or account.kind == Account.Kind.LEARNER:
        raise InvalidInput({"account_id": _("Choose the account of a cohort, or of what it belongs to.")})
    return account


def _open(reservation_id: int) -> ClassReservation:
    found = ClassReservation.objects.select_for_update(no_key=True, of=("self",)).select_related("account__scope")
    row = found.filter(pk=reservation_id).first()
    if row is None:
        raise NotFound
    if row.state != ClassReservation.State.BOOKED or row.end_at <= database_now():
        raise Conflict(_("This reservation is over or was given up. Make a new one."), code="reservation_over")
    return row


def _said(row: ClassReservation, name: str) -> Any:
    """A field's value as the audit trail says it."""
    value = getattr(row, name)
    return campus_time(value) if isinstance(value, datetime) else value


def _check(wish: ClassReservation, now: datetime, *, is_new: bool) -> None:
    wrong: dict[str, Text] = {}
    if not 0 < len(wish.title) <= 160 or not wish.title.isprintable():
        wrong["title"] = _("Say in at most 160 characters which class it is for.")
    if not 1 <= wish.gpus < 2**15:
        wrong["gpus"] = _("Keep at least one GPU.")
    if wish.end_at <= wish.start_at:
        wrong["end_at"] = _("It ends after it begins.")
    elif wish.end_at - wish.start_at > LONGEST:
        wrong["end_at"] = _("A class lasts a day at most. Make one reservation for each day.")
    if wish.end_at <= now or (is_new and wish.start_at < now - LATE):
        wrong.setdefault("start_at", _("That is over. Choose a time to come."))
    if not LEAST_RELEASE_S <= wish.release_after_s <= MOST_RELEASE_S:
        wrong["release_after_s"] = _("Release it after 1 minute to 6 hours.")
    if wrong:
        raise InvalidInput(wrong)
    _check_room(wish, now)


def stock_of(site_id: int) -> Stock:
    """The GPUs that a site has; those of nodes that refuse learners' code do not count."""
    gpus = Gpu.objects.filter(node__site_id=site_id).exclude(node__confinement=Node.Confinement.REFUSED)
    return Stock(dict(gpus.values_list("gpu_type").annotate(Count("id"))))


def _check_room(wish: ClassReservation, now: datetime) -> None:
    stock = stock_of(wish.site_id)
    there = stock.by_type.get(wish.gpu_type, 0) if wish.gpu_type else stock.total
    if wish.gpus > there:
        words = _("The site has %(there)s such GPUs. Ask for no more than that.") % {"there": number(there)}
        raise InvalidInput({"gpus": words}, facts={"gpus_there": there})
    far = timedelta(seconds=FAR_S) + LONGEST
    rows = list(
        ClassReservation.objects.filter(site_id=wish.site_id, state=ClassReservation.State.BOOKED)
        .filter(end_at__gt=wish.start_at - far, start_at__lt=wish.end_at + far)
        .exclude(pk=wish.pk)
        .order_by("start_at", "id")
    )
    booked, asked = [_booked(row) for row in rows], _booked(wish)
    free = free_at_least(booked, stock, asked)
    if asked.gpus <= free:
        return
    clashes = [row for row, one in zip(rows, booked, strict=True) if one.overlaps(asked)]
    soon = -(-now.timestamp() // STEP_S) * STEP_S
    slots = nearest(booked, stock, asked, not_before=soon)
    raise _clash(clashes, free, [(_at(start), _at(end)) for start, end in slots])


def _booked(row: ClassReservation) -> Booked:
    return Booked(row.gpus, row.gpu_type, row.start_at.timestamp(), row.end_at.timestamp())


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _clash(clashes: list[ClassReservation], free: int, slots: list[tuple[datetime, datetime]]) -> Conflict:
    named = ", ".join(
        _("“%(title)s” (%(gpus)s GPUs, %(from)s to %(to)s)")
        % {
            "title": row.title,
            "gpus": row.gpus,
            "from": campus_time(row.start_at),
            "to": f"{timezone.localtime(row.end_at):%H:%M}",
        }
        for row in clashes[:3]
    )
    words = _("At that time %(free)s GPUs are left beside %(named)s.") % {"free": max(0, free), "named": named}
    if slots:
        times = ", ".join(f"{campus_time(start)}–{timezone.localtime(end):%H:%M}" for start, end in slots)
        words += " " + _("The nearest free times are: %(times)s.") % {"times": times}
    else:
        words += " " + _("No other time within two weeks is free. Ask for fewer GPUs.")
    facts: Mapping[str, Any] = {
        "gpus_free": max(0, free),
        "clashes": [
            {
                "id": r.pk,
                "title": r.title,
                "gpus": r.gpus,
                "start_at": r.start_at.isoformat(),
                "end_at": r.end_at.isoformat(),
            }
            for r in clashes
        ],
        "free_slots": [{"start_at": start.isoformat(), "end_at": end.isoformat()} for start, end in slots],
    }
    return Conflict(words, code="reservation_clash", facts=facts)


def _note(
    row: ClassReservation, verb: str, actor: Any, changes: Mapping[str, tuple[Any, Any]], reason: str = ""
) -> None:
    site = Site.objects.select_related("campus__scope").get(pk=row.site_id)
    paths = (*row.account.scope.path, *site.campus.scope.path)
    audit.record(
        actor=actor, verb=verb, target=row, scope_path=list(dict.fromkeys(paths)), changes=changes, reason=reason
    )
    nudge_scheduler()
    tell_pool()
