"""The compiled part of the ext reader: directory blocks taken apart, and the places of files from their inodes.

Every index is bounded by the lengths of the arrays that are given; the tests run this file without the compiler too,
where numpy checks them.

Source: the layout of directory entries, inodes and extents as the kernel's documentation of ext4 gives it
(Documentation/filesystems/ext4). Deleted names are looked for where The Sleuth Kit looks, so that both find the same.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: What `places` says of a file.
PLAIN, DEEP, ODD = 0, 1, 2
_EXTENTS, _INLINE = 0x80000, 0x10000000
_MAGIC = 0xF30A
_SHORTEST = 12
_WRITTEN = 32768


@njit(cache=True, nogil=True)
def _two(data, at):  # type: ignore[no-untyped-def]
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@njit(cache=True, nogil=True)
def _four(data, at):  # type: ignore[no-untyped-def]
    return _two(data, at) | _two(data, at + 2) << 16


@njit(cache=True, nogil=True)
def names(data, block, last, old, gone, inode, place, size, live):  # type: ignore[no-untyped-def]
    """Names in the blocks of one directory, those of deleted files in its free parts included, without `.` and `..`.

    Args:
        data: the blocks, uint8.
        block: bytes of a block.
        last: the highest inode number that a name may have.
        old: entries of the first kind, whose name has two bytes of length and no type.
        gone: the directory itself is deleted, and so are all its names.
        inode, place, size, live: filled; as many as bytes / 12 + 1 always suffice. `place` is where in `data` the name
            begins, `size` its bytes up to the first NUL.

    Returns how many there are.
    """
    count = 0
    for start in range(0, len(data), block):
        long = min(block, len(data) - start)
        at, free = np.int64(0), np.int64(0)  # `free`: bytes of the free part that we are in.
        while at + _SHORTEST <= long:
            here = start + at
            number, span = _four(data, here), _two(data, here + 4)
            letters = _two(data, here + 6) if old else np.int64(data[here + 6])
            need = (letters + 11) // 4 * 4
            if (
                number > last
                or letters == 0
                or letters > 255
                or span < need
                or span % 4
                or at + span > long
                or (free > 0 and free < need)
            ):
                at += 4
                free = free - 4 if free > 4 else np.int64(0)
                continue
            good = free == 0 and number != 0 and not gone
            free = free - need if free > need else np.int64(0)
            cut = np.int64(letters)
            for i in range(letters):
                if data[here + 8 + i] == 0:
                    cut = np.int64(i)
                    break
            dots = (cut == 1 or cut == 2) and data[here + 8] == 0x2E and data[here + 7 + cut] == 0x2E
            if not dots and count < len(inode):
                inode[count], place[count], size[count], live[count] = number, here + 8, cut, good
                count += 1
            step = need
            if free == 0:
                if span - need >= _SHORTEST:
                    free = span - need
                else:
                    step = span
            at += step
    return count


@njit(cache=True, nogil=True)
def paths(prefix, data, place, size, out, ends):  # type: ignore[no-untyped-def]
    """`prefix` and each name, one behind another.

    Args:
        prefix: uint8, ends with `/` unless it is empty.
        data, place, size: as `names` gives them.
        out: uint8, filled; as many as all need.
        ends: int32 (names + 1), filled with where each begins and ends in `out`.

    Returns whether all names are printable ASCII without `/`; where not, `out` is good for nothing.
    """
    at = 0
    ends[0] = 0
    for row in range(len(place)):
        for i in range(len(prefix)):
            out[at + i] = prefix[i]
        at += len(prefix)
        for i in range(size[row]):
            letter = data[place[row] + i]
            if letter < 0x20 or letter > 0x7E or letter == 0x2F:
                return False
            out[at + i] = letter
        at += size[row]
        ends[row + 1] = at
    return True


@njit(cache=True, nogil=True)
def places(inodes, sizes, block, base, most, offset, length, ends, kind, sparse):  # type: ignore[no-untyped-def]
    """Where the files of many inodes lie.

    Args:
        inodes: uint8 (files, at least 100).
        sizes: int64 (files,), bytes of each file.
        block: bytes of a block.
        base: where on the media the file system begins.
        most: blocks of the file system.
        offset, length: int64, filled with the pieces of all files; twelve a file always suffice.
        ends: int32 (files + 1), filled with where each file's pieces begin and end.
        kind: uint8, filled: `PLAIN`; `DEEP` for files whose places lie in blocks of their own, `ODD` for what makes no
            sense or lies in the inode itself.
        sparse: bool, filled: a file of holes alone.
    """
    at = 0
    ends[0] = 0
    for row in range(len(inodes)):
        inode, size = inodes[row], sizes[row]
        kind[row], sparse[row] = PLAIN, False
        left, begun, stored, holes = size, at, 0, 0
        flags = _four(inode, 32)
        if flags & _EXTENTS:
            count, depth = _two(inode, 42), _two(inode, 46)
            if _two(inode, 40) != _MAGIC or count > 4:
                kind[row] = ODD
            elif count and depth:
                kind[row] = DEEP
            else:
                if not count:
                    holes = 1
                logical = np.int64(0)
                for i in range(count):
                    here = 52 + 12 * i
                    first, many = _four(inode, here), _two(inode, here + 4)
                    start = _two(inode, here + 6) << 32 | _four(inode, here + 8)
                    written = many <= _WRITTEN
                    if not written:
                        many -= _WRITTEN
                    if first < logical or many == 0 or (written and (start == 0 or start + many > most)):
                        kind[row] = ODD
                        break
                    if first > logical:
                        holes += 1
                        left -= (first - logical) * block
                    part = min(many * block, max(left, 0))
                    left -= many * block
                    logical = first + many
                    if written:
                        stored += 1
                        if part:
                            offset[at], length[at] = base + start * block, part
                            at += 1
                    else:
                        holes += 1
        elif flags & _INLINE or size < 0:
            kind[row] = ODD
        elif size > 12 * block:
            kind[row] = DEEP
        else:
            wanted = (size + block - 1) // block
            before = np.int64(-1)
            for i in range(12):
                start = _four(inode, 40 + 4 * i)
                if start >= most:
                    kind[row] = ODD
                    break
                if start == 0:
                    holes += 1
                elif i >= wanted:
                    # What stands behind the end of the file: nobody's, unless all before is holes.
                    if not stored and wanted:
                        kind[row] = ODD
                        break
                else:
                    part = min(block, left - i * block)
                    stored += 1
                    if before > 0 and start == before + 1:
                        length[at - 1] += part
                    else:
                        offset[at], length[at] = base + start * block, part
                        at += 1
                before = start
        if kind[row] != PLAIN:
            at = begun
        sparse[row] = kind[row] == PLAIN and size > 0 and stored == 0 and holes > 0
        ends[row + 1] = at
