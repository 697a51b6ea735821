"""The manifest as DFXML, the way fiwalk writes it, so that its readers (and other laboratories' tools) can take it.

Written as a stream from the Parquet manifest; memory does not grow with the device. Of a file with several names the
first is its `filename`; the others, and what DFXML has no word for, stand in elements of our own namespace.

Source: DFXML (Garfinkel, Digital Investigation 8, 2012), as written by fiwalk of The Sleuth Kit 4.11.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from safelight import __version__
from safelight.errors import EvidenceError
from safelight.triage.model import FileRecord, FileSystemRecord
from safelight.triage.plan import DevicePlan
from safelight.triage.rows import read_batches, records_of, settle

OWN = "urn:safelight:triage:1"
_HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    "<dfxml version='1.0' xmlns='http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML' "
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    f"xmlns:sl='{OWN}'>\n"
)
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_dfxml(plan: DevicePlan, manifest: Path, path: Path) -> Path:
    """Write the DFXML of a manifest.

    Args:
        plan: of the run.
        manifest: the Parquet file that `write_manifest` made.
        path: where it goes.

    Raises:
        EvidenceError: the manifest is damaged, or `path` cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as out:
            _write(plan, manifest, out)
        settle(draft, path)
    except OSError as error:
        raise EvidenceError(
            f"{path} cannot be written: {error.strerror or error}.", fix="Name a folder with room for it."
        ) from None
    return path


def _write(plan: DevicePlan, manifest: Path, out: TextIO) -> None:
    folder = plan.opened.format == "folder"
    out.write(_HEAD)
    out.write(f"  <metadata>\n    <dc:type>{'Folder' if folder else 'Disk Image'}</dc:type>\n  </metadata>\n")
    out.write(
        f"  <creator version='1.0'>\n    <program>safelight triage</program>\n    <version>{__version__}</version>\n"
    )
    out.write(f"    <execution_environment>\n      <start_time>{_time(plan.started)}</start_time>\n")
    out.write("    </execution_environment>\n  </creator>\n  <source>\n")
    for part in plan.opened.parts:
        out.write(f"    <image_filename>{_text(part.name)}</image_filename>\n")
    out.write(f"    <image_size>{plan.opened.size}</image_size>\n  </source>\n")
    number = 0
    for filesystem in plan.filesystems:
        if not folder:
            out.write(_volume(filesystem))
        for record in _files(manifest, filesystem.index):
            number += 1
            out.write(_file(record, number, filesystem))
        if not folder:
            out.write("  </volume>\n")
    out.write("</dfxml>\n")


def _files(manifest: Path, filesystem: int) -> Iterator[FileRecord]:
    for batch in read_batches(manifest):
        table = pa.Table.from_batches([batch])
        yield from records_of(table.filter(pc.equal(table.column("filesystem"), filesystem)))


def _volume(f: FileSystemRecord) -> str:
    blocks = f.size // f.block_size if f.block_size else 0
    return (
        f"  <volume offset='{f.offset}'>\n    <partition_offset>{f.offset}</partition_offset>\n"
        f"    <block_size>{f.block_size}</block_size>\n    <ftype_str>{_text(f.type.lower())}</ftype_str>\n"
        f"    <block_count>{blocks}</block_count>\n    <first_block>0</first_block>\n"
        f"    <last_block>{max(blocks - 1, 0)}</last_block>\n    <allocated_only>0</allocated_only>\n"
    )


def _file(record: FileRecord, number: int, filesystem: FileSystemRecord) -> str:
    e = record.entry
    lines = [
        f"    <fileobject>\n      <filename>{_text(e.path)}</filename>",
        f"<partition>{filesystem.index + 1}</partition>", f"<id>{number}</id>", "<name_type>r</name_type>",
        f"<filesize>{e.size}</filesize>",
        "<alloc>1</alloc>" if e.allocated else "<unalloc>1</unalloc>",
    ]  # fmt: skip
    if e.address is not None:
        lines.append(f"<inode>{e.address}</inode>")
    lines.append("<meta_type>1</meta_type>")
    for name, when in (("mtime", e.times.written), ("ctime", e.times.changed), ("atime", e.times.accessed),
                       ("crtime", e.times.created)):  # fmt: skip
        if when is not None:
            lines.append(f"<{name}>{_time(when)}</{name}>")
    if record.type:
        lines.append(f"<libmagic>{_text(record.type)}</libmagic>")
    if e.extents:
        runs, at = [], 0
        for x in e.extents:
            inside = x.offset - filesystem.offset
            runs.append(
                f"       <byte_run file_offset='{at}' fs_offset='{inside}' img_offset='{x.offset}' len='{x.size}'/>\n"
            )
            at += x.size
        lines.append(f"<byte_runs>\n{''.join(runs)}      </byte_runs>")
    # Digests of a file of which a part is missing are not the file's.
    for kind, digest in (("md5", record.md5), ("sha1", record.sha1), ("sha256", record.sha256)):
        if digest and record.complete:
            lines.append(f"<hashdigest type='{kind}'>{digest}</hashdigest>")
    lines += [f"<sl:name>{_text(name)}</sl:name>" for name in e.names]
    if e.origin:
        lines.append(f"<sl:origin>{_text(e.origin)}</sl:origin>")
    if record.pdq:
        mode = quoteattr(record.mode)
        lines.append(f"<sl:pdq quality='{record.quality}' mode={mode}>{record.pdq}</sl:pdq>")
    lines += [
        f"<sl:frame_pdq seconds='{f.seconds:g}' quality='{f.quality}'>{f.pdq}</sl:frame_pdq>" for f in record.frames
    ]
    if e.size and not record.complete:
        lines.append(f"<sl:bytes_read>{record.bytes_read}</sl:bytes_read>")
    lines += [f"<sl:remark>{_text(words)}</sl:remark>" for words in (*e.notes, *record.problems)]
    return "\n      ".join(lines) + "\n    </fileobject>\n"


def _text(value: str) -> str:
    """Text for an element; what XML cannot hold is shown as an escape."""
    if not value.isprintable():
        value = _NO_XML.sub(lambda m: m[0].encode("unicode_escape").decode(), value)
    return escape(value)


def _time(when: datetime) -> str:
    return when.isoformat(timespec="microseconds" if when.microsecond else "seconds").replace("+00:00", "Z")
