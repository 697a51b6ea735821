"""``python -m safelight.web.manage``: Django's own commands with our settings."""

from __future__ import annotations

import os
import sys

from safelight.errors import SafelightError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code (2 when a setting is wrong)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safelight.web.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(["safelight-manage", *(sys.argv[1:] if arguments is None else arguments)])
    except SafelightError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
