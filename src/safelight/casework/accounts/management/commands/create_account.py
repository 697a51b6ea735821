"""Make an account from the command line: the way to the first administrator."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from safelight.casework.accounts.services import create_user
from safelight.casework.workforce.models import Unit
from safelight.casework.workforce.services import load_units
from safelight.errors import SafelightError


class Command(BaseCommand):
    help = "Make an account. The password is asked for, or read from standard input when that is not a terminal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="The person's name.")
        parser.add_argument("--role", required=True, help="A role of the standards, such as administrator.")
        parser.add_argument("--unit", default="", help="The code of the unit, such as CN.")

    def handle(self, *args: Any, **options: Any) -> None:
        load_units(None)
        unit = Unit.objects.filter(code=options["unit"]).first() if options["unit"] else None
        if options["unit"] and unit is None:
            raise CommandError(f"There is no unit {options['unit']!r}. See `safelight standards --table units`.")
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            validate_password(password)
            user = create_user(
                None,
                username=options["username"],
                name=options["name"],
                role=options["role"],
                unit=unit,
                password=password,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except SafelightError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{user.username} may now sign in as {user.role}.")
