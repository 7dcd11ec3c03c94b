"""Reading environments and data sets for their pages."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from infra.pool.models import NodeEnvironment

from .models import DataSet, Environment


def environments(*, with_retired: bool) -> QuerySet[Any]:
    """Return environments, offered ones first, each with the number of `job_count` that used it."""
    return _listed(Environment.objects.defer("requirements"), Environment, with_retired)


def data_sets(*, with_retired: bool) -> QuerySet[Any]:
    """Return data sets, offered ones first, each with the number of `job_count` that used it."""
    return _listed(DataSet.objects.all(), DataSet, with_retired)


def built_on(digests: Iterable[str]) -> Mapping[str, list[NodeEnvironment]]:
    """Return where environments stand, by digest, with node and site. One query."""
    found: dict[str, list[NodeEnvironment]] = defaultdict(list)
    rows = NodeEnvironment.objects.select_related("node__site").filter(digest__in=list(digests))
    for row in rows.order_by("node__site_id", "node__name"):
        found[row.digest].append(row)
    return found


def _listed(rows: QuerySet[Any], model: Any, with_retired: bool) -> QuerySet[Any]:
    if not with_retired:
        rows = rows.filter(is_active=True)
    # Counted apart: a join over the jobs would group by every column, texts of a hundred kilobytes among them.
    counted = model.objects.filter(pk=OuterRef("pk")).annotate(n=Count("jobs")).order_by().values("n")
    return rows.annotate(job_count=Coalesce(Subquery(counted), 0)).order_by("-is_active", "slug")
