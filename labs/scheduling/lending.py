"""Whose a site's GPUs are, the hours in which they are lent, and its power cap: changed by administrators, kept in the
audit trail."""

from datetime import date, time
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput, NotFound
from campus.core.formats import number
from infra.pool.models import Site
from labs.jobs.live import tell_pool
from labs.jobs.nudges import nudge_scheduler
from labs.quota.models import Account

from .models import SiteLending, SiteOwner

#: A hundred times what the largest data hall draws; the column holds no more than 2^31 - 1.
MOST_W = 1_000_000_000


@transaction.atomic
def set_owner(*, site_id: int, account_id: int | None, actor: Any) -> None:
    """Give a site's GPUs to an account and all below it; None gives them to everybody. What runs goes on.

    Raises NotFound, InvalidInput (account_id).
    """
    site = _locked(site_id)
    account = _account(account_id, "account_id")
    before = SiteOwner.objects.filter(site=site).select_related("account").first()
    if account is None:
        SiteOwner.objects.filter(site=site).delete()
    else:
        SiteOwner.objects.update_or_create(site=site, defaults={"account": account})
    _note(site, "site.owner_set", actor, {"owner": (str(before.account) if before else "", str(account or ""))})


@transaction.atomic
def lend(
    *, site_id: int, borrower_id: int | None, max_gpus: int, first_day: date, last_day: date | None, opens_at: time,
    closes_at: time, actor: Any,
) -> SiteLending:  # fmt: skip
    """Lend up to `max_gpus` of a site daily between two times of its campus's day. Raises NotFound, InvalidInput."""
    site = _locked(site_id)
    if max_gpus < 1:
        raise InvalidInput({"max_gpus": _("Lend at least one GPU.")})
    if last_day is not None and last_day < first_day:
        raise InvalidInput({"last_day": _("It ends after it begins.")})
    made = SiteLending.objects.create(
        site=site, borrower=_account(borrower_id, "borrower"), max_gpus=max_gpus, first_day=first_day,
        last_day=last_day, opens_at=opens_at, closes_at=closes_at, created_by=actor,
    )  # fmt: skip
    _note(site, "site.lent", actor, {"max_gpus": (0, max_gpus), "borrower": ("", str(made.borrower or ""))})
    return made


@transaction.atomic
def limit_site(*, site_id: int, power_cap_w: int | None, is_open: bool, actor: Any) -> None:
    """Say how many watts a site may draw (None: no cap), and whether its nodes are given jobs. What runs goes on.

    Raises NotFound, InvalidInput (power_cap_w).
    """
    site = _locked(site_id)
    if power_cap_w is not None and not 0 <= power_cap_w <= MOST_W:
        words = _("Use 0 to %(most)s watts, or leave it open for no cap.") % {"most": number(MOST_W)}
        raise InvalidInput({"power_cap_w": words})
    wanted = {"power_cap_w": power_cap_w, "is_open": is_open}
    changes = {name: (getattr(site, name), value) for name, value in wanted.items() if getattr(site, name) != value}
    if changes:
        Site.objects.filter(pk=site.pk).update(**wanted)
        _note(site, "site.limited", actor, changes)
        tell_pool()


@transaction.atomic
def end_lending(*, lending_id: int, actor: Any) -> None:
    """End a lending now: preemptible borrowers are asked to make room, others run to their end. Raises NotFound."""
    row = (
        SiteLending.objects.select_for_update(of=("self",)).select_related("site__campus__scope").filter(pk=lending_id)
    )
    found = row.first()
    if found is None:
        raise NotFound
    if SiteLending.objects.filter(pk=found.pk, ended_at=None).update(ended_at=Now()):
        _note(found.site, "site.lending_ended", actor, {"max_gpus": (found.max_gpus, 0)})


def _locked(site_id: int) -> Site:
    site = Site.objects.select_for_update(no_key=True, of=("self",)).select_related("campus__scope").filter(pk=site_id)
    found = site.first()
    if found is None:
        raise NotFound
    return found


def _account(account_id: int | None, field: str) -> Account | None:
    if account_id is None:
        return None
    account = Account.objects.filter(pk=account_id).exclude(kind=Account.Kind.LEARNER).first()
    if account is None:
        raise InvalidInput({field: _("Choose the account of a campus, a programme or a cohort.")})
    return account


def _note(site: Site, verb: str, actor: Any, changes: dict[str, tuple[Any, Any]]) -> None:
    audit.record(actor=actor, verb=verb, target=site, scope_path=site.campus.scope.path, changes=changes)
    nudge_scheduler()
