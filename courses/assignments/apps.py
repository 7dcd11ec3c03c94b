"""The app's configuration."""

from django.apps import AppConfig


class AssignmentsConfig(AppConfig):
    name = "courses.assignments"

    def ready(self) -> None:
        from courses.catalog.api import register_copier, register_entries, register_outline
        from courses.content.api import register_module_parts, register_parts
        from labs.environments.api import register_use
        from labs.jobs.api import job_settled

        from .calendar import deadline_entries
        from .copying import COPIERS
        from .module_parts import labs_finished, parts_in_module
        from .needs import labs_that_need
        from .notices import register_notices
        from .outline import course_outline
        from .reruns import count_reruns
        from .states import register_states
        from .testing.runs import on_job_settled

        register_outline(course_outline)
        for copier in COPIERS:
            register_copier(copier)
        register_module_parts(parts_in_module)
        register_parts(labs_finished)
        register_entries("assignments", deadline_entries)
        register_use(labs_that_need)
        register_states()
        register_notices()
        count_reruns()
        job_settled.connect(on_job_settled, dispatch_uid="courses.assignments.testing")
