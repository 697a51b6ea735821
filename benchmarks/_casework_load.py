"""A large synthetic force for benchmarks/casework.py, written straight into the real schema.

COPY on PostgreSQL (with foreign keys and triggers off for the session: the rows are right by construction), one
transaction of executemany on SQLite. A column that a model gains later takes its default here too.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone

from safelight.casework.ciphers import words as sealed_words
from safelight.casework.ciphers.fields import written
from safelight.casework.ciphers.keys import ring

YEARS = 5
INVESTIGATORS, SUPERVISORS = 40, 4
SKILL = "ocsae_investigator"
RISKS = ("very_high", "high", "medium", "low")
SYLLABLES = """an ber cal dor el fen gar hol ix jun kel lam mor nev or pel quin ros sam tor ul ven wil yar
zed""".split()  # noqa: SIM905
GIVEN = """Alba Bram Cleo Dara Enzo Faye Gwen Hugo Ines Jory Kofi Lena Milo Nadia Otis Petra Rhys Sana Theo
Uma""".split()  # noqa: SIM905
ORDINARY = """account address advised agreed arrived asked attempt began called chat check confirmed contact copied
device enquiry explained family file follow given home image interview laptop left letter list message mother moved note
number officer online parent phone plan police record reply report requested returned school search sent server service
signed statement street team telephone told upload visited warrant week work wrote""".split()  # noqa: SIM905


def words(rng: random.Random) -> tuple[list[str], list[str], list[str]]:
    """(family names, the commonest first; rarer words for notes; whole texts)."""
    families = sorted({"".join(rng.choices(SYLLABLES, k=rng.choice((2, 3, 3)))).capitalize() for _ in range(9_000)})
    rng.shuffle(families)
    rare = ["".join(rng.choices(SYLLABLES, k=4)) for _ in range(5_000)]
    texts = [
        " ".join([*rng.choices(ORDINARY, k=24), *rng.choices(rare, k=2)]).capitalize() + "." for _ in range(20_000)
    ]
    return families, rare, texts


class Table:
    """Rows for one model: the columns named in ``given`` vary, all others have the model's default."""

    def __init__(self, model: Any, given: str) -> None:
        fields = {field.attname: field for field in model._meta.local_concrete_fields}
        self.given = given.split()
        missing = set(self.given) - set(fields)
        if missing:
            raise SystemExit(f"{model.__name__} has no column {', '.join(sorted(missing))}: mend _casework_load.py.")
        self.model = model
        rest = [name for name, f in fields.items() if name not in self.given and not f.generated and not f.primary_key]
        self.columns = [fields[name].column for name in (*self.given, *rest)]
        self.rest = tuple(_default(fields[name]) for name in rest)

    def write(self, rows: Iterable[tuple[Any, ...]]) -> int:
        names = ", ".join(f'"{column}"' for column in self.columns)
        table, count = self.model._meta.db_table, 0
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row + self.rest)
                    count += 1
            return count
        marks = ", ".join("?" * len(self.columns))
        made = [row + self.rest for row in rows]
        connection.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", made)
        return len(made)


class Encrypted:
    """The columns of a model's encrypted fields, and those beside them."""

    def __init__(self, model: Any, fields: str) -> None:
        self.model, self.fields = model, fields.split()
        self.names = list(written(model, **dict.fromkeys(self.fields, "")))
        self.columns = " ".join(self.names)

    def row(self, *values: str) -> tuple[Any, ...]:
        made = written(self.model, **dict(zip(self.fields, values, strict=True)))
        made["sealed_as"] = made["sealed_as"].hex
        return tuple(made[name] for name in self.names)


def _default(field: Any) -> Any:
    if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
        return moment(timezone.now())
    value = field.get_default()
    if isinstance(value, dict | list):
        return json.dumps(value)
    if value is None and not field.null and not field.primary_key:
        raise SystemExit(f"{field} needs a value: give it one in _casework_load.py.")
    return value


def moment(value: datetime | None) -> str | None:
    """A time as both databases keep it."""
    if value is None:
        return None
    plain = value.astimezone(UTC)
    return plain.isoformat() if connection.vendor == "postgresql" else plain.replace(tzinfo=None).isoformat(sep=" ")


def batches(total: int, size: int = 50_000) -> Iterator[range]:
    for start in range(1, total + 1, size):
        yield range(start, min(start + size, total + 1))


def people(units: list[Any]) -> dict[str, list[Any]]:
    """The force: for each unit its investigators and supervisors; a desk and examiners."""
    from safelight.casework.accounts.models import User
    from safelight.casework.workforce.models import Accreditation

    unusable, made = make_password(None), []
    for unit in units:
        for role, many in (("investigator", INVESTIGATORS), ("supervisor", SUPERVISORS)):
            made += [(role, unit, n) for n in range(many)]
    made += [(role, None, n) for role in ("referral_desk", "examiner", "administrator") for n in range(10)]
    User.objects.bulk_create(
        User(
            username=f"{role}-{unit.code if unit else 'all'}-{n}", name=f"Synthetic {role} {n}", role=role, unit=unit,
            password=unusable, email=f"{role}-{n}@force.example",
        )
        for role, unit, n in made
    )  # fmt: skip
    found: dict[str, list[Any]] = {}
    for user in User.objects.select_related("unit").order_by("pk"):
        found.setdefault(user.role, []).append(user)
    Accreditation.objects.bulk_create(
        Accreditation(user=user, skill=SKILL, valid_from=timezone.localdate() - timedelta(days=400))
        for user in found["investigator"]
    )
    return found


def load(total: int, tell: Callable[[str], None], seed: int = 7) -> dict[str, int]:
    """Write ``total`` cases with all that belongs to them. Returns the rows of each table."""
    from safelight.casework.workforce.services import load_units

    rng = random.Random(seed)
    # The same names again and again: the tokens of each are worked out once.
    sealed_words.token = lru_cache(maxsize=1_000_000)(sealed_words.token)
    ring()  # made now: it asks the database whether anything is encrypted, which cannot be asked while rows are copied
    with transaction.atomic():
        units = load_units(None)
        users = people(units)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET synchronous_commit = off")
    force = Force(rng, units, users, total)
    counts: dict[str, int] = {}
    for name in Force.TABLES:
        for keys in batches(total):
            with transaction.atomic():
                counts[name] = counts.get(name, 0) + getattr(force, name)(keys)
        tell(f"{name}: {counts[name]:,} rows")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = origin")
            for table in force.tables.values():
                name = table.model._meta.db_table
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), COALESCE((SELECT max(id) FROM {name}), 1))"
                )
            cursor.execute("VACUUM ANALYZE")
    return counts


class Force:
    """What case number ``n`` looks like, decided once by ``n`` alone, so that each table can be written in one go."""

    TABLES = (
        "persons", "identifiers", "cases", "access", "referrals", "parts", "checks", "children", "allocations",
        "chronology", "clocks", "devices", "runs", "ledger",
    )  # fmt: skip

    def __init__(self, rng: random.Random, units: list[Any], users: dict[str, list[Any]], total: int) -> None:
        self.rng, self.units, self.total = rng, units, total
        self.families, self.rare, self.texts = words(rng)
        self.desk = users["referral_desk"][0].pk
        self.officers = {
            unit.pk: [user.pk for user in users["investigator"] if user.unit_id == unit.pk] for unit in units
        }
        self.heads = {unit.pk: [user.pk for user in users["supervisor"] if user.unit_id == unit.pk] for unit in units}
        now = timezone.now()
        self.now, self.start = now, now - timedelta(days=365 * YEARS)
        self.span = (now - self.start).total_seconds() - 7200
        # A case of last week is open, one of three years ago seldom.
        self.weights = [rng.random() for _ in range(10_007)]
        self.tables: dict[str, Table] = {}

    def table(self, model: Any, given: str) -> Table:
        return self.tables.setdefault(model._meta.label, Table(model, given))

    def unit(self, n: int) -> Any:
        return self.units[n * 7919 % 104729 % len(self.units)]

    def officer(self, n: int) -> int:
        mine = self.officers[self.unit(n).pk]
        return mine[n * 31 % len(mine)]

    def head(self, n: int) -> int:
        mine = self.heads[self.unit(n).pk]
        return mine[n % len(mine)]

    def at(self, n: int, hours: float = 0.0) -> datetime:
        """When case ``n`` arrived, and so many hours later (never after now)."""
        return min(self.start + timedelta(seconds=self.span * n / self.total + 3600 * hours), self.now)

    def open(self, n: int) -> bool:
        return self.weights[n % 10_007] < (0.8 if n > self.total * 0.97 else 0.002)

    def unsettled(self, n: int) -> bool:
        """Whether an answer about children is not known yet: no case is closed over that."""
        return n % 20 == 0 and self.open(n)

    def child(self, n: int) -> bool:
        return n % 5 < 3

    def restricted(self, n: int) -> bool:
        return n % 211 == 0

    def family(self, n: int) -> str:
        """By Zipf: the first name belongs to about one person in a hundred."""
        place = int(len(self.families) ** self.weights[n * 13 % 10_007]) - 1
        return self.families[place]

    def persons(self, keys: range) -> int:
        from safelight.casework.people.models import Person

        sealed = Encrypted(Person, "family_name given_names address postcode")
        table = self.table(Person, f"id born born_precision sex borough {sealed.columns}")

        def one(key: int, n: int, family: str, year: int) -> tuple[Any, ...]:
            given = f"{GIVEN[key % 20]} {GIVEN[key * 7 % 19]}"
            home = f"{n % 180 + 1} {self.families[n % 900]} Street"
            code = f"{'EWNS'[n % 4]}{n % 20 + 1} {n % 9 + 1}{'ABDEFGHJ'[n % 8]}{'LNPQRSTU'[n // 8 % 8]}"
            borough = self.unit(n).boroughs[0] if self.unit(n).boroughs else ""
            born = f"{year}-{n % 12 + 1:02d}-{n % 28 + 1:02d}"
            sex = "male" if key % 2 else "female"
            return (key, born, "day", sex, borough, *sealed.row(family, given, home, code))

        def rows() -> Iterator[tuple[Any, ...]]:
            for n in keys:
                yield one(2 * n - 1, n, self.family(n), 1955 + n % 50)
                if self.child(n):
                    yield one(2 * n, n, self.family(n), 2010 + n % 14)

        return table.write(rows())

    def identifiers(self, keys: range) -> int:
        from safelight.casework.people.models import Identifier

        sealed = Encrypted(Identifier, "value")
        table = self.table(Identifier, f"person_id kind {sealed.columns}")
        rows: list[tuple[Any, ...]] = []
        for n in keys:
            name = f"{self.families[n % 3000].lower()}_{n % 9973}"
            rows.append((2 * n - 1, "screen_name", *sealed.row(name)))
            rows.append((2 * n - 1, "phone", *sealed.row(f"07700 {n % 1_000_000:06d}")))
        return table.write(rows)

    def cases(self, keys: range) -> int:
        from safelight.casework.cases.models import Case

        table = self.table(
            Case,
            "id title status risk unit_id borough required_skill live_contact restricted opened_at opened_by_id "
            "last_action_at closed_at closed_by_id outcome",
        )

        def rows() -> Iterator[tuple[Any, ...]]:
            for n in keys:
                unit, live = self.unit(n), self.open(n)
                end = None if live else moment(self.at(n, 24 * 90))
                yield (
                    n, f"Operation {self.rare[n % 5000].capitalize()} {n}", "open" if live else "closed",
                    RISKS[n % 97 % 4], unit.pk, unit.boroughs[0] if unit.boroughs else "", SKILL,
                    live and n % 400 == 0, self.restricted(n), moment(self.at(n, 1)), self.head(n),
                    moment(self.at(n, 24 * (n % 60))) if live else end, end, None if live else self.head(n),
                    "" if live else "charged",
                )  # fmt: skip

        return table.write(rows())

    def access(self, keys: range) -> int:
        from safelight.casework.cases.models import CaseAccess

        table = self.table(CaseAccess, "case_id user_id granted_by_id granted_at reason")
        return table.write(
            (n, self.head(n), self.head(n), moment(self.at(n, 1)), "Synthetic.") for n in keys if self.restricted(n)
        )

    def referrals(self, keys: range) -> int:
        from safelight.casework.referrals.models import Referral

        table = self.table(
            Referral,
            "id source source_reference received_at recorded_at recorded_by_id summary unit_id state case_id platform",
        )
        return table.write(
            (
                n, "nca", f"SYN-{n:07d}", moment(self.at(n)), moment(self.at(n)), self.desk, self.texts[n % 20_000],
                self.unit(n).pk, "case", n, "Example Messenger",
            )
            for n in keys
        )  # fmt: skip

    def parts(self, keys: range) -> int:
        from safelight.casework.cases.models import CasePerson
        from safelight.casework.referrals.models import ReferralPerson

        one = self.table(CasePerson, "case_id person_id role added_at")
        two = self.table(ReferralPerson, "referral_id person_id role")
        made = one.write((n, 2 * n - 1, "suspect", moment(self.at(n, 1))) for n in keys)
        return made + two.write((n, 2 * n - 1, "suspect") for n in keys)

    def checks(self, keys: range) -> int:
        from safelight.casework.safeguarding.models import ContactCheck

        table = self.table(
            ContactCheck, "referral_id lives_with sees works_with basis answered_by_id answered_at unsettled"
        )
        return table.write(
            (
                n, "yes" if self.child(n) else "no", "not_known" if self.unsettled(n) else "no", "no", "Synthetic.",
                self.desk, moment(self.at(n, 0.5)), self.unsettled(n),
            )
            for n in keys
        )  # fmt: skip

    def children(self, keys: range) -> int:
        from safelight.casework.safeguarding.models import ChildAtRisk

        table = self.table(
            ChildAtRisk, "id person_id referral_id case_id lives_with borough identified_at recorded_at recorded_by_id"
        )
        return table.write(
            (n, 2 * n, n, n, True, "Camden", moment(self.at(n, 0.5)), moment(self.at(n, 0.5)), self.desk)
            for n in keys
            if self.child(n)
        )

    def allocations(self, keys: range) -> int:
        from safelight.casework.allocation.models import Allocation

        table = self.table(
            Allocation, "case_id investigator_id allocated_by_id reason points started_at ended_at end_reason"
        )
        rows = []
        for n in keys:
            if self.open(n) and n % 40 == 3:
                continue  # nobody has it
            end = None if self.open(n) else moment(self.at(n, 24 * 90))
            rows.append(
                (n, self.officer(n), self.head(n), "Synthetic.", 4, moment(self.at(n, 2)), end, "closed" if end else "")
            )
        return table.write(rows)

    def chronology(self, keys: range) -> int:
        from safelight.casework.cases.models import ChronologyEntry

        table = self.table(ChronologyEntry, "case_id at recorded_at kind meaningful text actor_id")

        def rows() -> Iterator[tuple[Any, ...]]:
            for n in keys:
                for place, (kind, hours) in enumerate((("case_opened", 1), ("enquiry", 50), ("note", 300))):
                    at = moment(self.at(n, hours))
                    yield (n, at, at, kind, kind != "note", self.texts[(n * 3 + place) % 20_000], self.officer(n))

        return table.write(rows())

    def clocks(self, keys: range) -> int:
        from safelight.casework.clocks.models import Clock

        table = self.table(
            Clock,
            "rule risk subject_type subject_id subject_label case_id referral_id unit_id owner_role owner_id "
            "triggered_at due_at duration standards_version stopped_at alerted_at base_due_at next_step_at",
        )

        def clock(n: int, rule: str, kind: str, hours: float, owner: int) -> tuple[Any, ...]:
            due = self.start + timedelta(seconds=self.span * n / self.total + 3600 * (1 + hours))
            live = self.open(n)
            told = due if live and due < self.now else None
            end = None if live else min(due, self.now)
            return (
                rule, RISKS[n % 97 % 4], kind, n, f"{'K' if kind.startswith('safe') else 'C'}-{n:06d}", n, n,
                self.unit(n).pk, "investigator", owner, moment(self.at(n, 1)), moment(max(due, self.at(n, 1))),
                f"PT{hours}H", "synthetic", moment(max(end, self.at(n, 1))) if end else None, moment(told),
                moment(max(due, self.at(n, 1))), moment(None if told or end else max(due, self.at(n, 1))),
            )  # fmt: skip

        def rows() -> Iterator[tuple[Any, ...]]:
            for n in keys:
                yield clock(n, "supervisor_review", "cases.case", 24 * 28, self.head(n))
                if self.child(n):
                    yield clock(n, "police_referral_to_csc", "safeguarding.childatrisk", 24, self.officer(n))

        return table.write(rows())

    def devices(self, keys: range) -> int:
        from safelight.casework.devices.models import Device

        table = self.table(
            Device,
            "id case_id exhibit kind description seized_at seized_from seized_by booked_in_at booked_in_by_id "
            "decision decided_by_id decided_at",
        )
        return table.write(
            (
                n, n, f"SYN/{n}", "phone", f"Synthetic {self.rare[n % 5000]} phone", moment(self.at(n, 20)),
                "Example address", "PC Example", moment(self.at(n, 22)), self.head(n), "triage", self.head(n),
                moment(self.at(n, 22)),
            )
            for n in keys
            if n % 10 < 7
        )  # fmt: skip

    def runs(self, keys: range) -> int:
        from safelight.casework.devices.models import EvidenceImage, Finding, TriageRun
        from safelight.casework.hashsets.models import HashSetRecord

        known = self.known(HashSetRecord)
        image = self.table(EvidenceImage, "id device_id path imaged_at registered_by_id registered_at")
        run = self.table(TriageRun, "id device_id image_id state queued_at queued_by_id finished_at verdict")
        finding = self.table(Finding, "run_id kind algorithm category hash_set_id path size md5 sha1 sha256")
        mine = [n for n in keys if n % 10 < 7 and n % 3 == 0]
        made = image.write(
            (n, n, f"synthetic-{n}.dd", moment(self.at(n, 30)), self.head(n), moment(self.at(n, 30))) for n in mine
        )
        made += run.write(
            (n, n, n, "finished", moment(self.at(n, 31)), self.head(n), moment(self.at(n, 32)), "Synthetic.")
            for n in mine
        )
        return made + finding.write(
            (n, "exact", "md5", "a", known, f"/DCIM/{n}.jpg", n, f"{n:032x}", f"{n:040x}", f"{n:064x}") for n in mine
        )

    def known(self, model: Any) -> int:
        row, _ = model.objects.get_or_create(
            name="Synthetic",
            defaults={
                "kind": "known", "version": "1", "root": "0" * 64, "folder": "x", "source": "Synthetic",
                "legal_basis": "Synthetic", "file_name": "x.csv", "file_sha256": "0" * 64, "format": "csv",
                "imported_at": self.now, "imported_by_id": self.desk, "counts": {},
            },
        )  # fmt: skip
        return int(row.pk)

    def ledger(self, keys: range) -> int:
        from uuid import UUID

        from safelight.casework.ledger.models import LedgerEntry
        from safelight.casework.ledger.services import canonical
        from safelight.tlog.merkle import leaf_hash

        given = (
            "uid at actor_id actor_name actor_role category verb subject_type subject_id subject_label case_key digest"
        )
        table, names = self.table(LedgerEntry, given), given.split()[:-1]

        def rows() -> Iterator[tuple[Any, ...]]:
            for n in keys:
                at, reference = self.at(n, 1), f"C-{n:06d}"
                values = (
                    UUID(int=n), at, self.head(n), "Synthetic supervisor", "supervisor", "collection", "case.opened",
                    "cases.case", str(n), reference, n,
                )  # fmt: skip
                entry = LedgerEntry(**dict(zip(names, values, strict=True)))
                digest = leaf_hash(canonical(entry)).hex()
                uid = str(values[0]) if connection.vendor == "postgresql" else UUID(int=n).hex
                yield (uid, moment(at), *values[2:], digest)

        return table.write(rows())
