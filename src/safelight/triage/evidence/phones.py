"""Extractions of telephones, recognised by the paths of their files, so that the record says what an archive is.

Paths: Apple's and Android's file system layouts; the layouts of iTunes backups, `adb backup` and Cellebrite's UFDR.
"""

from __future__ import annotations

import re
from collections import Counter

#: How every note of this kind begins.
LOOKS_LIKE = "It looks like"
_APPLE, _ANDROID = "an iPhone or iPad (iOS)", "an Android device"
#: (what it is a sign of, the path, how many files must have one).
_SIGNS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    (
        f"a full file system extraction of {_APPLE}",
        re.compile(r"(^|/)private/var/(mobile/(Media|Library|Containers)|containers|root)/"),
        3,
    ),
    (
        f"a full file system extraction of {_ANDROID}",
        re.compile(r"(^|/)data/((data|user/\d+|user_de/\d+)/[a-z]\w*(\.\w+)+|media/\d+|system)/"),
        3,
    ),
    (
        f"a backup of {_APPLE} by iTunes or Finder",
        re.compile(r"(^|/)([0-9a-f]{2}/)?[0-9a-f]{40}$"),
        3,
    ),
    (
        f"the media of {_APPLE} (AFC)",
        re.compile(r"(^|/)(DCIM/\d{3}APPLE/|PhotoData/(Photos\.sqlite|Thumbnails/|Mutations/))"),
        3,
    ),
    (
        f"the shared storage of {_ANDROID}",
        re.compile(r"(^|/)(sdcard|storage/emulated/\d+|shared/\d+|Android/(media|data)/[a-z]\w*(\.\w+)+)/"),
        3,
    ),
    (f"an `adb backup` of {_ANDROID}", re.compile(r"(^|/)apps/[a-z]\w*(\.\w+)+/(_manifest$|[a-z]{1,3}/)"), 3),
    ("a Cellebrite report package (UFDR)", re.compile(r"^report\.xml$"), 1),
)
_MANIFEST = re.compile(r"(^|/)Manifest\.(db|mbdb|plist)$")


class PhoneSigns:
    """Counts the signs while the files of an archive or folder are listed."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._files = 0
        self._manifest = False

    def see(self, path: str) -> None:
        """Note one file."""
        self._files += 1
        self._manifest |= _MANIFEST.search(path) is not None
        for name, pattern, _ in _SIGNS:
            if pattern.search(path):
                self._seen[name] += 1
                return

    def note(self) -> str | None:
        """What it looks like, for the record; None where nothing is known."""
        for name, _, least in _SIGNS:
            if "iTunes" in name and not self._manifest:
                continue  # Names of 40 hex digits alone are any program's.
            count = self._seen[name]
            if count >= least:
                said = f"{LOOKS_LIKE} {name}, by the paths of {count:,} of its {self._files:,} files."
                if "iTunes" in name:
                    said += (
                        " Its files bear hashes for names; if the backup is encrypted they are noise without its key."
                    )
                return said
        return None
