"""The data folder beside the database: hash sets, reports, manifests, submissions; whole, then what changed."""

from __future__ import annotations

import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from safelight.backup.errors import NotRestored
from safelight.backup.parts import CHUNK

REMOVED = ".safelight-removed.json"
State = dict[str, tuple[int, int, int]]  # path -> time of change (ns), size (bytes), number of the file


def state_of(data: Path, *, leave_out: Iterable[Path]) -> State:
    """Every ordinary file below ``data`` but for what is left out. Links are not followed."""
    out = {path.absolute() for path in leave_out}
    found: State = {}
    for folder, folders, files in os.walk(data):
        here = Path(folder).absolute()
        folders[:] = sorted(name for name in folders if here / name not in out)
        for name in sorted(files):
            path = here / name
            if path in out or path.is_symlink() or not path.is_file():
                continue
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue  # gone between the listing and the look
            found[path.relative_to(data.absolute()).as_posix()] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found


def pieces_of(data: Path, now: State, before: State) -> Iterator[bytes] | None:
    """A tar of what is new or changed since ``before``, with a list of what is gone; None when nothing is."""
    changed = [name for name, state in now.items() if before.get(name) != state]
    removed = sorted(before.keys() - now.keys())
    return _tar(data, changed, now, removed) if changed or removed else None


def _tar(data: Path, changed: list[str], now: State, removed: list[str]) -> Iterator[bytes]:
    gone = json.dumps(removed).encode()
    yield from _member(REMOVED, len(gone), 0, 0o600, iter([gone]))
    for name in changed:
        path = data / name
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                # As large as when it was listed: what is appended meanwhile is a change, and comes with the next step.
                size = min(now[name][1], stat.st_size)
                yield from _member(name, size, stat.st_mtime, stat.st_mode & 0o777, _exactly(file, size))
        except FileNotFoundError:
            continue
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(name: str, size: int, mtime: float, mode: int, content: Iterable[bytes]) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, mtime, mode
    yield info.tobuf(tarfile.PAX_FORMAT)
    yield from content
    yield bytes(-size % tarfile.BLOCKSIZE)


def _exactly(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        piece = file.read(min(size, CHUNK)) or bytes(min(size, CHUNK))  # cut short meanwhile: filled, and comes again
        yield piece
        size -= len(piece)


@contextmanager
def unpacking(target: Path) -> Iterator[Callable[[bytes], object]]:
    """A sink that unpacks the tar it is given below ``target``.

    Raises:
        NotRestored: it is no tar, or names a place outside the target.
    """
    receive, send = os.pipe()
    faults: list[BaseException] = []
    # A pipe, so that no second copy of a large folder lies on the disk.
    worker = threading.Thread(target=_unpack, args=(receive, target, faults))
    worker.start()
    out = os.fdopen(send, "wb", buffering=0)

    def sink(piece: bytes) -> None:
        with suppress(BrokenPipeError):  # the reader stopped; its own fault is told below
            out.write(piece)

    try:
        yield sink
    finally:
        out.close()
        worker.join()
    if faults:
        raise NotRestored(f"The files of the backup cannot be unpacked: {faults[0]}.", fix="Take another copy.")


def _unpack(receive: int, target: Path, faults: list[BaseException]) -> None:
    with os.fdopen(receive, "rb") as file:
        try:
            with tarfile.open(fileobj=file, mode="r|") as tar:
                for member in tar:
                    if member.name == REMOVED:
                        inside = tar.extractfile(member)
                        for name in json.loads(inside.read() if inside else b"[]"):
                            if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts:
                                (target / name).unlink(missing_ok=True)
                    else:
                        tar.extract(member, target, filter="data")
        except (tarfile.TarError, OSError, ValueError) as error:
            faults.append(error)
