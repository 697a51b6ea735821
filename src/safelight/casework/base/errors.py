"""Errors of the case work.

::

    CaseworkError (safelight.errors)
    ├── NotAllowed        the acting user may not do this           -> 403
    ├── NotPossible       the step does not fit the record's state  -> shown on the form, nothing written
    └── Invalid           a value is missing or contradicts another -> shown on the form, nothing written
"""

from __future__ import annotations

from safelight.errors import CaseworkError


class NotAllowed(CaseworkError):
    """The acting user's role, unit or skill does not permit this step."""


class NotPossible(CaseworkError):
    """The step does not fit the state of the record (for example: closing a case with a child not yet referred)."""


class Invalid(CaseworkError):
    """A value is missing or contradicts another.

    Args:
        field: the name of the form field that the message belongs to, or "" for the whole form.
    """

    def __init__(self, what: str, *, fix: str = "", field: str = "") -> None:
        super().__init__(what, fix=fix)
        self.field = field
