"""The answer of a run in a sentence a person can act on, with its reasons.

Two rules stand above wording: what was found is said first, by category; and an answer without findings says what was
read, what was not, and that it does not show that the device holds none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from safelight.triage.model import UnreadPart
from safelight.triage.result import STATE_STOPPED, Counts, Finding, Verdict

LISTED = "listed material"
POSSIBLE = "possible listed material"
NONE_IN_READ = "no listed material in what was read"
NOT_READ = "not read"
NOT_COMPARED = "not compared"

#: Entries that a list carries although they are not listed material: reported as findings, never in the verdict.
NOT_LISTED = frozenset({"not_pertinent"})

#: Words in the reason of an unread part that say it is encrypted.
SEALED_WORDS = ("bitlocker", "luks", "encrypt", "filevault", "veracrypt")
_MOST_SEALED = 5

NO_PROOF = "This does not show that the device holds none."


def size_words(size: int) -> str:
    """Bytes in words with decimal units, as disks are sold: `13 MB`."""
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if value < 999.5 or unit == "PB":
            break
    return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"


def count_words(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2,300 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def unread_words(unread: Sequence[UnreadPart]) -> str:
    """`2 parts (13 MB) were not read`; empty when everything was."""
    if not unread:
        return ""
    known = sum(p.size or 0 for p in unread)
    open_ended = any(p.size is None for p in unread)
    if known and open_ended:
        size = f" ({size_words(known)} and more, size not known)"
    elif known:
        size = f" ({size_words(known)})"
    else:
        size = " (size not known)"
    return f"{count_words(len(unread), 'part')}{size} {'was' if len(unread) == 1 else 'were'} not read"


def is_sealed(part: UnreadPart) -> bool:
    """Whether the part was not read because it is encrypted."""
    reason = part.reason.lower()
    return any(word in reason for word in SEALED_WORDS)


def _sealed(unread: Sequence[UnreadPart]) -> tuple[str, ...]:
    """`Not read: volume 2: BitLocker encryption, no key was given.` for each encrypted part; a count of the rest."""
    parts = [p for p in unread if is_sealed(p)]
    lines = [f"Not read: {p.path or p.what}: {p.reason.rstrip('.')}." for p in parts[:_MOST_SEALED]]
    if len(parts) > _MOST_SEALED:
        lines.append(f"{count_words(len(parts) - _MOST_SEALED, 'more part')} could not be read for encryption.")
    return tuple(lines)


def category_words(findings: Sequence[Finding]) -> str:
    """`3 category A and 1 without a category`: distinct files, each by its gravest category."""
    worst: dict[tuple[int, str], str] = {}
    for f in findings:
        key = (f.filesystem, f.path)
        mine = f.category or ""
        old = worst.get(key)
        if old is None or (mine and (not old or mine < old)):
            worst[key] = mine
    numbers = Counter(worst.values())
    words = [f"{n:,} {_label(c)}" for c, n in sorted(numbers.items(), key=lambda i: (not i[0], i[0]))]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _label(category: str) -> str:
    if not category:
        return "without a category"
    return f"category {category}" if len(category) == 1 else category.replace("_", " ")


def decide(
    findings: Sequence[Finding], counts: Counts, unread: Sequence[UnreadPart], *, state: str, entries_in_sets: int
) -> Verdict:
    """The verdict over what a run found and read."""
    not_read = unread_words(unread)
    findings = [f for f in findings if f.category not in NOT_LISTED]
    exact = [f for f in findings if f.kind == "exact"]
    exact_files = {(f.filesystem, f.path) for f in exact}
    similar = [f for f in findings if f.kind == "perceptual" and (f.filesystem, f.path) not in exact_files]
    whole = exact_files | {(f.filesystem, f.path) for f in similar}
    parts = [f for f in findings if f.kind == "block" and (f.filesystem, f.path) not in whole]
    reasons = _reasons(exact, similar, parts, counts, not_read, state, entries_in_sets) + _sealed(unread)
    stopped = " The run was stopped before its end." if state == STATE_STOPPED else ""
    tail = (f" {_sentence(not_read)}" if not_read else "") + stopped
    if exact:
        sentence = f"Listed material found: {category_words(exact)} (exact match)"
        if similar:
            sentence += f"; and {category_words(similar)} by likeness, for a person to check"
        if parts:
            sentence += f"; and {_fragments(parts)}"
        return Verdict(LISTED, f"{sentence}.{tail}", reasons)
    if similar:
        more = f"; and {_fragments(parts)}" if parts else ""
        sentence = f"Possible listed material: {category_words(similar)} by likeness, for a person to check{more}."
        return Verdict(POSSIBLE, sentence + tail, reasons)
    if parts:
        sentence = f"Possible listed material: {_fragments(parts)}, for a person to check."
        return Verdict(POSSIBLE, sentence + tail, reasons)
    if counts.files_read == 0:
        why = tail or " It lists no file with content that could be read."
        return Verdict(NOT_READ, f"No file was read on this device.{why} {NO_PROOF}", reasons)
    read = count_words(counts.files_read, "file")
    verb = "was" if counts.files_read == 1 else "were"
    if not entries_in_sets:
        sentence = f"{read} {verb} read but compared with no hash set.{tail} {NO_PROOF}"
        return Verdict(NOT_COMPARED, sentence, reasons)
    head = f"No listed material among the {read} that {verb} read"
    head = f"{head}; {not_read}." if not_read else f"{head}."
    return Verdict(NONE_IN_READ, f"{head}{stopped} {NO_PROOF}", reasons)


def _fragments(parts: Sequence[Finding]) -> str:
    return f"fragments of listed files in {count_words(len(parts), 'place')} ({category_words(parts)})"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def _reasons(
    exact: Sequence[Finding],
    similar: Sequence[Finding],
    parts: Sequence[Finding],
    counts: Counts,
    not_read: str,
    state: str,
    entries: int,
) -> tuple[str, ...]:
    reasons = []
    if exact:
        deleted = len({(f.filesystem, f.path) for f in exact if f.state == "deleted"})
        files = len({(f.filesystem, f.path) for f in exact})
        reasons.append(
            f"{count_words(files, 'file')} {'has' if files == 1 else 'have'} the same digest as a listed file"
            + (f", {deleted:,} of them deleted." if deleted else ".")
        )
    if similar:
        nearest = min(f.distance for f in similar)
        files = len({(f.filesystem, f.path) for f in similar})
        reasons.append(
            f"{count_words(files, 'picture')} {'is' if files == 1 else 'are'} like a listed picture "
            f"(nearest distance {nearest} of 256)."
        )
    if parts:
        free = sum(f.state == "unallocated" for f in parts)
        reasons.append(
            f"In {count_words(len(parts), 'place')}, {free:,} of them in space that no file uses, "
            "blocks lie one after the other that are known from listed files and from nowhere else."
        )
    reasons.append(
        f"{count_words(counts.files_read, 'file')} ({size_words(counts.bytes_read)}) "
        f"{'was' if counts.files_read == 1 else 'were'} read in full "
        f"and compared with {count_words(entries, 'entry', 'entries')} of the hash sets."
    )
    if not entries:
        reasons.append("No hash set entry was there to compare with: no listed material could be found by this run.")
    if not_read:
        reasons.append(_sentence(not_read))
    unhashed = counts.pictures_low_quality + counts.pictures_not_decoded
    if unhashed:
        reasons.append(
            f"{count_words(unhashed, 'picture')} could be compared by digest only "
            f"({counts.pictures_low_quality:,} too plain for PDQ, {counts.pictures_not_decoded:,} not decoded)."
        )
    if counts.deleted_in_part:
        reasons.append(f"{count_words(counts.deleted_in_part, 'deleted file')} could be recovered only in part.")
    if counts.names_only:
        reasons.append(
            f"{count_words(counts.names_only, 'deleted file')} {'is' if counts.names_only == 1 else 'are'} "
            "known by name only: the content can no longer be reached."
        )
    if state == STATE_STOPPED:
        reasons.append("The run was stopped by a person before its end.")
    return tuple(reasons)
