"""The root of every error that Safelight raises on purpose.

::

    SafelightError
    ├── StandardsError         a standards file is malformed or contradicts itself      (safelight.standards)
    ├── MatchingError          a hash set or list cannot be read or used                (safelight.matching)
    ├── EvidenceError          evidence cannot be opened or read                        (safelight.triage)
    ├── ExchangeError          a platform's question cannot be answered                 (safelight.exchange.errors)
    ├── LinkageError           a source, a model or a decision cannot be used            (safelight.linkage.errors)
    ├── MeasuresError          a figure cannot be computed from what was given          (safelight.measures.errors)
    ├── BackupError            a backup cannot be written or restored                   (safelight.backup.errors)
    └── CaseworkError          a step in the case work is not possible                  (safelight.casework)

Each message says what is wrong, where, and what to do about it, in one line that a person can act on.
The command line prints it and exits with 2 (bad input), 3 (finished, but parts were not read) or 1 (a fault of ours).
"""

from __future__ import annotations


class SafelightError(Exception):
    """Something that a person can understand and act on.

    Args:
        what: what is wrong, and where (a file, a row, a field).
        fix: what the reader can do about it; left out only where there is nothing to do.
    """

    def __init__(self, what: str, *, fix: str = "") -> None:
        self.what = what
        self.fix = fix
        super().__init__(f"{what} {fix}".strip())


class StandardsError(SafelightError):
    """A standards file is malformed or contradicts itself."""


class MatchingError(SafelightError):
    """A hash set or list cannot be read or used."""


class EvidenceError(SafelightError):
    """Evidence cannot be opened or read."""


class ExchangeError(SafelightError):
    """A platform's question cannot be answered, or the exchange cannot work.

    Args:
        code: a short word that a program can act on.
        status: the HTTP status that says the same.
    """

    def __init__(self, what: str, *, fix: str = "", code: str = "fault", status: int = 500) -> None:
        super().__init__(what, fix=fix)
        self.code = code
        self.status = status


class CaseworkError(SafelightError):
    """A step in the case work is not possible as asked."""
