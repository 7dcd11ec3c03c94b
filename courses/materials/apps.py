"""The app's configuration."""

from django.apps import AppConfig


class MaterialsConfig(AppConfig):
    name = "courses.materials"

    def ready(self) -> None:
        from courses.catalog.api import register_copier, register_outline_part
        from courses.content.api import register_module_parts, register_parts

        from .copying import COPIER
        from .module_parts import materials_finished, parts_in_module
        from .outline import add_materials

        register_copier(COPIER)
        register_outline_part(add_materials)
        register_module_parts(parts_in_module)
        register_parts(materials_finished)
