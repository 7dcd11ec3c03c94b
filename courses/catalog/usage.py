"""Courses as a grouping of usage reports: labs knows cohorts' accounts, not their courses."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from labs.usage.api import register_grouping

from .models import Cohort


def courses_of(account_ids: Collection[int]) -> dict[int, str]:
    """Return the course's name for each account that is a cohort's. One query."""
    cohorts = Cohort.objects.filter(account_id__in=account_ids).select_related("run__course")
    return {cohort.account_id: cohort.run.course.name for cohort in cohorts}


def register_groupings() -> None:
    register_grouping("course", _("Course"), courses_of)
