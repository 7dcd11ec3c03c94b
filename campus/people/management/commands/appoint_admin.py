"""`manage.py appoint_admin EMAIL`: make a person who has an account a platform administrator."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campus.core.errors import CampusError
from campus.people.access import Role
from campus.people.models import User
from campus.people.services import grant_role, platform_scope


class Command(BaseCommand):
    help = (
        "Make a person who has an account a platform administrator. For the first one of a new campus, who has no "
        "account yet, use createsuperuser; further ones are appointed on the People pages."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the e-mail that the person signs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        user = User.objects.filter(email=email, is_active=True).first()
        if user is None:
            raise CommandError(f"nobody who may sign in has the e-mail {email}; make an account with createsuperuser")
        try:
            grant_role(user=user, role=Role.PLATFORM_ADMIN, scope=platform_scope(), actor=None)
        except CampusError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(f"{user.name} ({email}) is now a platform administrator")
