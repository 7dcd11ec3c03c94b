"""The use below one account: by day and by learner, cohort, course or campus."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from campus.people.access import standing_of
from labs.quota import charts as quota_charts
from labs.quota.access import get_account_for, looks_after
from labs.quota.api import zone_of
from labs.usage import charts
from labs.usage.domain.folding import Use
from labs.usage.exports import days_csv, groups_csv
from labs.usage.groupings import groupings_for
from labs.usage.parameters import CHOICES, grouping_of, period_of
from labs.usage.selectors import grouped, today_in, use_by_account, use_by_day

GROUPS_A_PAGE = 50


@require_safe
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """The report of one account that this person may see."""
    standing = standing_of(request.user)
    found = get_account_for(standing, account_id)
    period = period_of(request.GET, today_in(zone_of(found.scope.path)))
    days = use_by_day([found.pk], period)
    grouping = grouping_of(request.GET, found.kind) if looks_after(standing, found) else None
    groups = grouped(use_by_account(found, period), grouping) if grouping else []
    used = charts.used(days)
    context = {
        "account": found, "period": period, "choices": CHOICES, "total": sum(days.values(), Use()),
        "chart": quota_charts.by_day(used, period.first, period.last),
        "chart_title": quota_charts.by_day_title(used, period.days),
        "grouping": grouping, "groupings": groupings_for(found.kind) if grouping else [],
        "page": Paginator(groups, GROUPS_A_PAGE).get_page(request.GET.get("page")),
        "group_chart": charts.by_group(groups, str(grouping.label)) if grouping else None,
        "group_title": charts.by_group_title(groups),
    }  # fmt: skip
    return render(request, "usage/account.html", context)


@require_safe
def account_csv(request: HttpRequest, account_id: int) -> HttpResponse:
    """The same as CSV: by day, and by day and group when `by` says so."""
    standing = standing_of(request.user)
    found = get_account_for(standing, account_id)
    period = period_of(request.GET, today_in(zone_of(found.scope.path)))
    grouping = grouping_of(request.GET, found.kind) if "by" in request.GET and looks_after(standing, found) else None
    if grouping is None:
        return days_csv(use_by_day([found.pk], period), charts.file_name(str(found.pk), period))
    groups = grouped(use_by_account(found, period, each_day=True), grouping)
    return groups_csv(groups, str(grouping.label), charts.file_name(f"{found.pk}-{grouping.key}", period))
