"""An existing register, taken over from a table line by line: every line ends as added, already held or refused, with
its reason; what was refused keeps its text. And the way out: a list that no spreadsheet runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid
from safelight.casework.base.rights import need
from safelight.casework.base.tables import table_of
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.offenders import services
from safelight.casework.offenders.keeping import kept_once
from safelight.casework.offenders.models import Offender, RegisterImport, RegisterLine
from safelight.casework.offenders.notifying import record_notification
from safelight.casework.offenders.visiting import record_visit
from safelight.casework.people.values import one_line
from safelight.casework.referrals.importers.record import clean_raw
from safelight.cells import safe_cell
from safelight.errors import CaseworkError
from safelight.standards.working_calendar import start_of_day

MOST_BYTES = 5 * 1024 * 1024
MOST_LINES = 2_000
NEEDED = ("family_name", "given_names", "relevant_date")
COLUMNS = (
    *NEEDED, "born", "register_reference", "until", "aliases", "address", "postcode", "borough", "manager", "risk",
    "risk_source", "risk_on", "visit_every", "visit_unit", "plan", "last_visit", "last_notified", "home",
    "mappa_category", "latitude", "longitude", "email", "phone", "screen_name",
)  # fmt: skip
OUT = (
    "reference", "register_reference", "family_name", "given_names", "born", "unit", "manager", "risk", "management",
    "visit_every", "visit_unit", "last_seen", "failed_since_seen", "visit_due_by_attempt", "visit_due_by_success",
    "notification_due", "away", "mappa_category", "mappa_level", "relevant_date", "until",
)  # fmt: skip
Outcome = RegisterLine.Outcome


@transaction.atomic
def import_register(actor: Any, *, name: str, content: bytes) -> RegisterImport:
    """Take over a register from CSV, XLSX or ODS with a header (columns :data:`COLUMNS`; needed are :data:`NEEDED`).

    Each line is taken whole or not at all. The same reference, or the same name and date of birth, is one entry.

    Raises:
        NotAllowed: the role may not.
        Invalid: the file is empty, too large, no UTF-8, or has not the columns; nothing is written.
    """
    need(actor, "offenders.import", what="Your role may not import a register.")
    if len(content) > MOST_BYTES:
        raise Invalid(f"The file has more than {MOST_BYTES:,} bytes.", fix="Split it.", field="file")
    try:
        text = table_of(name or "The file", content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text.", fix="Save it as CSV UTF-8.", field="file") from error
    rows = list(_rows(text))
    batch = RegisterImport.objects.create(
        file_name=one_line(clean_raw(name)[-255:], longest=255, field="file", what="The name") or "file",
        sha256=sha256(content).hexdigest(), imported_at=timezone.now(), imported_by=actor,
    )  # fmt: skip
    lines = [_take(actor, batch, number, row, raw) for number, row, raw in rows]
    RegisterLine.objects.bulk_create(lines, batch_size=500)
    counts = {str(outcome): sum(line.outcome == outcome for line in lines) for outcome in Outcome}
    record(actor, "offender.imported", batch, category=Category.COLLECTION, payload={"sha256": batch.sha256, **counts})
    return batch


def _rows(text: str) -> Iterable[tuple[int, Mapping[str, str] | str, str]]:
    """(line number, values or what is wrong with the line, the line as it stood)."""
    if "\x00" in text:
        raise Invalid("The file holds NUL characters: it is no CSV.", fix="Export it again.", field="file")
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        head = [cell.strip().lower() for cell in next(reader, [])]
    except csv.Error as error:
        raise Invalid(f"The header cannot be read: {error}.", fix="Check the file.", field="file") from error
    missing = [one for one in NEEDED if one not in head]
    unknown = [one for one in head if one not in COLUMNS]
    if missing or unknown or len(set(head)) != len(head):
        wrong = f"there is no column {missing[0]!r}" if missing else f"the column {(unknown or head)[0]!r} does not fit"
        raise Invalid(f"The file does not fit: {wrong[:120]}.", fix=f"Use {', '.join(COLUMNS)}.", field="file")
    number = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            number += 1
            yield number, f"The line cannot be read: {error}.", f"after line {reader.line_num}"
            continue
        if not any(cell.strip() for cell in cells):
            continue
        number += 1
        if number > MOST_LINES:
            raise Invalid(f"The file holds more than {MOST_LINES:,} lines.", fix="Split it.", field="file")
        raw = io.StringIO()
        csv.writer(raw).writerow(cells)
        kept = clean_raw(raw.getvalue().strip())[:8_000]
        if len(cells) != len(head):
            yield number, f"The line has {len(cells)} cells, the header {len(head)}.", kept
        else:
            yield number, dict(zip(head, (cell.strip() for cell in cells), strict=True)), kept
    if not number:
        raise Invalid("The file holds no line below its header.", fix="Check the file.", field="file")


def _take(actor: Any, batch: RegisterImport, number: int, row: Mapping[str, str] | str, raw: str) -> RegisterLine:
    line = RegisterLine(batch=batch, number=number)
    reason = row if isinstance(row, str) else ""
    if not isinstance(row, str):
        held = _held(row)
        if held is not None:
            line.outcome, line.offender = Outcome.HELD, held
            line.reason = "On the register already." if held.unit_id == actor.unit_id else "Held by another unit."
            if held.unit_id != actor.unit_id:
                line.offender = None
            return line
        try:
            with transaction.atomic(), kept_once(actor):
                line.offender = _register(actor, row)
        except CaseworkError as error:
            reason = str(error)
        else:
            line.outcome = Outcome.ADDED
            return line
    line.outcome, line.reason, line.raw = Outcome.REFUSED, reason[:500], raw or "(empty)"
    return line


def _held(row: Mapping[str, str]) -> Offender | None:
    try:
        reference = services.normal_reference(row.get("register_reference", ""))
        if reference:
            return Offender.objects.filter(register_reference=reference).first()
        born = _day(row, "born")
    except CaseworkError:
        return None
    if born is None:
        return None
    same = Offender.objects.filter(person__born=born, person__born_precision="day")
    names = {"person__family_name__iexact": row["family_name"], "person__given_names__iexact": row["given_names"]}
    return same.filter(**names).first()


def _register(actor: Any, row: Mapping[str, str]) -> Offender:
    """One line as an entry with its risk, plan, last visit and last notification."""
    relevant = _day(row, "relevant_date")
    if relevant is None:
        raise Invalid("relevant_date is missing.", fix="Write it as 2026-11-03.")
    last = _day(row, "last_notified")
    manager = None
    if row.get("manager"):
        people = User.objects.filter(username=row["manager"].lower(), role="offender_manager", unit=actor.unit)
        manager = people.first()
        if manager is None:
            raise Invalid(
                f"There is no offender manager {row['manager'][:60]!r} in your unit.", fix="Check the username."
            )
    kinds = ("email", "phone", "screen_name")
    offender = services.register(
        actor,
        person={
            **{name: row.get(name, "") for name in ("family_name", "given_names", "address", "postcode", "borough")},
            "born": _day(row, "born"),
            "identifiers": [(kind, row[kind]) for kind in kinds if row.get(kind)],
        },
        unit=actor.unit, relevant_date=relevant, until=_day(row, "until"),
        register_reference=row.get("register_reference", ""), aliases=row.get("aliases", "").split(";"),
        manager=manager, has_home=_yes(row, "home"), mappa_category=int(_number(row, "mappa_category") or 1),
        first_notified=last is not None,
    )  # fmt: skip
    place = _number(row, "latitude"), _number(row, "longitude")
    if place != (None, None):
        offender = services.change_entry(
            actor, offender, register_reference=offender.register_reference, aliases=offender.aliases,
            has_home=offender.has_home, until=offender.until, latitude=place[0], longitude=place[1],
        )  # fmt: skip
    if row.get("risk"):
        level = row["risk"].lower().replace(" ", "_")
        source = row.get("risk_source") or "Taken over with the register"
        services.record_risk(actor, offender, level=level, source=source, on=_day(row, "risk_on") or relevant)
    if row.get("visit_every"):
        unit = {"months": "months", "month": "months"}.get(row.get("visit_unit", "").lower(), "calendar_days")
        words = row.get("plan") or "Taken over with the register; review it."
        services.set_plan(actor, offender, every=int(_number(row, "visit_every") or 0), every_unit=unit, actions=words)
    if last is not None:
        kind = "annual" if last > relevant + timedelta(days=3) else "initial"
        record_notification(actor, offender, kind=kind, at=_noon(last), place="Taken over with the register")
    seen = _day(row, "last_visit")
    if seen is not None:
        record_visit(actor, offender, outcome="successful", text="Taken over with the register.", at=_noon(seen))
    return offender


def _noon(day: date) -> datetime:
    moment = start_of_day(day) + timedelta(hours=12)
    return moment if day < timezone.localdate() else min(moment, timezone.now())


def _day(row: Mapping[str, str], name: str) -> date | None:
    text = row.get(name, "")
    if not text:
        return None
    for shape in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    raise Invalid(f"{name}: {text[:40]!r} is not a day.", fix="Write it as 2026-11-03 or 03/11/2026.")


def _number(row: Mapping[str, str], name: str) -> float | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -1_000 <= value <= 1_000:
        raise Invalid(f"{name}: {text[:40]!r} is not a number that fits.", fix="Write a number.")
    return value


def _yes(row: Mapping[str, str], name: str) -> bool:
    text = row.get(name, "").lower()
    if text in ("", "yes", "y", "true", "1"):
        return True
    if text in ("no", "n", "false", "0"):
        return False
    raise Invalid(f"{name}: {text[:40]!r} is neither yes nor no.", fix="Write yes or no.")


def export_register(actor: Any, rows: Iterable[Any]) -> str:
    """Lines of the register (as :func:`.queries.rows_of` gives them) as CSV; taking them away is in the ledger."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(OUT)
    shown = []
    for row in rows:
        one, person, plan = row.offender, row.offender.person, row.plan
        shown.append(one.reference)
        cells = (
            one.reference, one.register_reference, person.family_name, person.given_names,
            person.born if person.born_precision == "day" else person.born_words, one.unit.code,
            one.manager.username if one.manager else "", one.risk, one.management, plan.every if plan else "",
            plan.get_every_unit_display() if plan else "not set", one.seen_on, one.failed_since_seen,
            one.attempt_due_on, one.visit_due_on, one.notify_due_on, one.away, one.mappa_category, one.mappa_level,
            one.relevant_date, one.until or "indefinite",
        )  # fmt: skip
        writer.writerow([safe_cell(cell) for cell in cells])
    record(actor, "offender.exported", None, category=Category.DISCLOSURE, payload={"shown": shown})
    return out.getvalue()
