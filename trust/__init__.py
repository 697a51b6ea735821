"""What Safelight promises, tried at full size: forged ledgers, killed processes, hostile evidence.

Each module here is a part with ``run(size) -> Result``, where ``size`` is ``"small"`` (what the tests run) or
``"full"`` (what ``make trust`` runs and ``docs/validation/`` records). A part may say more of itself:

``TITLE``
    heading of its page; the module's docstring is the page's first paragraph.
``DATABASES``
    ``("sqlite", "postgresql")`` when it works through Django on a migrated database, once on each. Without it, the part
    needs none, or starts its own.
``ORDER``
    parts run by it, then by name; default 50, the long ones later.

Everything a part makes is synthetic and lies in a folder of its own that it removes.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Size = Literal["small", "full"]


@dataclass(frozen=True)
class Row:
    """One kind of trial: how many were made, and how many ended as they must."""

    test: str
    tried: int
    right: int
    seen: str = ""

    @property
    def held(self) -> bool:
        return self.tried > 0 and self.right == self.tried


@dataclass(frozen=True)
class Figure:
    """Something measured, with its target where there is one. A missed target is written down and fails nothing."""

    what: str
    value: str
    target: str = ""
    met: bool = True


@dataclass
class Result:
    """What a part found. ``failures`` are sentences; none, and every row held: the promise was kept."""

    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return bool(self.rows) and not self.failures and all(row.held for row in self.rows)

    def add(self, test: str, tried: int, right: int, seen: str = "") -> None:
        """Add a row."""
        self.rows.append(Row(test, tried, right, seen))

    def measured(self, what: str, value: str, target: str = "", *, met: bool = True) -> None:
        """Add a figure."""
        self.figures.append(Figure(what, value, target, met))

    def fail(self, what: str) -> None:
        """Add a failure, and say it at once."""
        self.failures.append(what)
        say(f"FAILED: {what}")

    def as_json(self) -> dict[str, Any]:
        """For the parent process."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Result:
        """The reverse of :meth:`as_json`."""
        return cls(
            [Row(**row) for row in data["rows"]], [Figure(**one) for one in data["figures"]], list(data["failures"])
        )


def say(what: str) -> None:
    """Tell whoever waits."""
    print(f"  {what}", file=sys.stderr, flush=True)


class Progress:
    """``with Progress("forgeries", 10_000) as step: step()`` says how far it is every few seconds."""

    def __init__(self, what: str, total: int, every: float = 10.0) -> None:
        self.what, self.total, self.every = what, total, every
        self.done = 0
        self._begun = self._said = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, count: int = 1) -> None:
        self.done += count
        now = time.monotonic()
        if self.done and now - self._said >= self.every:
            self._said = now
            left = (now - self._begun) / self.done * (self.total - self.done)
            say(f"{self.what}: {self.done:,} of {self.total:,}, about {left:,.0f} s more")
