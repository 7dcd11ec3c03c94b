"""The forecast inside a page, for readers whose browser runs no scripts."""

from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString, mark_safe

from campus.core.errors import InvalidInput
from labs.jobs.sweep_forms import SweepForm
from labs.scheduling.forecasts import account_for
from labs.scheduling.views import job_context, sweep_context

register = template.Library()


@register.simple_tag(takes_context=True)
def forecast_of(context: Context, wish: dict[str, Any], sweep: SweepForm | None = None) -> SafeString:
    """What a job, or with `sweep` a sweep, would hold and when it would start; `wish` as the forms of jobs give it."""
    user = context["request"].user
    wishes = {
        "account": account_for(user, wish["account_id"]),
        "gpus": wish["gpus"],
        "gpu_milli": wish["gpu_milli"],
        "gpu_memory_mib": wish["gpu_memory_mib"],
        "gpu_type": wish["gpu_type"],
        "wall_s": wish["wall_s"],
        "preferred_campus_id": wish["preferred_campus_id"],
    }
    name = "scheduling/_forecast.html"
    try:
        if sweep is not None and sweep.is_filled:
            name, shown = "scheduling/_sweep_forecast.html", sweep_context(user, wishes, sweep)
        else:
            shown = job_context(user, wishes)
    except InvalidInput as error:
        name, shown = (
            "scheduling/_forecast.html",
            {"problems": [text for texts in error.fields.values() for text in texts]},
        )
    partial = context.template.engine.get_template(name)  # type: ignore[union-attr]
    return mark_safe(partial.render(context.new({**shown, "request": context["request"]})))  # noqa: S308 - escaped
