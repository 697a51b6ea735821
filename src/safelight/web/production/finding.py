"""What a check of an installation found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

UNSAFE, ADVICE = "unsafe", "advice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        code: a stable word for programs, such as "settings.debug".
        level: ``UNSAFE`` (no real case may be worked on like this) or ``ADVICE``.
        what: what is wrong.
        where: the setting, file, table or process.
        fix: how to mend it.
    """

    code: str
    level: str
    what: str
    where: str
    fix: str


@dataclass(slots=True)
class Report:
    """All findings of one check, and the names of what was looked at."""

    findings: list[Finding] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)

    @property
    def safe(self) -> bool:
        """Whether nothing unsafe was found."""
        return all(finding.level != UNSAFE for finding in self.findings)

    def add(self, name: str, found: Iterable[Finding]) -> None:
        self.looked_at.append(name)
        self.findings.extend(found)

    def as_json(self) -> dict[str, Any]:
        return {"safe": self.safe, "looked_at": self.looked_at, "findings": [asdict(f) for f in self.findings]}


Look = Callable[[], Iterable[Finding]]


def unsafe(code: str, what: str, where: str, fix: str) -> Finding:
    return Finding(code, UNSAFE, what, where, fix)


def advice(code: str, what: str, where: str, fix: str) -> Finding:
    return Finding(code, ADVICE, what, where, fix)
