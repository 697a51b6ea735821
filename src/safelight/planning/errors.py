"""What can go wrong in planning: input that cannot be planned with, and a fault of our own."""

from __future__ import annotations

from collections.abc import Callable

from safelight.errors import SafelightError


class PlanningError(SafelightError):
    """A model, a parameter or a scenario cannot be used.

    Args:
        field: the parameter or part of the model, such as ``referrals.per_year``.
        reason: what is wrong with it.
        fix: what to do about it.
    """

    def __init__(self, field: str, reason: str, *, fix: str = "") -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}", fix=fix)

    def __reduce__(self) -> tuple[Callable[[str, str, str], PlanningError], tuple[str, str, str]]:
        """Whole across processes: replications run in their own."""
        return _again, (self.field, self.reason, self.fix)


def _again(field: str, reason: str, fix: str) -> PlanningError:
    return PlanningError(field, reason, fix=fix)


class SelfCheckError(RuntimeError):
    """A run broke a law that every run obeys (conservation, Little): a fault of ours, never of the input."""
