"""The app's configuration."""

from django.apps import AppConfig


class AssignmentsConfig(AppConfig):
    name = "courses.assignments"

    def ready(self) -> None:
        from courses.catalog.api import register_outline
        from courses.content.api import register_module_parts
        from labs.environments.api import register_use

        from .arranging import labs_in_module
        from .needs import labs_that_need
        from .outline import course_outline
        from .reruns import count_reruns
        from .states import register_states

        register_outline(course_outline)
        register_module_parts(labs_in_module)
        register_use(labs_that_need)
        register_states()
        count_reruns()
