"""The app's configuration."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "courses.catalog"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from campus.core.states import State, register

        from .horizons import register_horizon
        from .navigation import register_items
        from .usage import register_groupings

        register_items()
        register_groupings()
        register_horizon()
        register("enrolment", {"ACTIVE": State(_("Enrolled"), "ok", "circle-check")})
        register(
            "mode",
            {"ONSITE": State(_("On site"), "neutral", "map-pin"), "ONLINE": State(_("Online"), "neutral", "video")},
        )
