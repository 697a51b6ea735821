"""OWASP ASVS 5.0.0 as docs/validation/asvs.csv: reads it, checks every answer, and writes its summary.

``python -m tests.support.asvs`` writes docs/validation/asvs.md anew. The requirements are OWASP's (CC BY-SA 4.0); what
stands in the file is the number and the level of each, and our own short paraphrase.
"""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs/validation/asvs.csv"
PAGE = ROOT / "docs/validation/asvs.md"
COLUMNS = ("id", "level", "requirement", "status", "answer", "note")
STATUSES = ("test", "document", "not_applicable", "open")
# How many requirements each chapter has, from the published file of 5.0.0: (level 1, level 2, level 3).
PUBLISHED = {
    1: (8, 19, 3), 2: (4, 7, 2), 3: (8, 11, 12), 4: (2, 8, 6), 5: (4, 5, 4), 6: (13, 22, 12), 7: (6, 12, 1),
    8: (4, 3, 6),
    9: (4, 3, 0), 10: (5, 24, 7), 11: (3, 11, 10), 12: (3, 6, 3), 13: (1, 12, 8), 14: (2, 7, 4), 15: (3, 10, 8),
    16: (0, 16, 1), 17: (0, 7, 5),
}  # fmt: skip
LEVEL_3 = (6, 7, 8, 11, 14, 16)
NAMES = {
    1: "Encoding and sanitisation", 2: "Validation and business logic", 3: "Web front end", 4: "API and web service",
    5: "Files", 6: "Authentication", 7: "Sessions", 8: "Authorisation", 9: "Self-contained tokens",
    10: "OAuth and OIDC",
    11: "Cryptography", 12: "Communication", 13: "Configuration", 14: "Data protection", 15: "Coding and architecture",
    16: "Logging and errors", 17: "WebRTC",
}  # fmt: skip


@dataclass(frozen=True)
class Requirement:
    """One line of the file."""

    id: str
    level: int
    requirement: str
    status: str
    answer: tuple[str, ...]
    note: str

    @property
    def chapter(self) -> int:
        return int(self.id.split(".")[0])


def read() -> list[Requirement]:
    """The file, in its order."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        assert tuple(rows.fieldnames or ()) == COLUMNS
        return [
            Requirement(
                row["id"], int(row["level"]), row["requirement"], row["status"],
                tuple(one for one in row["answer"].split(";") if one), row["note"],
            )
            for row in rows
        ]  # fmt: skip


@cache
def _tests_in(path: str) -> frozenset[str]:
    """``test_x`` and ``TestX::test_y`` of a file, without importing it."""
    place = ROOT / path
    if not place.is_file() or not place.name.startswith("test_"):
        return frozenset()
    found = set()
    for node in ast.parse(place.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            found.add(node.name)
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found |= {
                f"{node.name}::{one.name}"
                for one in node.body
                if isinstance(one, ast.FunctionDef) and one.name.startswith("test")
            }
    return frozenset(found)


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def fault(row: Requirement) -> str:
    """What is wrong with an answer; "" for nothing."""
    if row.status == "test":
        missing = [one for one in row.answer if one.partition("::")[2] not in _tests_in(one.partition("::")[0])]
        return f"no such test: {', '.join(missing)}" if missing else ("" if row.answer else "names no test")
    if row.status == "document":
        for one in row.answer:
            path, _, anchor = one.partition("#")
            if not (ROOT / path).is_file():
                return f"no such document: {path}"
            if anchor and anchor not in _anchors(ROOT / path):
                return f"no such heading: {one}"
        return "" if row.answer else "names no document"
    if row.status not in STATUSES:
        return f"unknown status {row.status!r}"
    return "" if row.note and not row.answer else "says not why, or names an answer"


def page() -> str:
    """The summary, in Markdown."""
    rows = read()
    lines = [
        "# OWASP ASVS 5.0.0",
        "",
        "Each requirement of level 1 and 2, and of level 3 in the chapters on authentication, sessions, authorisation,",
        "cryptography, data protection and logging, with its answer: [asvs.csv](asvs.csv). A named test must exist, or",
        "the build fails (`tests/test_asvs.py`); that it passes, the build shows. A document is for people to judge.",
        "*Open* is what is not met, or not shown. This is our own reading; no outsider has verified it.",
        "",
        "The requirements are those of the [OWASP Application Security Verification Standard]"
        "(https://owasp.org/www-project-application-security-verification-standard/),",
        "© OWASP Foundation, CC BY-SA 4.0; the wording in our file is our own paraphrase.",
        "",
        "| level | requirements | test | document | not applicable | open |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for level in (1, 2, 3):
        counts = Counter(row.status for row in rows if row.level == level)
        cells = " | ".join(str(counts[status]) for status in STATUSES)
        lines.append(f"| {level} | {sum(counts.values())} | {cells} |")
    lines += ["", lines[-5].replace("level", "chapter"), lines[-4]]
    for chapter, name in NAMES.items():
        counts = Counter(row.status for row in rows if row.chapter == chapter)
        cells = " | ".join(str(counts[status]) for status in STATUSES)
        lines.append(f"| V{chapter} {name} | {sum(counts.values())} | {cells} |")
    lines += ["", "## Open", "", "| requirement | level | what it asks | what is missing |", "|---|---|---|---|"]
    lines += [f"| {row.id} | {row.level} | {row.requirement} | {row.note} |" for row in rows if row.status == "open"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
