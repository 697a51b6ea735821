"""How the event loop is compiled: cached, without the interpreter's lock, and without counting references to arrays.

Counting them would take most of the time; it is not needed, because these functions allocate nothing: the caller makes
room (`arrays.grown`) when they ask for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(  # type: ignore[call-overload]
    cache=True, nogil=True, _nrt=False
)
