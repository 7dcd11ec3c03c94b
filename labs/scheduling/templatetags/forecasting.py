"""The forecast inside a page, for readers whose browser runs no scripts."""

from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString, mark_safe

from campus.core.errors import InvalidInput
from labs.scheduling.forecasts import account_for, forecast
from labs.scheduling.views import because

register = template.Library()


@register.simple_tag(takes_context=True)
def forecast_of(context: Context, wish: dict[str, Any]) -> SafeString:
    """What a job would hold and when it would start; `wish` as the forms of jobs give it to `submit`."""
    user = context["request"].user
    try:
        found = forecast(
            user=user,
            account=account_for(user, wish["account_id"]),
            gpus=wish["gpus"],
            gpu_type=wish["gpu_type"],
            wall_s=wish["wall_s"],
            preferred_campus_id=wish["preferred_campus_id"],
        )
        shown: dict[str, Any] = {"forecast": found, "because": because(found)}
    except InvalidInput as error:
        shown = {"problems": [text for texts in error.fields.values() for text in texts]}
    partial = context.template.engine.get_template("scheduling/_forecast.html")  # type: ignore[union-attr]
    return mark_safe(partial.render(context.new({**shown, "request": context["request"]})))  # noqa: S308 - escaped
