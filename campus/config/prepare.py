"""Everything the demo needs before it serves, in one process: `python -m campus.config.prepare MARK`.

Catalogues, migrations, demo data. One process, because importing Django and the apps costs seconds
and each `manage.py` would pay them again. The file MARK appears when the tables are there, so that
the web process can start while the data is still being made.
"""

import os
import sys
from pathlib import Path

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.config.settings")
    django.setup()
    from django.core.management import call_command

    call_command("compile_catalogues")
    call_command("migrate", interactive=False, verbosity=1)
    Path(sys.argv[1]).touch()
    call_command("seed_demo")


if __name__ == "__main__":
    main()
