"""A stolen database (A7): what whoever copies it can read, and what a dictionary of a million guesses gains.

A database is written by the services as in use, with a canary in every encrypted field: names, contact details,
identifiers, addresses, references in registers, raw lines of imports, what was sent to partners. Then it is taken as a
thief would: on SQLite the file with its write-ahead log, on PostgreSQL a dump and, where they can be read, the files of
the server. The canaries are looked for in them, also in hexadecimal, base64 and UTF-16. Those in free text, which is
not encrypted, must be found: that shows that the looking works, and says what a thief reads.

The thief then takes the marks by which values are found, and tries every value that there is, and others up to a
million, with what the published code tells, but without the key. Last, an old database with plain values is migrated.

Still read by a thief: dates of birth, schools, places, titles of cases, summaries, notes and all other free text with
the names in it, accounts of staff with their e-mail addresses, senders' references, addresses of material at platforms;
which marks are equal, and so how common a common name is. Who takes the whole disk of the server, and not only the
database, has the key file, and the linking engine's store (DATA/link), which is not encrypted: the disk has to be.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from trust import Result, Size, say

TITLE = "A stolen database"
DATABASES = ("sqlite", "postgresql")
ORDER = 30
PEOPLE: dict[Size, int] = {"small": 2, "full": 200}
GUESSES: dict[Size, int] = {"small": 3_000, "full": 1_000_000}

# Stems of the canaries: encrypted ones, and those that stand in plain text.
SECRET = {
    "family name": "qzcanaryfam",
    "given names": "qzcanarygiv",
    "other name of an offender": "qzcanaryalias",
    "address": "qzcanaryaddr",
    "postcode": "qx99 9zz",
    "e-mail address": "qzcanarymail",
    "telephone number": "07700 98",
    "on-line name": "qzcanaryname",
    "profile address": "qzcanaryprof",
    "account number": "qzcanaryacct",
    "IP address": "2001:db8:5afe",
    "IP address of an upload": "2001:db8:5af0",
    "reference in the national register": "qzcanaryreg",
    "contact at a school": "qzcanarylead",
    "contact at a platform": "qzcanaryplat",
    "line of a referral that was set aside": "qzcanaryline",
    "line of a register that was not taken": "qzcanaryrow",
    "record of another system that may be linked": "qzcanarykey",
    "evidence of a possible link": "qzcanarywhy",
}
OPEN = {"summary of a report": "qzsummary", "note": "qznote",
        "school": "qzschool"}  # fmt: skip


def run(size: Size) -> Result:
    """A7 on the database that Django is set up for."""
    result = Result()
    if size == "full":
        say("an old database")
        _old_database(result)
    say("writing the database")
    planted = write(PEOPLE[size])
    with tempfile.TemporaryDirectory(prefix="safelight-trust-") as folder:
        taken = dict(loot(Path(folder)))
        search(result, taken, planted)
        result.measured("bytes that were searched", f"{sum(len(one) for one in taken.values()):,}")
    say("guessing")
    dictionary(result, planted, GUESSES[size])
    return result


def write(many: int) -> dict[str, list[str]]:
    """Write so many cases with the services. Returns what was written, by kind of canary."""
    from tests.casework.factories import make_user

    from safelight.casework.cases.services import note, open_case
    from safelight.casework.exchange.services import add_platform
    from safelight.casework.offenders.importing import import_register
    from safelight.casework.offenders.services import register
    from safelight.casework.people.models import PossibleLink
    from safelight.casework.people.services import add_identifiers, update_person
    from safelight.casework.referrals.importers.record import FileFields
    from safelight.casework.referrals.services import import_file, record_referral
    from safelight.casework.safeguarding.child_record import add_school
    from safelight.casework.safeguarding.services import add_child, answer_contact_check
    from safelight.casework.safeguarding.social_care import send_safeguarding_referral
    from safelight.casework.sharing.services import create_agency, share_referral

    desk, head = make_user("referral_desk"), make_user("supervisor")
    manager, keeper = make_user("exchange_manager"), make_user("offender_manager")
    admin = make_user("administrator")
    agency = create_agency(admin, name="Camden children's social care", kind="social_care")
    made: dict[str, list[str]] = {kind: [] for kind in SECRET}

    def value(kind: str, text: str) -> str:
        made[kind].append(text)
        return text

    for n in range(many):
        person = {
            "family_name": value("family name", f"Qzcanaryfam{letters(n)}"), "borough": "Camden",
            "given_names": value("given names", f"Qzcanarygiv {letters(n)}"),
            "address": value("address", f"{n} Qzcanaryaddr{n} Row"),
            "postcode": value("postcode", "QX99 9ZZ"),
        }  # fmt: skip
        said = [
            ("email", value("e-mail address", f"Qzcanarymail{n}@canary.example")),
            ("phone", value("telephone number", f"07700 98{n:04d}")),
            ("screen_name", value("on-line name", f"qzcanaryname_{n}")),
            ("profile", value("profile address", f"https://canary.example/qzcanaryprof{n}")),
            ("account", value("account number", f"QZCANARYACCT{n:06d}")),
            ("ip", value("IP address", f"2001:db8:5afe::{n + 1:x}")),
        ]
        file = FileFields(
            name="a.jpg", md5="0" * 32, ip_address=value("IP address of an upload", f"2001:db8:5af0::{n + 1:x}")
        )
        referral, _ = record_referral(
            desk, source="nca", source_reference=f"SYN-{n}", summary=f"Qzsummary{n}.", borough="Camden",
            suspect={**person, "identifiers": said}, files=[file],
        )  # fmt: skip
        answer_contact_check(desk, referral, lives_with="yes", sees="no", works_with="no", basis="Synthetic.")
        child = add_child(
            desk, referral=referral, lives_with=True, borough="Camden", relationship="Synthetic",
            person={
                **person, "given_names": value("given names", f"Qzcanarygiv kid {letters(n)}"), "born": date(2016, 5, 4)
            },
        )  # fmt: skip
        case = open_case(
            head, referral=referral, title=f"Operation Synthetic {n}", unit=head.unit, risk="high",
            risk_source="Synthetic", required_skill="ocsae_investigator", borough="Camden",
        )  # fmt: skip
        note(head, case, "enquiry", f"Qznote{n}.")
        child.refresh_from_db()
        add_school(
            head, child, name=f"Qzschool{n}", contact=value("contact at a school", f"Qzcanarylead{n}, 020 7946 0000")
        )
        sent = send_safeguarding_referral(
            head, case, children=[child], authority="Camden", recipient="Duty desk", concern="Synthetic."
        )
        share_referral(head, sent, agency=agency, basis="section_47")
        suspect = referral.people.get(role="suspect").person
        update_person(head, suspect, address=value("address", f"{n} Qzcanaryaddr{n} Lane"))
        add_identifiers(head, suspect, [("email", value("e-mail address", f"qzcanarymail.second{n}@canary.example"))])
        register(
            keeper, person={
                **person, "family_name": value("family name", f"Qzcanaryfam{letters(n)}off"), "born": date(1980, 1, 1)
            },
            aliases=[value("other name of an offender", f"Qzcanaryalias {letters(n)}")],
            unit=keeper.unit, relevant_date=date(2026, 11, 1), until=None,
            register_reference=value("reference in the national register", f"QZCANARYREG{n:05d}"),
        )  # fmt: skip
        PossibleLink.objects.create(
            person=suspect, source="visor", key=value("record of another system that may be linked", f"QZCANARYKEY{n}"),
            found_at=referral.recorded_at, model="1",
            evidence={"reasons": [value("evidence of a possible link", f"qzcanarywhy{n}")]},
        )  # fmt: skip
        add_platform(
            manager, name=f"Synthetic platform {n}", contact=value("contact at a platform", f"Qzcanaryplat {n}"),
            contact_email=f"qzcanaryplat{n}@canary.example", agreement="Synthetic.", per_minute=1, per_day=10,
        )  # fmt: skip
    line = value("line of a referral that was set aside", "qzcanaryline")
    import_file(desk, name="a.json", content=f'{{"referrals": [{{"source": "nca", "summary": "{line}"}}]}}'.encode())
    row = value("line of a register that was not taken", "qzcanaryrow")
    import_register(keeper, name="a.csv", content=f"family_name,given_names,relevant_date,risk\n{row},x,,\n".encode())
    return made


def letters(number: int) -> str:
    """A number in letters: names with digits are not learned as names."""
    return "".join("abcdefghij"[int(sign)] for sign in str(number))


def loot(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What a thief takes: names and contents."""
    from django.db import connection

    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        for end in ("", "-wal"):
            path = Path(f"{settings['NAME']}{end}")
            if path.exists():
                yield path.name, path.read_bytes()
        return
    program = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"), reverse=True)), Path("pg_dump"))
    target = folder / "dump.sql"
    where = ["-h", str(settings["HOST"]), "-p", str(settings["PORT"]), "-U", str(settings["USER"])]
    subprocess.run(
        [str(program), *where, "-f", str(target), str(settings["NAME"])], check=True,
        env={**os.environ, "PGPASSWORD": str(settings["PASSWORD"])},
    )  # fmt: skip
    yield "pg_dump", target.read_bytes()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SHOW data_directory")
        place = Path(cursor.fetchone()[0])
    for path in sorted([*place.glob("base/*/*"), *place.glob("pg_wal/*"), *place.glob("pg_log/*")]):
        if path.is_file() and os.access(path, os.R_OK):
            yield str(path.relative_to(place)), path.read_bytes()


def forms(stem: str) -> list[bytes]:
    """A stem as it may stand in a file: lower case."""
    plain = {stem, stem.replace(" ", ""), stem.replace(":", "")}
    found = [one.encode() for one in plain] + [one.encode("utf-16-le") for one in plain]
    return found + [one.encode().hex().encode() for text in plain for one in (text, text.capitalize(), text.upper())]


def coded(stem: str) -> list[bytes]:
    """A stem inside base64, which has cases, at each of its three places; its first letter large or small."""
    made = []
    for text in (stem, stem.capitalize(), stem.upper()):
        for ahead in range(3):
            whole = base64.b64encode(b"\0" * ahead + text.encode())
            made.append(whole[-(-ahead * 4 // 3) : len(whole) - 4][:])
    return [one for one in made if len(one) >= 8]


def search(result: Result, taken: dict[str, bytes], planted: dict[str, list[str]]) -> None:
    """Look for every stem in what was taken: none of the encrypted, all of the plain."""
    places: dict[str, Counter[str]] = {}
    for name, data in taken.items():
        small = data.lower()
        for kind, stem in (SECRET | OPEN).items():
            hits = sum(small.count(one) for one in forms(stem)) + sum(data.count(one) for one in coded(stem))
            if hits:
                places.setdefault(kind, Counter())[name] += hits
    for kind in SECRET:
        many, found = len(planted[kind]), places.get(kind)
        where = f"found in {', '.join(found)}" if found else "nowhere"
        result.add(f"{kind}: encrypted", many, 0 if found else many, where)
    for kind in OPEN:
        hits = sum(places.get(kind, Counter()).values())
        result.add(f"{kind}: NOT encrypted, and a thief reads it", 1, 1 if hits else 0, f"found {hits:,} times")


def dictionary(result: Result, planted: dict[str, list[str]], many: int) -> None:
    """Try values and their words against the marks, without the key; and with it, to see that it would work."""
    from safelight.casework.ciphers.cipher import TOKEN
    from safelight.casework.ciphers.fields import ExactIndex, WordIndex, beside
    from safelight.casework.ciphers.keys import ring
    from safelight.casework.ciphers.ring import FORMAT, Key
    from safelight.casework.ciphers.rows import models

    marks: set[str] = set()
    columns: list[tuple[Any, Any]] = []
    for model in models():
        for field in beside(model):
            columns.append((model, field))
            for (held,) in model._default_manager.values_list(field.attname).iterator():
                marks.update(held.split())
    values = [one for some in planted.values() for one in some]
    words = {word for one in values for word in re.split(r"\W+|_", one.lower()) if word}
    guesses = [*values, *(one.casefold() for one in values), *words, *(f"={word}" for word in words)]
    guesses += [f"07700 {n:06d}" for n in range(max(many - len(guesses), 0))]

    def tries(key: Key, some: list[str]) -> int:
        """How many marks are hit with this key; every guess in every column."""
        from safelight.casework.ciphers import cipher

        hit = set()
        for model, field in columns:
            table = model._meta.db_table
            if isinstance(field, ExactIndex):
                hit |= marks & {cipher.mark(key, table, field.column, one) for one in some}
            elif isinstance(field, WordIndex):
                hit |= marks & {cipher.token(key, table, field.column, one) for one in some}
        return len(hit)

    blank = [Key("0" * 8, "", secret) for secret in (bytes(32), sha256(FORMAT.encode()).digest())]
    found = sum(tries(key, guesses) for key in blank)
    for secret in (b"", bytes(32), FORMAT.encode()):
        digests = (hmac.digest(secret, one.encode(), sha256) for one in guesses)
        found += sum(base64.urlsafe_b64encode(one[:16]).decode().rstrip("=") in marks for one in digests)
    for one in guesses:
        plain = sha256(one.encode())
        found += plain.hexdigest()[:22] in marks or base64.urlsafe_b64encode(plain.digest()[:16]).decode()[:22] in marks
    result.add(
        "values guessed without the key that matched a mark",
        len(guesses),
        len(guesses) - found,
        f"{found} of {len(marks):,} marks",
    )
    known = len({*values}) + len(words)
    hits = tries(ring().newest, guesses[: 2 * len(values) + 2 * len(words)])
    result.add(
        "the same with the key: the attack itself works", 1, 1 if hits >= known // 2 else 0, f"{hits:,} marks hit"
    )
    result.measured("marks and tokens in the database", f"{len(marks):,}")
    result.measured("length of a token", f"{TOKEN} letters (47 bits); of a mark 128 bits")


BEFORE = {"people": "0001_initial", "referrals": "0002_tables", "offenders": "0001_initial"}


def _old_database(result: Result) -> None:
    """Plain rows of the version before, migrated and swept as docs/operations.md says: nothing of them is left."""
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.db.migrations.executor import MigrationExecutor

    from safelight.casework.ciphers.rows import sweep_plain
    from safelight.casework.people.models import Identifier, Person
    from safelight.casework.search.models import NameTerm
    from safelight.casework.search.triggers import remove

    remove()
    executor = MigrationExecutor(connection)
    targets = list(BEFORE.items())
    state = executor.migrate(targets)
    old = state.apps
    many = 2_000
    with transaction.atomic():
        for n in range(many):
            person = old.get_model("people", "Person").objects.create(
                family_name=f"Qzoldname{letters(n)}", address=f"{n} Qzold Row", postcode="QZ1 1AA"
            )
            old.get_model("people", "Identifier").objects.create(
                person=person, kind="email", value=f"qzoldmail{n}@canary.example"
            )
    call_command("migrate", verbosity=0)
    sweep_plain()
    right = sum(
        (row.value, row.person.address, row.person.family_name)
        == (f"qzoldmail{n}@canary.example", f"{n} Qzold Row", f"Qzoldname{letters(n)}")
        for n, row in enumerate(Identifier.objects.select_related("person").order_by("pk"))
    )
    result.add("rows of an old database, read after the migration", many, right)
    with tempfile.TemporaryDirectory(prefix="safelight-trust-") as folder:
        data = {name: one.lower() for name, one in loot(Path(folder)) if not name.startswith("pg_wal")}
    left = [name for name, one in data.items() if b"qzold" in one]
    named = "plain values of an old database that are left after the sweep"
    result.add(named, many, 0 if left else many, ", ".join(left) or "none")
    NameTerm.objects.all().delete()
    Identifier.objects.all().delete()
    Person.objects.all().delete()
