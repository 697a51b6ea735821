"""Triage over evidence made to harm: mutated images (P1) and pictures (P2), bombs (P3), names (P4).

Everything is made on the spot and is the same in every run (`tests/support/hostile.py`). A test is right when its item
ended in a result or in one sentence and is in the count; *hangs cut* are parsers that were silent past their limit and
were ended, which the report names. All of it runs in the parsers' sandbox
([decision 0016](../decisions/0016-parsers-in-a-sandbox.md)).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.support import hostile

from safelight.errors import EvidenceError
from safelight.triage import TriageSettings, triage_device, write_report
from safelight.triage.pipeline import Bench
from trust import Progress, Result, Row, Size, say

TITLE = "Evidence made to harm"
ORDER = 90

#: The largest picture that is decoded (150 megapixels) is 1.1 GiB: once as its decoder has it, once as PDQ wants it.
MOST = 1280 << 20
#: Images, pictures, names; and bombs at full size only: their limits are minutes.
SIZES = {"small": (26, 120, 80), "full": (3_000, 20_000, 500)}


def run(size: Size) -> Result:
    """P1 to P4. The parts can be chosen with SAFELIGHT_HOSTILE, for example ``bombs,names``."""
    wanted_images, wanted_pictures, wanted_names = SIZES[size]
    chosen = os.environ.get("SAFELIGHT_HOSTILE", "").split(",")
    sets = {
        "images": lambda work, result: images(work, wanted_images, result),
        "pictures": lambda work, result: pictures(work, wanted_pictures, result),
        "bombs": bombs,
        "names": lambda work, result: names(work, wanted_names, result),
    }
    result = Result()
    for name, trial in sets.items():
        if (size == "full" or name != "bombs") and (chosen == [""] or name in chosen):
            with tempfile.TemporaryDirectory() as folder:
                result.rows.append(trial(Path(folder), result))
    return result


class Watch:
    """Peak memory of the child processes (resident, of each by itself), looked at ten times a second."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            for child in (self.bench.reader._child, *self.bench.pictures._children):
                pid = child.worker
                try:
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines() if pid else []
                except OSError:
                    continue
                for line in lines:
                    if line.startswith("VmHWM:"):
                        self.peak = max(self.peak, int(line.split()[1]) << 10)


def images(work: Path, wanted: int, out: Result) -> Row:
    """P1: each mutant ends in a result or in a sentence."""
    sources = hostile.image_sources(work)
    outcomes: Counter[str] = Counter()
    hung = crashed = faults = 0
    begun = time.monotonic()
    step = Progress("images", wanted)
    with Bench(TriageSettings(stall_seconds=5, picture_workers=1)) as bench, Watch(bench) as watch:
        for name, original in sources.items():
            path = work / f"mutant{Path(name).suffix}"
            share = wanted // len(sources) + (list(sources).index(name) < wanted % len(sources))
            for number in range(share):
                step()
                path.write_bytes(hostile.mutated_image(original, name, number))
                try:
                    result = triage_device([path], hash_sets=[], operator="Hostile", bench=bench)
                except EvidenceError as error:
                    outcomes["refused with a sentence"] += 1
                    if "did not answer in time" in error.what:
                        hung += 1
                        say(f"hang cut: {name} {number}: {error.what}")
                    crashed += "ended with" in error.what
                    continue
                except Exception as error:  # noqa: BLE001 - that is what is looked for
                    faults += 1
                    out.fail(f"FAULT {name} {number}: {type(error).__name__}: {error}")
                    continue
                outcomes[{"complete": "read whole"}.get(result.state, "read in part, parts named")] += 1
                words = " ".join([*(u.reason for u in result.unread), *(p.what for p in result.problems)])
                if "did not answer in time" in words:
                    hung += 1
                    say(f"hang cut: {name} {number}: {words[:300]}")
                crashed += "ended with" in words
                c = result.counts
                total = c.files_read + c.files_partly_read + c.files_not_read + c.empty + c.sparse + c.names_only
                if total < c.files:
                    faults += 1
                    out.fail(f"LOST {name} {number}: {c}")
            path.write_bytes(original)
            whole = triage_device([path], hash_sets=[], operator="Hostile", bench=bench)
            if whole.counts.files < 3:
                faults += 1
                out.fail(f"The bench no longer reads {name}")
    said = (
        f"{outcomes['read whole']:,} read whole, {outcomes['read in part, parts named']:,} in part, "
        f"{outcomes['refused with a sentence']:,} refused with a sentence"
    )
    right = sum(outcomes.values()) - faults
    title = f"P1 mutated images ({len(sources)} sources)"
    return Row(title, wanted, right, _seen(said, hung, crashed, watch.peak, begun))


def pictures(work: Path, wanted: int, out: Result) -> Row:
    """P2: every file of a folder of mutated pictures is in the count."""
    kinds = [*hostile.PICTURE_KINDS, "MP4"]
    originals = {k: hostile.picture(k) for k in hostile.PICTURE_KINDS} | {"MP4": hostile.videos()["doorknob"]}
    tally: Counter[str] = Counter()
    hung = crashed = faults = done = 0
    begun = time.monotonic()
    folder = work / "pictures"
    step = Progress("pictures", wanted)
    with Bench(TriageSettings(picture_seconds=10, picture_workers=2)) as bench, Watch(bench) as watch:
        while done < wanted:
            folder.mkdir()
            batch = min(1000, wanted - done)
            for number in range(done, done + batch):
                kind = kinds[number % len(kinds)]
                (folder / f"{number}.{kind.lower()}").write_bytes(
                    hostile.mutated_picture(originals[kind], kind, number)
                )
            records = []
            try:
                result = triage_device([folder], hash_sets=[], operator="Hostile", bench=bench, on_file=records.append)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                faults += 1
                out.fail(f"FAULT pictures {done}: {type(error).__name__}: {error}")
            else:
                words = [p for r in records for p in r.problems]
                stopped = [r.entry.path for r in records if any("was stopped" in w for w in r.problems)]
                hung += len(stopped)
                if stopped:
                    say(f"hangs cut: {', '.join(stopped[:20])}")
                crashed += sum("crashed" in w for w in words)
                if len({r.entry.path for r in records}) != batch or result.counts.files != batch:
                    faults += 1
                    out.fail(f"LOST {done}: {len(records)} records of {batch}")
                for r in records:
                    said = "not decoded, with a reason" if r.problems else "no longer a picture or video"
                    tally["hashed" if r.pdq else "hashed frame by frame" if r.frames else said] += 1
            done += batch
            step(batch)
            shutil.rmtree(folder)
    said = ", ".join(f"{n:,} {what}" for what, n in tally.most_common())
    title = f"P2 mutated pictures and videos ({len(kinds)} kinds)"
    return Row(title, wanted, sum(tally.values()) - faults, _seen(said, hung, crashed, watch.peak, begun))


def bombs(work: Path, out: Result) -> Row:
    """P3: each bomb on a device with a harmless picture, which must be read; memory and time are bounded."""
    place = work / "bombs"
    place.mkdir()
    hostile.bombs(place)
    slowest, peak, tried, hung, crashed, lost = ("", 0.0), 0, 0, 0, 0, 0
    begun = time.monotonic()
    with Bench(TriageSettings(picture_workers=1)) as bench, Watch(bench) as watch:
        for name in [*sorted(p.name for p in place.iterdir())]:
            tried += 1
            device = work / "device"
            device.mkdir()
            os.rename(place / name, device / name)
            good = hostile.picture("PNG")
            (device / "~harmless.png").write_bytes(good)
            start, records = time.monotonic(), []
            result = triage_device([device], hash_sets=[], operator="Hostile", bench=bench, on_file=records.append)
            took = time.monotonic() - start
            slowest = max(slowest, (name, took), key=lambda x: x[1])
            words = [p for r in records for p in r.problems] + [u.reason for u in result.unread]
            hung += any("in time" in w or "was stopped" in w for w in words)
            crashed += any("crashed" in w or "ended with" in w for w in words)
            saved = any(r.entry.path.endswith("~harmless.png") and r.pdq for r in records)
            if not saved:
                lost += 1
                out.fail(f"LOST the harmless picture beside {name}: {words[:3]}")
            say(
                f"{name}: {took:.1f} s, {watch.peak >> 20} MiB so far, {result.state}; "
                f"{(words or ['nothing to say'])[0][:110]}"
            )
            shutil.rmtree(device)
        peak = watch.peak
    if peak > MOST:
        out.fail(f"P3: a child took {peak >> 20:,} MiB, more than {MOST >> 20:,}.")
    said = f"the harmless picture beside each was read; slowest: {slowest[0]}, {slowest[1]:.0f} s"
    return Row("P3 bombs", tried, tried - lost, _seen(said, hung, crashed, peak, begun))


def names(work: Path, wanted: int, out: Result) -> Row:
    """P4: hostile names; nothing may be written but the report."""
    place = work / "names"
    place.mkdir()
    all_names = hostile.hostile_names(wanted)
    (place / "names.zip").write_bytes(hostile.zip_of_names(all_names))
    (place / "names.tar").write_bytes(hostile.tar_of_names(all_names))
    before = {p: p.stat().st_mtime_ns for p in work.rglob("*")}
    begun = time.monotonic()
    records = []
    with Bench(TriageSettings(picture_workers=1)) as bench, Watch(bench) as watch:
        result = triage_device([place], hash_sets=[], operator="Hostile", bench=bench, on_file=records.append)
    report = work / "report"
    write_report(result, report)
    written = [p for p in work.rglob("*") if before.get(p) != p.stat().st_mtime_ns and report not in (p, *p.parents)]
    written = [p for p in written if p != work]
    seen = sum(r.entry.origin == "member" for r in records)
    said = f"{seen:,} members listed and read; {len(written)} files written outside the report"
    if written:
        out.fail(f"P4: written outside the report: {', '.join(map(str, written[:5]))}")
    wanted_members = wanted + sum("\0" not in name for name in all_names)  # a NUL ends a name in a tar
    right = min(seen, wanted_members) - len(written)
    return Row("P4 hostile names (zip and tar)", wanted_members, right, _seen(said, 0, 0, watch.peak, begun))


def _seen(said: str, hung: int, crashed: int, peak: int, begun: float) -> str:
    return (
        f"{said}; {hung} hangs cut, {crashed} children lost, peak memory of a child {peak / (1 << 20):,.0f} MiB, "
        f"{time.monotonic() - begun:,.0f} s"
    )
