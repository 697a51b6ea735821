"""The compiled half of `safelight.triage.evidence.mft`: records of the NTFS master file table, and index blocks.

Layouts as the Linux-NTFS project documents them (FILE record, attribute header, $STANDARD_INFORMATION, $FILE_NAME,
index block). Every offset that comes from the disk is checked against the record before it is followed: a hostile
record ends as 'not a record' or as 'complex', never as a read outside it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# What `records` tells of a record, as bits.
VALID, IN_USE, FOLDER, COMPLEX, HAS_DATA, RESIDENT, EXTENSION, DAMAGED = 1, 2, 4, 8, 16, 32, 64, 128

_STANDARD, _LIST, _NAME, _DATA, _ALLOCATION, _END = 0x10, 0x20, 0x30, 0x80, 0xA0, 0xFFFFFFFF
_DOS = 2


@njit(cache=True, nogil=True)
def _little(block, at, size):  # type: ignore[no-untyped-def]
    value = np.int64(0)
    for i in range(size):
        value |= np.int64(block[at + i]) << np.int64(8 * i)
    return value


@njit(cache=True, nogil=True)
def _unfix(block, start, size):  # type: ignore[no-untyped-def]
    """Put back the two last bytes of each sector (the update sequence). False: they do not agree, the block is torn."""
    at, count = _little(block, start + 4, 2), _little(block, start + 6, 2)
    if count < 2 or at + 2 * count > size or size % (count - 1):
        return False
    stride = size // (count - 1)
    for i in range(1, count):
        end = start + i * stride
        if block[end - 2] != block[start + at] or block[end - 1] != block[start + at + 1]:
            return False
        block[end - 2] = block[start + at + 2 * i]
        block[end - 1] = block[start + at + 2 * i + 1]
    return True


@njit(cache=True, nogil=True)
def _runs(block, at, end, lcn, length, count):  # type: ignore[no-untyped-def]
    """Append the runs of a mapping to `lcn` (-1: not stored) and `length`; the new count, -1 for nonsense."""
    here = np.int64(0)
    while at < end:
        head = block[at]
        if head == 0:
            return count
        size, step = head & 15, head >> 4
        at += 1
        if size == 0 or size > 8 or step > 8 or at + size + step > end or count >= len(lcn):
            return -1
        n = _little(block, at, size)
        at += size
        if step:
            d = _little(block, at, step)
            if step < 8 and block[at + step - 1] & 0x80:
                d -= np.int64(1) << np.int64(8 * step)
            at += step
            here += d
        if n <= 0 or here < 0:
            return -1
        lcn[count] = here if step else -1
        length[count] = n
        count += 1
    return -1


@njit(cache=True, nogil=True)
def records(table, size, numbers, times, names, others, lcn, length):  # type: ignore[no-untyped-def]
    """Read a batch of records, which are changed in place (their sectors' last bytes are put back).

    Args:
        table: the records, uint8, a whole number of them.
        size: bytes of a record.
        numbers: int64 (records, 12), filled: bits, sequence, base reference, parent reference, place and bytes of the
            name in `names`, bytes of data, number of its attribute, first run, runs, first run of the folder's index,
            its runs.
        times: int64 (records, 4), filled with created, written, changed, accessed in 100 ns since 1601.
        names: uint8, filled with UTF-16 names one behind another; 512 bytes a record always suffice.
        others: int64 (many, 4), filled with further names (hard links): record of this batch, parent reference, place
            and bytes in `names`; as many as records always suffice, what is more is cut.
        lcn, length: int64, filled with runs; size / 4 a record always suffice.
    """
    run_count = np.int64(0)
    name_end = np.int64(0)
    other_count = 0
    for r in range(len(table) // size):
        at = r * size
        for i in range(12):
            numbers[r, i] = 0
        for i in range(4):
            times[r, i] = 0
        if not (table[at] == 0x46 and table[at + 1] == 0x49 and table[at + 2] == 0x4C and table[at + 3] == 0x45):
            if table[at] == 0x42 and table[at + 1] == 0x41 and table[at + 2] == 0x41 and table[at + 3] == 0x44:
                numbers[r, 0] = DAMAGED
            continue
        if not _unfix(table, at, size):
            numbers[r, 0] = DAMAGED
            continue
        bits = VALID
        state = _little(table, at + 22, 2)
        if state & 1:
            bits |= IN_USE
        if state & 2:
            bits |= FOLDER
        numbers[r, 1] = _little(table, at + 16, 2)
        numbers[r, 2] = _little(table, at + 32, 8)
        if numbers[r, 2] & 0xFFFFFFFFFFFF:
            numbers[r, 0] = bits | EXTENSION
            continue
        here = at + _little(table, at + 20, 2)
        end = at + min(np.int64(size), _little(table, at + 24, 4))
        found_names = 0
        while here + 8 <= end:
            kind = _little(table, here, 4)
            if kind == _END:
                break
            span = _little(table, here + 4, 4)
            if span < 24 or here + span > end:
                bits |= COMPLEX
                break
            stored, named, flags = table[here + 8], table[here + 9], _little(table, here + 12, 2)
            if stored == 0:
                content, value = _little(table, here + 16, 4), here + _little(table, here + 20, 2)
                if value + content > here + span:
                    bits |= COMPLEX
                    here += span
                    continue
            else:
                content, value = np.int64(0), here
                if span < 64:
                    bits |= COMPLEX
                    here += span
                    continue
            if kind == _STANDARD and stored == 0 and content >= 32:
                for i in range(4):
                    times[r, i] = _little(table, value + 8 * i, 8)
            elif kind == _LIST:
                bits |= COMPLEX
            elif kind == _NAME and stored == 0 and content >= 66:
                length_of = 2 * np.int64(table[value + 64])
                if 66 + length_of > content:
                    bits |= COMPLEX
                elif table[value + 65] != _DOS:
                    found_names += 1
                    fits = name_end + length_of <= len(names)
                    if fits and found_names == 1:
                        numbers[r, 3] = _little(table, value, 8)
                        numbers[r, 4], numbers[r, 5] = name_end, length_of
                    elif fits and other_count < len(others):
                        others[other_count, 0], others[other_count, 1] = r, _little(table, value, 8)
                        others[other_count, 2], others[other_count, 3] = name_end, length_of
                        other_count += 1
                    if fits:
                        for i in range(length_of):
                            names[name_end + i] = table[value + 66 + i]
                        name_end += length_of
            elif kind == _DATA:
                if named or flags or bits & HAS_DATA:
                    bits |= COMPLEX
                else:
                    bits |= HAS_DATA
                    numbers[r, 7] = _little(table, here + 14, 2)
                    if stored == 0:
                        bits |= RESIDENT
                        numbers[r, 6] = content
                    else:
                        numbers[r, 6] = _little(table, here + 48, 8)
                        first = here + _little(table, here + 32, 2)
                        count = _runs(table, first, here + span, lcn, length, run_count)
                        if count < 0 or numbers[r, 6] < 0 or _little(table, here + 16, 8):
                            bits |= COMPLEX
                        else:
                            numbers[r, 8], numbers[r, 9] = run_count, count - run_count
                            run_count = count
            elif kind == _ALLOCATION and stored:
                first = here + _little(table, here + 32, 2)
                count = _runs(table, first, here + span, lcn, length, run_count)
                if count < 0:
                    bits |= COMPLEX
                else:
                    numbers[r, 10], numbers[r, 11] = run_count, count - run_count
                    run_count = count
            here += span
        numbers[r, 0] = bits
    return name_end, other_count, run_count


@njit(cache=True, nogil=True)
def _own_name(reference, folder, name, long, numbers, known):  # type: ignore[no-untyped-def]
    """Whether the record that `reference` means still has this name in this folder (a copy, or deleted with it)."""
    record = reference & 0xFFFFFFFFFFFF
    if record >= len(numbers) or not numbers[record, 0] & VALID or numbers[record, 5] != long:
        return False
    since = (numbers[record, 1] - (reference >> 48)) & 0xFFFF
    if since > 1 or (numbers[record, 3] & 0xFFFFFFFFFFFF) != folder or (since == 1 and numbers[record, 0] & IN_USE):
        return False
    at = numbers[record, 4]
    for i in range(long):  # noqa: SIM110 - compiled
        if known[at + i] != name[i]:
            return False
    return True


@njit(cache=True, nogil=True)
def slack_names(blocks, size, folder, numbers, known, found, names):  # type: ignore[no-untyped-def]
    """Names of deleted files that still stand behind the entries in use of a folder's index blocks.

    Args:
        blocks: index blocks, uint8, changed in place.
        size: bytes of a block.
        folder: record number of the folder; a name that says another parent is left out.
        numbers, known: the table (`records`) and its names, so that names which their record still has are left out.
        found: int64 (most, 3), filled: file reference, place and bytes of the name in `names`.
        names: uint8, filled with UTF-16 names.

    Returns how many were found.
    """
    count, name_end = 0, np.int64(0)
    for b in range(len(blocks) // size):
        start = b * size
        if not (blocks[start] == 0x49 and blocks[start + 1] == 0x4E and blocks[start + 2] == 0x44):
            continue
        if not _unfix(blocks, start, size):
            continue
        used = start + 24 + _little(blocks, start + 28, 4)
        end = start + min(np.int64(size), 24 + _little(blocks, start + 32, 4))
        at = (max(used, start + 24) + 7) // 8 * 8
        # The last entry in use has no name; a deleted one may begin where that one now ends its head of 16 bytes.
        at = max(start + 64, at - 16)
        while at + 16 + 66 + 2 <= end:
            long, stream = _little(blocks, at + 8, 2), _little(blocks, at + 10, 2)
            chars = np.int64(blocks[at + 16 + 64])
            good = (
                stream == 66 + 2 * chars
                and chars > 0
                and long >= 16 + stream
                and long % 8 == 0
                and at + 16 + stream <= end
                and blocks[at + 16 + 65] <= 3
                and (_little(blocks, at + 16, 8) & 0xFFFFFFFFFFFF) == folder
            )
            if not good:
                at += 8
                continue
            reference, name = _little(blocks, at, 8), blocks[at + 82 : at + 82 + 2 * chars]
            if (
                blocks[at + 16 + 65] != _DOS
                and not _own_name(reference, folder, name, 2 * chars, numbers, known)
                and count < len(found)
                and name_end + 2 * chars <= len(names)
            ):
                found[count, 0] = reference
                found[count, 1], found[count, 2] = name_end, 2 * chars
                for i in range(2 * chars):
                    names[name_end + i] = name[i]
                name_end += 2 * chars
                count += 1
            at += (16 + stream + 7) // 8 * 8
    return count
