"""Disclosure policies: which counts are hidden, which are rounded, and what the reader may then know of each."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.measures.errors import CountError

WITHIN = 2
"""A cell that can be worked out to plus or minus this many people is disclosed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a release shows of a cell, and what follows from it: ``low <= count <= high`` (None: without limit)."""

    text: str
    low: int
    high: int | None

    @property
    def hidden(self) -> bool:
        """Whether the cell shows no number."""
        return not self.text.isdigit()


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule for one release.

    Attributes:
        id: its name in settings and in the record of a release.
        title: the same for people.
        smallest_shown: counts from 1 to one below it are hidden.
        base: everything shown is rounded to a multiple of it; 1 for exact figures.
        mark: what stands for a hidden count.
        source: where the rule comes from.
    """

    id: str
    title: str
    smallest_shown: int
    base: int
    source: str
    mark: str = "*"

    def __post_init__(self) -> None:
        if self.base < 1:
            raise CountError(f"The policy {self.id!r} rounds to {self.base}.", fix="Give 1 (exact) or more.")
        if self.smallest_shown < 2 * WITHIN + 4:
            raise CountError(
                f"The policy {self.id!r} hides 1 to {self.smallest_shown - 1} only: knowing that much is knowing a "
                f"count to within {WITHIN}.",
                fix=f"Hide at least 1 to {2 * WITHIN + 3}.",
            )

    def is_small(self, count: int) -> bool:
        """Whether a count is so small that it must not be known."""
        return 0 < count < self.smallest_shown

    def show(self, count: int, *, hide: bool = False) -> Shown:
        """A count as the policy shows it. ``hide``: hidden to protect another (a secondary suppression)."""
        if self.is_small(count) or hide:
            return Shown(self.mark, 1, None)
        rounded = (2 * count + self.base) // (2 * self.base) * self.base
        # round half up: the counts that give this multiple
        low = max(0, rounded - self.base // 2)
        high = rounded + (self.base - 1) // 2
        # A zero is shown as it is, so that a rounded count was not one of those that are hidden.
        return Shown(str(rounded), 0, 0) if count == 0 else Shown(str(rounded), max(low, self.smallest_shown), high)


PRESETS = {
    policy.id: policy
    for policy in (
        Policy("round5", "1 to 7 hidden, everything else rounded to 5", 8, 5,
               "NHS Digital, Hospital Episode Statistics disclosure control since September 2018"),
        Policy("threshold10", "1 to 9 hidden, everything else exact, further cells hidden to protect them", 10, 1,
               "the rule of ten of the ONS secure research service"),
        Policy("threshold10round5", "1 to 9 hidden, everything else rounded to 5", 10, 5,
               "the ONS '10-5' rule: suppress below 10, round the rest to 5"),
    )
}  # fmt: skip


def policy(name: str) -> Policy:
    """A preset by its id.

    Raises:
        CountError: there is none of that name.
    """
    try:
        return PRESETS[name]
    except KeyError:
        known = ", ".join(sorted(PRESETS))
        raise CountError(f"There is no disclosure policy {name!r}.", fix=f"Choose one of: {known}.") from None
