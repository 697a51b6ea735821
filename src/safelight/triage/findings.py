"""From files that were read to findings: matched in batches against the hash sets, nothing matched twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from safelight.matching.matcher import Match, Matcher
from safelight.triage.model import FileRecord, FrameHash, Problem
from safelight.triage.result import Finding, HashSetRecord
from safelight.triage.settings import TriageSettings
from safelight.triage.videoset import ALGORITHM as VIDEO
from safelight.triage.videoset import VideoSet

if TYPE_CHECKING:
    from safelight.matching import HashSet


@dataclass(slots=True)
class FindingStage:
    """Matches records batch by batch.

    `findings` holds matches with sets of known material only; a file that a known-good set vouches for is counted in
    `known_good`, and is a finding none the less when a set of known material lists it. A likeness that was confirmed to
    be false, or to an entry in quarantine, is no finding; `set_aside` names it for the report.
    """

    hash_sets: Sequence[HashSet]
    settings: TriageSettings
    volume_of: dict[int, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    known_good: int = 0
    set_aside: list[Problem] = field(default_factory=list)

    def match(self, records: Sequence[FileRecord]) -> None:
        """Match one batch. Files without content, and files of which a part is missing, have no digest to match.

        Raises:
            MatchingError: two hash sets share a name.
        """
        matcher = Matcher(self.hash_sets)
        whole = [r for r in records if r.complete and r.entry.size and r.md5]
        exact = matcher.exact_batch(
            md5=[bytes.fromhex(r.md5) for r in whole],
            sha1=[bytes.fromhex(r.sha1) for r in whole],
            sha256=[bytes.fromhex(r.sha256) if r.sha256 else None for r in whole],
        )
        usable = [i for i, r in enumerate(whole) if r.pdq and (r.quality or 0) >= self.settings.min_quality]
        codes = [bytes.fromhex(whole[i].pdq or "") for i in usable]
        similar = matcher.perceptual_batch(codes, self.settings.threshold) if codes else {}
        near = {usable[position]: matches for position, matches in similar.items()}
        for index in sorted(set(exact) | set(near)):
            self._add(whole[index], exact.get(index, []), near.get(index, []))

    def candidates(self, records: Sequence[FileRecord], mode: str, margin: int) -> set[int]:
        """Positions of the records, hashed in a mode that begins so, that are listed pictures or nearly."""
        rough = [i for i, r in enumerate(records) if r.pdq and r.mode.startswith(mode)]
        if not rough or not self.hash_sets:
            return set()
        codes = [bytes.fromhex(records[i].pdq or "") for i in rough]
        near = Matcher(self.hash_sets).perceptual_batch(codes, min(self.settings.threshold + margin, 255))
        return {rough[position] for position in near}

    def film_candidates(
        self, records: Sequence[FileRecord], videos: VideoSet | None, mode: str, margin: int
    ) -> set[int]:
        """Positions of the videos, of which only key frames were looked at, that may be listed.

        One key frame near a listed picture, or in a listed video, is enough: between key frames nothing was looked at.
        """
        found = set()
        for position, record in enumerate(records):
            if not record.frames or not record.mode.startswith(mode):
                continue
            codes = [bytes.fromhex(f.pdq) for f in record.frames if f.quality >= self.settings.min_quality]
            threshold = min(self.settings.threshold + margin, 255)
            stills = self.hash_sets and codes and Matcher(self.hash_sets).perceptual_batch(codes, threshold)
            if stills or (videos and videos.share_a_frame(record.frames, threshold=self.settings.threshold)):
                found.add(position)
        return found

    def match_videos(self, records: Sequence[FileRecord], videos: VideoSet | None) -> None:
        """Match the frames of one batch's videos: with the pictures of the hash sets, and with a set of videos."""
        for record in records:
            if not record.frames:
                continue
            self._match_frames(record)
            for listed, match in videos.match(record.frames, threshold=self.settings.threshold) if videos else ():
                if listed.md5 == record.md5:
                    kind, algorithm, distance, notes = "exact", "md5", 0, []
                else:
                    kind, algorithm, distance = "perceptual", VIDEO, self.settings.threshold
                    notes = [
                        f"{match.query_percent:.0f} % of its {match.query_frames:,} distinct frames are in the listed "
                        f"video (MD5 {listed.md5}), and {match.compared_percent:.0f} % of that one's "
                        f"{match.compared_frames:,} in it, each within {self.settings.threshold} bits"
                    ]
                assert videos is not None
                found = Match(videos.name, videos.root, kind, algorithm, listed.category, distance, 0, False)
                self.findings.append(self.finding(record, found, notes))

    def _match_frames(self, record: FileRecord) -> None:
        """Frames that are listed pictures: the nearest for each set and category."""
        if not self.hash_sets:
            return
        usable = [f for f in record.frames if f.quality >= self.settings.min_quality]
        if not usable:
            return
        matcher = Matcher(self.hash_sets)
        near = matcher.perceptual_batch([bytes.fromhex(f.pdq) for f in usable], self.settings.threshold)
        best: dict[tuple[str, str | None], tuple[Match, FrameHash, int]] = {}
        for position, matches in near.items():
            for match in matches:
                if match.set_kind != "known" or match.set_aside:
                    continue
                key = (match.hash_set, match.category)
                old = best.get(key)
                count = old[2] + 1 if old else 1
                nearer = old is None or match.distance < old[0].distance
                best[key] = (match, usable[position], count) if nearer or old is None else (old[0], old[1], count)
        for match, frame, count in best.values():
            notes = [f"its frame at {frame.seconds:.1f} s is like a listed picture"]
            if count > 1:
                notes.append(f"{count} pairs of a frame and an entry match in this category; the nearest is given")
            self.findings.append(self.finding(replace(record, pdq=frame.pdq), match, notes))

    def _add(self, record: FileRecord, exact: list[Match], near: list[Match]) -> None:
        good = [m for m in exact if m.known_good]
        self.known_good += bool(good)
        named = {(m.hash_set, m.row) for m in exact}
        vouched = tuple(f"the known-good set {m.hash_set} lists this file too" for m in good[:1])
        best: dict[tuple[str, str, str | None], tuple[Match, int]] = {}
        confirmed = next((m for m in exact if m.set_kind == "negative"), None)
        for match in near:
            why = match.set_aside or (f"confirmed as another picture ({confirmed.hash_set})" if confirmed else "")
            if why and match.set_kind == "known" and (match.hash_set, match.row) not in named:
                words = f"Its likeness to an entry of {match.hash_set} ({match.distance} bits) was set aside: {why}."
                self.set_aside.append(Problem(record.entry.path, words))
        near = [m for m in near if not m.set_aside and confirmed is None]
        for match in (*exact, *near):
            if match.set_kind != "known" or (match.kind == "perceptual" and (match.hash_set, match.row) in named):
                continue
            key = (match.hash_set, match.kind, match.category)
            old, count = best.get(key, (match, 0))
            best[key] = (match if match.distance < old.distance else old, count + 1)
        for match, count in best.values():
            notes = list(vouched)
            if count > 1:
                notes.append(f"{count} entries of the set match in this category; the nearest is given")
            if match.disagrees:
                others = ", ".join(match.disagrees).upper()
                notes.append(f"its {others} differs from the entry's: a person must look at this match")
            self.findings.append(self.finding(record, match, notes))

    def finding(self, record: FileRecord, match: Match, notes: list[str]) -> Finding:
        """What the report says of a file that matches."""
        entry = record.entry
        if entry.overwritten:
            notes.append("a live file uses its place on the disk: the content may belong to that file")
        return Finding(
            kind=match.kind,
            algorithm=match.algorithm,
            category=match.category,
            hash_set=match.hash_set,
            hash_set_root=match.root,
            distance=match.distance,
            mode=record.mode if match.kind == "perceptual" else "",
            path=entry.path,
            name=entry.path.rsplit("/", 1)[-1],
            size=entry.size,
            state="live" if entry.allocated else "deleted",
            times=entry.times,
            offsets=tuple(e.offset for e in entry.extents[:100]),
            md5=record.md5,
            sha1=record.sha1,
            sha256=record.sha256,
            pdq=record.pdq,
            type=record.type,
            volume=self.volume_of.get(entry.filesystem, 0),
            filesystem=entry.filesystem,
            address=entry.address,
            names=entry.names,
            notes=(*entry.notes, *record.problems, *notes),
        )


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The gravest first: exact before perceptual within a category, then by place. The same order in every run."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (
                f.category is None, f.category or "", f.kind != "exact", f.distance, f.filesystem, f.path, f.hash_set,
                f.address or 0,
            ),
        )
    )  # fmt: skip


def describe_hash_set(hash_set: HashSet) -> HashSetRecord:
    """A hash set as the report names it."""
    counts = hash_set.counts()
    numbers = {"entries": counts.entries, **counts.by_hash}
    numbers |= {f"category {name or 'none'}": n for name, n in counts.by_category.items()}
    return HashSetRecord(hash_set.name, hash_set.version, hash_set.root, numbers, known_good=hash_set.known_good)
