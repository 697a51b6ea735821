"""The whole command beside what is done without it: fiwalk, a look-up of its digests, reference PDQ of the pictures.

Used by `benchmarks/triage.py`. Lists of 10 million MD5 and a million PDQ are made once and imported once; importing is
not measured, nor is making the peers' own indexes (a SQLite table by digest, faiss's multi-index for PDQ).
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import re
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

MD5S, PDQS, PLANTED = 10_000_000, 1_000_000, 40
_PICTURES = (".jpg", ".png")


def programme() -> str:
    """The command of this environment."""
    return str(Path(sys.executable).with_name("safelight"))


def planted(files: Path) -> tuple[list[Path], list[Path]]:
    """The files whose MD5 is listed, and the pictures of which a near PDQ is listed."""
    texts = sorted(files.rglob("*.txt"))[:PLANTED]
    # Pictures with structure: the thumbs are too plain for PDQ.
    pictures = [p for p in sorted(files.rglob("*.jpg")) if p.stat().st_size > 100_000][:PLANTED]
    return texts, pictures


def lists(folder: Path, files: Path) -> Path:
    """The store with both lists, and the peers' indexes beside it; made once."""
    store = folder / "store"
    if (folder / "whole-made").exists():
        return store
    from PIL import Image

    from safelight.matching.pdq import pdq

    rng = np.random.default_rng(11)
    texts, pictures = planted(files)
    digests = rng.integers(0, 256, (MD5S, 16), dtype=np.uint8)
    for row, path in enumerate(texts):
        digests[row] = np.frombuffer(hashlib.md5(path.read_bytes()).digest(), np.uint8)
    codes = rng.integers(0, 256, (PDQS, 32), dtype=np.uint8)
    for row, path in enumerate(pictures):
        with Image.open(path) as picture:
            codes[row] = np.frombuffer(pdq(np.asarray(picture.convert("RGB"))).code, np.uint8)
        codes[row, :2] ^= 0x0F  # Eight bits away.
    for name, values in (("md5", digests), ("pdq", codes)):
        width = 2 * values.shape[1]
        text = values.tobytes().hex()
        with (folder / f"{name}.csv").open("w") as out:
            out.write(f"{name}\n")
            for at in range(0, len(text), width):
                out.write(f"{text[at : at + width]}\n")
        subprocess.run(
            [programme(), "hashset", "import", str(folder / f"{name}.csv"), "--name", f"Benchmark {name}",
             "--version", "1", "--kind", "known", "--source", "Synthetic", "--basis", "A benchmark",
             "--store", str(store / name)],
            check=True, capture_output=True,
        )  # fmt: skip
    database = sqlite3.connect(folder / "peer.sqlite3")
    database.execute("CREATE TABLE listed (md5 BLOB PRIMARY KEY) WITHOUT ROWID")
    ordered = digests[np.lexsort(digests.T[::-1])].tobytes()
    rows = ((ordered[at : at + 16],) for at in range(0, len(ordered), 16))
    database.executemany("INSERT OR IGNORE INTO listed VALUES (?)", rows)
    database.commit()
    database.close()
    import faiss

    index = faiss.IndexBinaryMultiHash(256, 11, 23)
    index.add(codes)
    index.nflip = 2
    faiss.write_index_binary(index, str(folder / "peer.faiss"))
    (folder / "whole-made").touch()
    return store


class Memory:
    """Resident memory of a process and its children, ten times a second: of each its own pages, and shared ones once
    (its proportional share, PSS)."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self.largest = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            sizes = [self._size(pid) for pid in _family(self._pid)]
            self.peak = max(self.peak, sum(sizes))
            self.largest = max(self.largest, max(sizes, default=0))

    @staticmethod
    def _size(pid: int) -> int:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            return 0
        found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
        return int(found[1]) << 10 if found else 0


def _family(pid: int) -> list[int]:
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            todo += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
        except OSError:
            continue
    return found


def ours(image: Path, store: Path, report: Path) -> Memory:
    """The command as a person gives it; the memory of all its processes."""
    words = [programme(), "triage", str(image), "--report", str(report), "--fresh", "--quiet", "--operator", "Bench"]
    for each in sorted(p for p in store.iterdir() if p.is_dir()):
        words += ["--hash-set", str(each)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with Memory(process.pid) as memory:
        _, said = process.communicate()
    assert process.returncode in (0, 3), said
    return memory


def findings(report: Path) -> int:
    """How many files the report of the command names."""
    found = report / "report.json"
    return len({f["path"] for f in json.loads(found.read_text())["findings"]})


def _reference(path: Path) -> tuple[str, bytes, int]:
    import pdqhash
    from PIL import Image

    with Image.open(path) as picture:
        bits, quality = pdqhash.compute(np.asarray(picture.convert("RGB")))
    return path.name, np.packbits(bits).tobytes(), int(quality)


def theirs(image: Path, files: Path, folder: Path, processes: int) -> dict[str, float]:
    """fiwalk, the look-up of its digests, reference PDQ (pdqhash) of the pictures in as many processes as there are
    processors, and the look-up of those: wall seconds of each, and the files found."""
    import faiss

    steps: dict[str, float] = {}
    begun = time.perf_counter()
    xml = folder / "whole.xml"
    xml.unlink(missing_ok=True)
    subprocess.run(["fiwalk", "-X", str(xml), str(image)], check=True, capture_output=True)
    steps["fiwalk"], begun = time.perf_counter() - begun, time.perf_counter()
    database = sqlite3.connect(folder / "peer.sqlite3")
    found = 0
    for digest in re.findall(r"<hashdigest type='md5'>([0-9a-f]{32})<", xml.read_text()):
        row = database.execute("SELECT 1 FROM listed WHERE md5 = ?", (bytes.fromhex(digest),)).fetchone()
        found += row is not None
    steps["look-up of MD5"], begun = time.perf_counter() - begun, time.perf_counter()
    pictures = sorted(p for p in files.rglob("*") if p.suffix in _PICTURES)
    with multiprocessing.Pool(processes) as pool:
        hashed = pool.map(_reference, pictures, chunksize=20)
    steps["reference PDQ"], begun = time.perf_counter() - begun, time.perf_counter()
    index = faiss.read_index_binary(str(folder / "peer.faiss"))
    good = np.array([np.frombuffer(code, np.uint8) for _, code, quality in hashed if quality >= 50])
    limits, _, _ = index.range_search(good, 32)
    found += int((np.diff(limits) > 0).sum())
    steps["look-up of PDQ"] = time.perf_counter() - begun
    steps["found"] = found
    return steps
