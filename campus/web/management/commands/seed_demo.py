"""`manage.py seed_demo`: fill an empty campus with the demo; run again, it changes nothing."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from campus.web.demo.accounts import provide_accounts
from campus.web.demo.places import provide_nodes
from campus.web.demo.seeding import seed


class Command(BaseCommand):
    help = "Fill an empty campus with believable people, courses and a week of lab activity. Changes nothing twice."

    def handle(self, *args: Any, **options: Any) -> None:
        state = settings.STATE_DIR
        is_fresh = seed(lambda: provide_nodes(state))
        provide_nodes(state)
        for line in provide_accounts(state):
            self.stdout.write(line)
        if options["verbosity"] > 1:
            self.stderr.write("seeded" if is_fresh else "was seeded before")
