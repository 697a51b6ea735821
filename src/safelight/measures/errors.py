"""What the measures refuse, and why.

::

    SafelightError
    └── MeasuresError              a figure cannot be computed from what was given
        ├── CountError             a count, share or parameter that cannot be: k > n, a negative count, a level of 1.5
        ├── EmptySampleError       there is nothing to measure: no case, no event, no month
        ├── TooFewCasesError       something to measure, but too little for an honest answer (a stratum with one case)
        ├── ScaleMismatchError     grades of two scales, and nobody declared how one maps to the other
        ├── NotEstimableError      the data do not determine the answer (perfect separation, every case the same)
        ├── DisclosureError        tables that would let someone work out a small count, or cannot be proven not to
        └── FiguresFileError       the published figures are malformed or contradict themselves

A measure never answers with NaN: it answers rightly, says ``None`` with a reason, or raises one of these.
"""

from __future__ import annotations

from collections.abc import Iterable

from safelight.errors import SafelightError


class MeasuresError(SafelightError):
    """A figure cannot be computed from what was given."""


class CountError(MeasuresError):
    """A count, a share or a parameter that cannot be."""


class EmptySampleError(MeasuresError):
    """There is nothing to measure."""


class TooFewCasesError(MeasuresError):
    """There is something to measure, but too little for an honest answer."""


class ScaleMismatchError(MeasuresError):
    """Grades of two scales are compared without a declared mapping, or a grade is not on its scale."""


class NotEstimableError(MeasuresError):
    """The data do not determine the answer."""


class DisclosureError(MeasuresError):
    """Tables that would let someone work out a small count, or that cannot be proven not to."""


class FiguresFileError(MeasuresError):
    """The published figures are malformed or contradict themselves; ``faults`` has them all, one line each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))
