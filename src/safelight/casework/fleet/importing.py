"""Taking in the report folder of a field bench: checked against its own digests, and against the bench's seal."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.cases.services import note
from safelight.casework.devices.models import Device, EvidenceImage, Finding, TriageRun, UnreadPart
from safelight.casework.devices.recording import BATCH, findings_of, plain, state_of, summary_of, unread_of
from safelight.casework.devices.runs import LIVE, settle_triage_clock, take_as_decided
from safelight.casework.devices.words import ensure_open
from safelight.casework.fleet.models import BenchReport, FirstLook
from safelight.casework.fleet.tasks import keep_answer
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.hashsets.services import sha256_of
from safelight.casework.ledger.services import record
from safelight.errors import EvidenceError
from safelight.triage import TriageResult
from safelight.triage.exports import SEALED_BY
from safelight.triage.result import STATE_STOPPED
from safelight.triage.result import HashSetRecord as UsedSet

#: What a report folder may hold. Anything else is left behind.
FILES = frozenset(
    {"report.json", "report.html", "report.pdf", "findings.csv", "case-uco.jsonld", "vics.json", "manifest.parquet",
     "manifest.dfxml", SEALED_BY}
)  # fmt: skip
LARGEST = 2 << 30
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)\Z", re.ASCII)
_SHORTEST_SEAL = 12


def unpack(archive: Any, folder: Path) -> None:
    """Take a report folder out of a ZIP: known names only, whatever folder they stand in.

    Raises:
        Invalid: no ZIP, damaged, too large, or the same file twice.
    """
    fix = "Give the report folder of one device as a ZIP file."
    try:
        with zipfile.ZipFile(archive) as zipped:
            taken: set[str] = set()
            for member in zipped.infolist():
                name = member.filename.rsplit("/", 1)[-1]
                if member.is_dir() or name not in FILES:
                    continue
                if name in taken:
                    raise Invalid(f"The ZIP file holds {name} more than once.", fix=fix, field="file")
                taken.add(name)
                if member.file_size > LARGEST:
                    raise Invalid(f"{name} is larger than 2 GiB.", fix="Use the command import-report.", field="file")
                with zipped.open(member) as source, (folder / name).open("wb") as target:
                    left = LARGEST
                    while piece := source.read(min(1 << 20, left + 1)):
                        left -= len(piece)
                        if left < 0:
                            raise Invalid(f"{name} is larger than it says.", fix=fix, field="file")
                        target.write(piece)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Invalid(f"The file is no ZIP that can be opened: {error}.", fix=fix, field="file") from None


def read_report(folder: Path, seal: str = "") -> tuple[TriageResult, str, list[str]]:
    """The result in a report folder, its seal, and its files; nothing in it was changed since it was written.

    Args:
        seal: what the bench printed, or its beginning (12 digits at least); not compared when empty.

    Raises:
        Invalid: a file is missing or changed, the seal is another one, or the record does not fit together.
    """
    fix = "Copy the whole folder from the bench again, and change nothing in it."
    sums = folder / SEALED_BY
    if not sums.is_file():
        raise Invalid(f"The report has no {SEALED_BY}, so it cannot be checked.", fix=fix, field="file")
    made = sha256_of(sums)
    given = re.sub(r"[\s:-]", "", seal).lower()
    if given and (len(given) < _SHORTEST_SEAL or not made.startswith(given)):
        raise Invalid(
            "The seal is not that of this report: it was changed, or it is another device's.",
            fix="Compare it with what the bench printed, at least its first 12 digits.",
            field="seal",
        )
    names = []
    for line in sums.read_text("utf-8", "replace").splitlines():
        found = _LINE.match(line)
        if not found or found[2] not in FILES or found[2] == SEALED_BY:
            raise Invalid(f"{SEALED_BY} of the report holds a line that does not belong there.", fix=fix, field="file")
        digest, name = found.groups()
        if not (folder / name).is_file():
            raise Invalid(f"The report is not complete: {name} is missing.", fix=fix, field="file")
        if sha256_of(folder / name) != digest:
            raise Invalid(f"{name} was changed after the report was written.", fix=fix, field="file")
        names.append(name)
    if "report.json" not in names:
        raise Invalid(f"{SEALED_BY} of the report does not name report.json.", fix=fix, field="file")
    try:
        result = TriageResult.from_json(json.loads((folder / "report.json").read_text("utf-8")))
    except (ValueError, AttributeError, RecursionError) as error:
        raise Invalid(f"report.json is no triage record: {error}.", fix=fix, field="file") from None
    except EvidenceError as error:
        raise Invalid(error.what, fix=error.fix or fix, field="file") from None
    if result.state == STATE_STOPPED:
        raise Invalid(
            "The run was stopped before its end.", fix="Let it go on at the bench to its end, and import it then.",
            field="file",
        )  # fmt: skip
    return result, made, [*names, SEALED_BY]


def import_report(
    actor: Any, device: Device, folder: Path, *, seal: str = "", image: EvidenceImage | None = None
) -> tuple[TriageRun | FirstLook, bool]:
    """Take in the report of a field bench as a run (or first answer) of this device, without running anything again.

    Args:
        seal: what the bench printed; recorded whether it was given.
        image: the image of the device that was read; a new one, kept at the bench, when left out.

    Returns:
        The run or first answer, and whether it is new: the same report twice is one run.

    Raises:
        NotAllowed: not this person.
        NotPossible: it belongs to another device, a run of the image is under way, or a hash set is not known here.
        Invalid: the report is not whole.
    """
    need(actor, "fleet.import", device, what=f"You may not import reports for {device.reference}.")
    result, made, names = read_report(folder, seal)
    kept: list[Path] = []
    try:
        return _take_in(actor, device, folder, result, made, names, bool(seal.strip()), image, kept)
    except BaseException:
        for target in kept:
            shutil.rmtree(target, ignore_errors=True)
        raise


@transaction.atomic
def _take_in(
    actor: Any,
    device: Device,
    folder: Path,
    result: TriageResult,
    seal: str,
    names: list[str],
    seal_given: bool,
    image: EvidenceImage | None,
    kept: list[Path],
) -> tuple[TriageRun | FirstLook, bool]:
    device = Device.objects.select_for_update(of=("self",)).select_related("case").get(pk=device.pk)
    ensure_open(device.case)
    before = BenchReport.objects.select_related("run", "look").filter(engine_run=result.run_id[:32]).first()
    if before is not None:
        row: TriageRun | FirstLook = before.run or before.look  # type: ignore[assignment]
        if row.device_id != device.pk or before.seal != seal:
            raise NotPossible(
                f"This run was imported before, as {row.reference}, for another device or from another report of it.",
                fix="Look at that one.",
            )
        return row, False
    records = _hash_sets(actor, result)
    image = _image(actor, device, result, image)
    now = timezone.now()
    if result.first is not None:
        row = FirstLook.objects.create(
            device=device, image=image, state=FirstLook.State.RUNNING, seconds=int(result.first.settings.seconds),
            asked_at=now, asked_by=actor, started_at=result.started,
        )  # fmt: skip
        _keep_files(folder, names, f"first/{row.reference}", kept)
        keep_answer(row, result, f"first/{row.reference}", actor)
        FirstLook.objects.filter(pk=row.pk).update(finished_at=result.finished)
    else:
        take_as_decided(actor, device)
        row = TriageRun.objects.create(
            device=device, image=image, state=TriageRun.State.RUNNING, lease="import", queued_at=now, queued_by=actor,
            started_at=result.started, heartbeat_at=now,
        )  # fmt: skip
        _keep_files(folder, names, row.reference, kept)
        Finding.objects.bulk_create(findings_of(row, result, records), batch_size=BATCH)
        UnreadPart.objects.bulk_create(unread_of(row, result), batch_size=BATCH)
        row.hash_sets.set(list(records.values()))
        row.state, row.finished_at, row.lease, row.stage = state_of(result), result.finished, "", "done"
        row.tool_version = plain(f"{result.tool} {result.tool_version}", 80)
        row.verdict, row.findings_digest = plain(result.verdict.sentence), result.findings_digest
        row.unread_bytes, row.summary = result.bytes_not_read, summary_of(result)
        row.report_folder = row.reference
        row.save()
        settle_triage_clock(actor, device)
        note(actor, device.case, "triage_finished", f"{device.exhibit} ({row.reference}, field bench): {row.verdict}")
    BenchReport.objects.create(
        run=row if isinstance(row, TriageRun) else None,
        look=row if isinstance(row, FirstLook) else None,
        engine_run=result.run_id[:32],
        seal=seal,
        seal_given=seal_given,
        operator=plain(result.operator, 120),
        imported_at=now,
        imported_by=actor,
    )
    record(
        actor,
        "bench_report.imported",
        row,
        case=device.case,
        payload={
            "device": device.reference,
            "seal": seal,
            "seal_given": seal_given,
            "operator": plain(result.operator, 120),
            "findings": len(result.findings),
            "findings_digest": result.findings_digest,
            "hash_sets": sorted(s.root for s in result.hash_sets),
            "tool": plain(f"{result.tool} {result.tool_version}", 80),
            "unread_bytes": result.bytes_not_read,
        },
    )
    return row, True


def _hash_sets(actor: Any, result: TriageResult) -> dict[str, HashSetRecord]:
    """The hash sets that the run used, by root, as they are known here; block sets are entered for it."""
    roots = [used.root for used in result.hash_sets]
    known = {row.root: row for row in HashSetRecord.objects.filter(root__in=roots).order_by("retired_at")}
    for used in result.hash_sets:
        if used.root in known:
            continue
        if "blocks" not in used.counts:
            raise NotPossible(
                f"The bench compared with the hash set {used.name} ({used.root[:12]}), which was never imported here.",
                fix="Import that list first, so that its categories mean something here.",
            )
        known[used.root] = _block_set(actor, used)
    return known


def _block_set(actor: Any, used: UsedSet) -> HashSetRecord:
    """A block set is no list that runs here compare with: it is entered as retired, for its findings to name."""
    now = timezone.now()
    return HashSetRecord.objects.create(
        name=plain(used.name, 120), kind="known", version=plain(used.version or "not given", 60), root=used.root,
        folder="", source="The report of a field bench", legal_basis="As stated at the field bench", file_name="",
        file_sha256="", format="block set", counts={"entries": used.counts.get("entries", 0), "by_category": {}},
        imported_at=now, imported_by=actor, retired_at=now,
    )  # fmt: skip


def _image(actor: Any, device: Device, result: TriageResult, image: EvidenceImage | None) -> EvidenceImage:
    if image is not None:
        if image.device_id != device.pk:
            raise NotPossible("The device has no such image.", fix="Choose one of its images.")
        if image.runs.filter(state__in=LIVE).exists():
            raise NotPossible("A triage run of this image is waiting or running.", fix="Let it finish, or stop it.")
        return image
    name = plain(result.evidence.parts[0].name, 200) if result.evidence.parts else "device"
    now = timezone.now()
    return EvidenceImage.objects.create(
        device=device, path=f"field bench/{result.run_id[:12]}/{name}", imaged_at=min(result.started, now),
        registered_by=actor, registered_at=now,
    )  # fmt: skip


def _keep_files(folder: Path, names: list[str], place: str, kept: list[Path]) -> None:
    target = Path(settings.REPORTS_ROOT) / place
    target.mkdir(parents=True, exist_ok=True)
    kept.append(target)
    for name in names:
        shutil.copyfile(folder / name, target / name)
