"""`manage.py demo_accounts`: print the demo's accounts, a line each as `account ROLE EMAIL PASSWORD`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from campus.web.demo.accounts import provide_accounts


class Command(BaseCommand):
    help = "Print the demo's accounts: account ROLE EMAIL PASSWORD."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in provide_accounts(settings.STATE_DIR):
            self.stdout.write(line)
