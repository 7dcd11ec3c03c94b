"""`manage.py compile_catalogues`: compile the catalogues that changed."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from campus.core.catalogues import compile_catalogues


class Command(BaseCommand):
    help = "Compile every message catalogue of the project that is newer than its compiled form."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = compile_catalogues(settings.BASE_DIR)
        except OSError as error:
            raise CommandError(f"a catalogue does not parse: {error}") from error
        for path in written:
            self.stdout.write(str(path.relative_to(settings.BASE_DIR)))
