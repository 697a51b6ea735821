"""What is fuzzed: every parser that we wrote ourselves, fed as the program feeds it.

A target takes bytes and may raise what its caller in the program handles, named beside it. Anything else (an index
behind an end, a wrong type, an endless loop, memory without bound) is a finding. Parsers of other people (The Sleuth
Kit, libyal, Pillow, py7zr) are fuzzed by their makers and held by the sandbox; here they are met only where ours call
them.
"""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fuzz.media import Memory, MemoryFile, everything, list_and_read, some
from safelight.errors import SafelightError
from safelight.triage.model import Volume

# What `safelight.triage.evidence.layers` and `reader` handle as "damaged".
DAMAGED: tuple[type[Exception], ...] = (SafelightError, OSError, ValueError, MemoryError, OverflowError)


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        run: takes the bytes.
        allowed: what it may raise, because its callers handle it.
        most: bytes of an input at most.
    """

    run: Callable[[bytes], Any]
    allowed: tuple[type[Exception], ...] = (SafelightError,)
    most: int = 1 << 14


TARGETS: dict[str, Target] = {}


def target(name: str, *allowed: type[Exception], most: int = 1 << 14) -> Callable[[Callable[[bytes], Any]], Any]:
    def add(run: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        TARGETS[name] = Target(run, allowed or (SafelightError,), most)
        return run

    return add


# -- containers ------------------------------------------------------------------------------------------------------


@target("e01", most=1 << 15)
def e01(data: bytes) -> None:
    from safelight.triage.evidence.ewf import EwfEvidence

    everything(EwfEvidence([Path("a.E01")], [MemoryFile(data, "a.E01")]))


@target("ex01", most=1 << 15)
def ex01(data: bytes) -> None:
    from safelight.triage.evidence.ewf2 import Ewf2Evidence

    everything(Ewf2Evidence([Path("a.Ex01")], [MemoryFile(data, "a.Ex01")]))


@target("qcow2-overlay", most=1 << 15)
def qcow2_overlay(data: bytes) -> None:
    from safelight.triage.evidence.overlay import Qcow2Overlay

    everything(Qcow2Overlay(Memory(data), Memory(bytes(4096), "parent")))


@target("vhd-difference", most=1 << 15)
def vhd_difference(data: bytes) -> None:
    from safelight.triage.evidence.overlay import VhdDifference

    everything(VhdDifference(Memory(data), Memory(bytes(4096), "parent"), 1 << 20))


@target("allocation-maps", most=1 << 15)
def allocation_maps(data: bytes) -> None:
    """QCOW2, VHD(X) and VMDK: which of their blocks hold anything."""
    from safelight.triage.evidence import allocated

    for reader in (allocated.qcow2, allocated.vhd, allocated.vmdk):
        some(reader(Memory(data), 1 << 24) or ())


@target("virtual-kind")
def virtual_kind(data: bytes) -> None:
    from safelight.triage.evidence.virtual import virtual_kind

    virtual_kind(data[:4096], data[-4096:])


# -- volumes and file systems ----------------------------------------------------------------------------------------


@target("partition-tables", *DAMAGED, most=1 << 15)
def partition_tables(data: bytes) -> None:
    from safelight.triage.evidence.volumes import TskImage, looks_random, read_volumes, signature

    medium = Memory(data)
    signature(medium, 0, len(data))
    looks_random(medium, 0, len(data))
    read_volumes(medium, TskImage(medium))


@target("second-gpt", most=1 << 14)
def second_gpt(data: bytes) -> None:
    from safelight.triage.evidence.volumes import _second_gpt

    _second_gpt(Memory(data), 512)


@target("udf", *DAMAGED, most=1 << 15)
def udf(data: bytes) -> None:
    """A list of sectors (number, length, bytes): a small input makes a whole disc; checksums are made to fit, so
    that what lies behind them is met."""
    from safelight.triage.evidence.udf import UdfFileSystem

    disc = udf_disc(data)
    reader = UdfFileSystem(0, 0, Memory(disc), 0, len(disc))
    list_and_read(reader)
    some(reader.free_ranges())


def udf_disc(data: bytes) -> bytes:
    import binascii

    disc, at = bytearray(2000 * 2048), 0
    while at + 4 <= len(data):
        sector, length = struct.unpack_from("<HH", data, at)
        body = bytearray(data[at + 4 : at + 4 + min(length, 2048)])
        at += 4 + min(length, 2048)
        if len(body) >= 16:
            covered = min(struct.unpack_from("<H", body, 10)[0], 2048 - 16)
            whole = bytes(body).ljust(2048, b"\0")
            struct.pack_into("<H", body, 8, binascii.crc_hqx(whole[16 : 16 + covered], 0))
            body[4] = (sum(body[:4]) + sum(body[5:16])) & 0xFF
        place = sector % 2000 * 2048
        disc[place : place + len(body)] = body
    return bytes(disc)


@target("ntfs-mft", *DAMAGED, most=1 << 14)
def ntfs_mft(data: bytes) -> None:
    """The table as a whole, its names, its runs and its paths."""
    import numpy as np

    from safelight.triage.evidence import mft

    size = len(data) // 1024 * 1024
    table = mft.read_table(Memory(data), [(0, size)], 1024, alive=lambda now: None)
    count = size // 1024
    for record in range(min(count, 16)):
        table.name(record)
    numbers = np.arange(min(count, 16), dtype=np.int64)
    table.runs_of(numbers)
    table.names_of(numbers)
    paths = mft.Paths(table, "$OrphanFiles")
    for record in range(min(count, 16)):
        paths.of(record)
        paths.nameless(record)


@target("apfs-books", *DAMAGED, struct.error, most=1 << 17)
def apfs_books(data: bytes) -> None:
    from safelight.triage.evidence.apfs_books import ContainerBooks

    books = ContainerBooks(Memory(data), 0, len(data))
    some(books.volumes())
    some(books.free_ranges())


@target("hfs-free", *DAMAGED, struct.error, most=1 << 15)
def hfs_free(data: bytes) -> None:
    from safelight.triage.evidence.freebooks import hfs_free

    some(hfs_free(Memory(data), 0))


@target("xfs-free", *DAMAGED, struct.error, most=1 << 15)
def xfs_free(data: bytes) -> None:
    from safelight.triage.evidence.freebooks import xfs_free

    some(xfs_free(Memory(data), 0))


@target("counters", most=1 << 16)
def counters(data: bytes) -> None:
    """What ext, HFS+, FAT, exFAT and ISO 9660 say of themselves."""
    from safelight.triage.evidence import counters

    medium = Memory(data)
    for count in (counters.ext_inodes, counters.hfs_files, counters.iso_folders):
        count(medium, 0)
    counters.fat_entries(data)
    counters.exfat_entries(data)


@target("lvm", *DAMAGED, most=1 << 15)
def lvm(data: bytes) -> None:
    from safelight.triage.evidence import lvm

    for _, found in lvm.open_groups([lvm.read_physical(Memory(data), 0, len(data))]):
        if not isinstance(found, str):
            everything(found)


@target("lvm-text", *DAMAGED, RecursionError)
def lvm_text(data: bytes) -> None:
    from safelight.triage.evidence.lvm import parse_description

    parse_description(data.decode("utf-8", "replace"))


@target("luks", most=1 << 15)
def luks(data: bytes) -> None:
    """The header alone: `open_luks` takes all that it may raise for a damaged one."""
    import binascii

    from safelight.triage.evidence.luks import _read_header

    try:
        _read_header(Memory(data), 0)
    except (KeyError, TypeError, ValueError, struct.error, binascii.Error, AttributeError):
        return


@target("bitlocker", *DAMAGED, most=1 << 16)
def bitlocker(data: bytes) -> None:
    from safelight.triage.evidence.bitlocker import open_own

    open_own(Memory(data), 0, len(data), [])


@target("archives", *DAMAGED, most=1 << 14)
def archives(data: bytes) -> None:
    """zip, tar, 7z, gzip, bzip2, xz, zstd: listed, and the first bytes of each member."""
    from safelight.triage.evidence.archives import open_archive

    reader = open_archive(0, Memory(data))
    if reader is not None:
        list_and_read(reader)


@target("carving", most=1 << 15)
def carving(data: bytes) -> None:
    """The first byte chooses the kind of picture whose end is looked for."""
    from safelight.triage.evidence.carving import picture_end

    kinds = ("JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "HEIC")
    if data:
        rest = data[1:]
        picture_end(kinds[data[0] % len(kinds)], lambda at, size: rest[at : at + size], 0, len(rest))


@target("filetypes", most=4096)
def filetypes(data: bytes) -> None:
    from safelight.triage.filetypes import mismatch, sniff

    # Without the first byte, so that no file of the corpus begins as a picture does.
    mismatch(data[-20:].decode("latin-1"), sniff(data[1:]))


# -- lists -----------------------------------------------------------------------------------------------------------

LIST_SUFFIXES = (".json", ".csv", ".txt", ".xml", ".hash")


@target("hash-lists", most=1 << 14)
def hash_lists(data: bytes) -> None:
    """VICS, ICSE, NCMEC, StopNCII, hashlookup, NSRL, CSV: told apart by their content, as any list is."""
    from safelight.matching import read_hash_set

    with tempfile.NamedTemporaryFile(dir="/dev/shm", suffix=".list") as file:
        file.write(data)
        file.flush()
        read_hash_set(file.name, name="fuzz", category_of=lambda context, number: "A")


@target("array-files", most=1 << 14)
def array_files(data: bytes) -> None:
    from safelight.matching.arrayfile import open_arrays

    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.write(data)
        file.flush()
        open_arrays(Path(file.name), "digests")


@target("digests")
def digests(data: bytes) -> None:
    from safelight.matching.hashtext import parse_digest

    for algorithm in ("md5", "sha1", "sha256"):
        try:
            parse_digest(algorithm, data.decode("utf-8", "replace"))
        except SafelightError:
            continue


# -- what other people and machines send -----------------------------------------------------------------------------


@target("referrals", most=1 << 14)
def referrals(data: bytes) -> None:
    """CSV, JSON and CyberTipline-style XML: each record is taken or sent to quarantine, never lost."""
    from safelight.casework.referrals.importers import read

    some(read(data, now=datetime(2026, 11, 30, tzinfo=UTC)).records)


@target("triage-report", ValueError, AttributeError, RecursionError, SafelightError, most=1 << 15)
def triage_report(data: bytes) -> None:
    """`report.json` of a bench: what `read_report` refuses in one sentence."""
    from safelight.triage.result import TriageResult

    TriageResult.from_json(json.loads(data.decode("utf-8")))


@target("child-answers", SafelightError, ValueError, RecursionError)
def child_answers(data: bytes) -> None:
    """What a parser in the sandbox says to its parent: it may have been taken over."""
    from safelight.triage.answers import Opened
    from safelight.triage.codec import decode
    from safelight.triage.sandbox import Confinement

    said = json.loads(data.decode("utf-8"))
    decode(Opened, said)
    decode(Volume, said)
    if isinstance(said, dict):
        Confinement.told(said)


@target("exchange-journal", most=1 << 13)
def exchange_journal(data: bytes) -> None:
    from safelight.exchange.journal import read_records

    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.write(data)
        file.flush()
        some(read_records(Path(file.name)))


# -- standards and proofs --------------------------------------------------------------------------------------------


@target("site-standards")
def site_standards(data: bytes) -> None:
    """The force's own file, laid over the product's."""
    from safelight.standards.loader import read_standards

    read_standards(_standards_texts(), ("site.toml", data.decode("utf-8", "replace")))


_TEXTS: dict[str, str] = {}


def _standards_texts() -> dict[str, str]:
    if not _TEXTS:
        import safelight.standards

        folder = Path(safelight.standards.__file__).parent / "data"
        from safelight.standards.loader import FILES

        _TEXTS.update({f"{name}.toml": (folder / f"{name}.toml").read_text(encoding="utf-8") for name in FILES})
    return _TEXTS


@target("clock-durations")
def clock_durations(data: bytes) -> None:
    """What a clock's row says, and the text of it: the one must give back the other."""
    import tomllib

    from safelight.standards.duration import duration_fault, duration_from_text, parse_duration

    text = data.decode("utf-8", "replace")
    found = duration_from_text(text)
    assert found is None or duration_from_text(str(found)) == found
    try:
        said = tomllib.loads(f"a = {text}").get("a")
    except (ValueError, RecursionError):
        return
    if not duration_fault(said):
        made = parse_duration(said)  # type: ignore[arg-type]
        assert duration_from_text(str(made)) == made


@target("ledger-proofs", most=4096)
def ledger_proofs(data: bytes) -> None:
    """No proof that somebody made up holds, and none is ever a fault of ours."""
    from safelight.tlog.merkle import verify_consistency, verify_inclusion

    if len(data) < 80:
        return
    leaf, root = data[:32], data[32:64]
    index, size = struct.unpack_from("<QQ", data, 64)
    path = [data[i : i + 32] for i in range(80, len(data), 32)]
    if verify_inclusion(leaf, index, size, path, root):
        assert size >= 1 and index < size and (path or leaf == root)
    verify_consistency(index, size, leaf, root, path)
