"""Rotating the keys of encrypted fields while the command is killed (kill -9) and others write: no value is lost, the
old key goes only when nothing names it, and what is written meanwhile is read afterwards.

`safelight keys rotate` runs in a process of its own and is killed after a random time, again and again; between kills a
row is written and every value is read and found by its mark. The last run is left to end. Then everything is read once
more, and the ring must hold one key.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

from trust import Progress, Result, Size

TITLE = "Rotation of the keys, killed"
DATABASES = ("sqlite", "postgresql")
ORDER = 31
PEOPLE: dict[Size, int] = {"small": 20, "full": 4_000}
KILLS: dict[Size, int] = {"small": 1, "full": 20}


def run(size: Size) -> Result:
    """Kills on the database that Django is set up for, whose settings the environment holds."""
    from django.db import transaction

    from safelight.casework.ciphers.keys import ring
    from safelight.casework.ciphers.rows import keys_in_use

    result, chance = Result(), random.Random(31)
    with transaction.atomic():
        pairs = [_pair(n) for n in range(PEOPLE[size])]
    first = ring().newest.id
    command = [sys.executable, "-m", "safelight.cli.main", "keys", "rotate", "--settle", "0"]
    killed = middle = 0
    wrong: list[str] = []
    with Progress("kills", KILLS[size]) as step:
        for _ in range(KILLS[size]):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            begun = time.monotonic()
            while len(ring().keys) == 1 and process.poll() is None and time.monotonic() - begun < 60:
                time.sleep(0.01)  # until it has made its key: a kill before that tries nothing
            time.sleep(chance.uniform(0, 1.5))
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                killed += 1
            process.wait(60)
            middle += len(keys_in_use()) > 1
            pairs.append(_pair(len(pairs)))
            wrong += _wrong(pairs)
            step()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stdout + ended.stderr)[-400:]
        result.fail(f"The last run ended with {ended.returncode}: {said}")
    wrong += _wrong(pairs)
    result.add("killed while it ran", KILLS[size], killed)
    result.add("values read and found after every kill and at the end", len(pairs), len(pairs) - len(set(wrong)))
    held, used = [one.id for one in ring().keys], set(keys_in_use())
    result.add("one key is left, and no value names another", 1, int(len(held) == 1 and used == set(held)))
    result.add("it is not the key from before", 1, int(first not in held))
    result.measured("kills that left rows under two keys", str(middle))
    return result


def _pair(number: int) -> tuple[int, str, str]:
    """A person and an e-mail address: (key of the identifier, address, e-mail)."""
    from safelight.casework.people.models import Identifier, Person

    home, mail = f"{number} Synthetic Row", f"synthetic{number}@canary.example"
    person = Person.objects.create(family_name=f"Synthetic{number}", address=home, postcode="N1 9GU")
    return Identifier.objects.create(person=person, kind="email", value=mail).pk, home, mail


def _wrong(pairs: list[tuple[int, str, str]]) -> list[str]:
    """What is not read as it was written, or not found by its value."""
    from safelight.casework.ciphers.cipher import CipherError
    from safelight.casework.people.models import Identifier

    rows = Identifier.objects.select_related("person").in_bulk([pk for pk, _, _ in pairs])
    found = set()
    for start in range(0, len(pairs), 400):
        some = Identifier.objects.filter(kind="email", value__in=[mail for _, _, mail in pairs[start : start + 400]])
        found |= set(some.values_list("pk", flat=True))
    wrong = []
    for pk, home, mail in pairs:
        try:
            if pk not in found or (rows[pk].person.address, rows[pk].value) != (home, mail):
                wrong.append(mail)
        except CipherError:
            wrong.append(mail)
    return wrong
