"""One's own GPU time: what is left, by day, and job by job."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from campus.people.access import standing_of
from labs.quota import charts as quota_charts
from labs.quota.api import zone_of
from labs.usage import charts
from labs.usage.domain.periods import Period
from labs.usage.exports import days_csv
from labs.usage.parameters import CHOICES, period_of
from labs.usage.selectors import Balance, balances_of, jobs_with_lines, roots_for, today_in, use_by_day


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Balance, chart and jobs; staff without an account of their own go to the report of theirs."""
    user = request.user
    balances = balances_of(user)  # type: ignore[arg-type]
    roots = roots_for(standing_of(user))
    if not balances and len(roots) == 1:
        return redirect("usage:account", roots[0].pk)
    period = _period(request, balances)
    days = use_by_day([balance.account.pk for balance in balances], period)
    own = {str(balance.account.pk): balance.account.pk for balance in balances}
    chosen = own.get(request.GET.get("account", ""))
    page, lines = jobs_with_lines(user, chosen, request.GET.get("page"))  # type: ignore[arg-type]
    used = charts.used(days)
    context = {
        "balances": balances, "roots": roots, "page": page, "lines": lines, "chosen": chosen, "is_all": chosen is None,
        "choices": CHOICES, "period": period, "chart": quota_charts.by_day(used, period.first, period.last),
        "chart_title": quota_charts.by_day_title(used, period.days),
    }  # fmt: skip
    return render(request, "usage/mine.html", context)


@require_safe
def mine_csv(request: HttpRequest) -> HttpResponse:
    """One's own use by day."""
    balances = balances_of(request.user)  # type: ignore[arg-type]
    period = _period(request, balances)
    days = use_by_day([balance.account.pk for balance in balances], period)
    return days_csv(days, charts.file_name("mine", period))


def _period(request: HttpRequest, balances: list[Balance]) -> Period:
    zone = zone_of(balances[0].account.scope.path) if balances else settings.TIME_ZONE
    return period_of(request.GET, today_in(zone))
