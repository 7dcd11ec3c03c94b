"""The app's configuration: its navigation, the notices it sends, how a request's state looks."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class QuotaConfig(AppConfig):
    name = "labs.quota"

    def ready(self) -> None:
        from campus.core.states import State, register

        from .navigation import register_items
        from .notices import register_notices

        register_items()
        register_notices()
        register(
            "quota_request",
            {
                "OPEN": State(pgettext_lazy("request state", "Open"), "action", "inbox"),
                "PASSED_UP": State(pgettext_lazy("request state", "Passed up"), "wait", "arrow-up"),
                "APPROVED": State(pgettext_lazy("request state", "Approved"), "ok", "circle-check"),
                "DECLINED": State(pgettext_lazy("request state", "Declined"), "danger", "circle-x"),
                "WITHDRAWN": State(pgettext_lazy("request state", "Withdrawn"), "neutral", "undo-2"),
            },
        )
