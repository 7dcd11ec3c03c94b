"""`rebuild_ledger [--repair]`: prove that balances equal the ledger, and repair them when asked."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction

from labs.quota.services import rebuild


class Command(BaseCommand):
    help = "Compare every GPU balance and day of use with the ledger. Exit status 1 when they differ and stay so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="write what the ledger says into the balances")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        try:
            with transaction.atomic():
                differences = rebuild(repair=repair)
        except IntegrityError as error:
            raise CommandError(f"nothing was repaired: the ledger itself breaks a rule of balances: {error}") from error
        for d in differences:
            self.stdout.write(f"account {d.account_id} {d.name}: kept {d.kept}, ledger {d.ledger}")
        if differences and not repair:
            raise CommandError(f"{len(differences)} figures differ from the ledger; run again with --repair")
        self.stdout.write(f"{len(differences)} figures repaired" if differences else "balances equal the ledger")
