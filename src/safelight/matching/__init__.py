"""Hash sets and matching: exact digests, PDQ, readers and writers of list formats. A library of its own.

::

    from safelight.matching import Matcher, read_hash_set
    from safelight.matching.pdq import pdq

    read = read_hash_set(Path("list.json"), name="National list", category_of=site_map)
    matcher = Matcher([read.hash_set])
    matcher.exact(md5=digest)
    matcher.perceptual(pdq(pixels).code)

Names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safelight.matching.digest_build import build_digest_file
    from safelight.matching.digests import DigestIndex
    from safelight.matching.entry import Counts, HashSetEntry, Provenance
    from safelight.matching.frames import FrameHash, VideoFrames, hash_frames, hash_video
    from safelight.matching.hamming import BatchHits, Lookup, PdqIndex
    from safelight.matching.hashset import HashSet, HashSetBuilder
    from safelight.matching.hashtext import parse_digest
    from safelight.matching.live import LivePdqIndex
    from safelight.matching.matcher import Match, Matcher
    from safelight.matching.pdq import DISTANCE_THRESHOLD, QUALITY_GATE, PdqHash, parse_pdq
    from safelight.matching.readers import ReadResult, RejectedRow, read_hash_set
    from safelight.matching.variants import QueryHash, dihedral, query_hashes, trim_borders
    from safelight.matching.vics import (
        UK_CONTEXT,
        VicsCase,
        VicsMedia,
        VicsMediaFile,
        WrittenSubmission,
        write_vics_submission,
    )
    from safelight.matching.vics_validate import validate_vics
    from safelight.matching.video import VideoIndex, VideoMatch
    from safelight.matching.warmup import warm_up

_HOMES = {
    "build_digest_file": "digest_build",
    "DigestIndex": "digests",
    "Counts": "entry",
    "HashSetEntry": "entry",
    "Provenance": "entry",
    "FrameHash": "frames",
    "VideoFrames": "frames",
    "hash_frames": "frames",
    "hash_video": "frames",
    "BatchHits": "hamming",
    "Lookup": "hamming",
    "PdqIndex": "hamming",
    "HashSet": "hashset",
    "HashSetBuilder": "hashset",
    "parse_digest": "hashtext",
    "LivePdqIndex": "live",
    "Match": "matcher",
    "Matcher": "matcher",
    "DISTANCE_THRESHOLD": "pdq",
    "QUALITY_GATE": "pdq",
    "PdqHash": "pdq",
    "parse_pdq": "pdq",
    "ReadResult": "readers",
    "RejectedRow": "readers",
    "read_hash_set": "readers",
    "QueryHash": "variants",
    "dihedral": "variants",
    "query_hashes": "variants",
    "trim_borders": "variants",
    "UK_CONTEXT": "vics",
    "VicsCase": "vics",
    "VicsMedia": "vics",
    "VicsMediaFile": "vics",
    "WrittenSubmission": "vics",
    "write_vics_submission": "vics",
    "validate_vics": "vics_validate",
    "VideoIndex": "video",
    "VideoMatch": "video",
    "warm_up": "warmup",
}

__all__ = [
    "DISTANCE_THRESHOLD",
    "QUALITY_GATE",
    "UK_CONTEXT",
    "BatchHits",
    "Counts",
    "DigestIndex",
    "FrameHash",
    "HashSet",
    "HashSetBuilder",
    "HashSetEntry",
    "LivePdqIndex",
    "Lookup",
    "Match",
    "Matcher",
    "PdqHash",
    "PdqIndex",
    "Provenance",
    "QueryHash",
    "ReadResult",
    "RejectedRow",
    "VicsCase",
    "VicsMedia",
    "VicsMediaFile",
    "VideoFrames",
    "VideoIndex",
    "VideoMatch",
    "WrittenSubmission",
    "build_digest_file",
    "dihedral",
    "hash_frames",
    "hash_video",
    "parse_digest",
    "parse_pdq",
    "query_hashes",
    "read_hash_set",
    "trim_borders",
    "validate_vics",
    "warm_up",
    "write_vics_submission",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
