"""What the exchange refuses, each with the HTTP status and the short code that a program can act on.

::

    ExchangeError (safelight.errors)
    ├── BadQuery          malformed hash, unknown type, too much at once     400, 413
    ├── Refused           no key, unknown, expired, suspended, not in scope  401, 403
    ├── OverQuota         more look-ups than agreed                          429
    ├── NotHashable       bytes that are no picture, or one we do not decode 422
    └── Unavailable       the journal cannot be written, no decoder starts   503
"""

from __future__ import annotations

from safelight.errors import ExchangeError


class BadQuery(ExchangeError):
    """The question cannot be understood."""

    def __init__(self, what: str, *, fix: str = "", code: str = "bad_query", status: int = 400) -> None:
        super().__init__(what, fix=fix, code=code, status=status)


class Refused(ExchangeError):
    """Whoever asks may not."""

    def __init__(self, what: str, *, fix: str = "", code: str = "refused", status: int = 403) -> None:
        super().__init__(what, fix=fix, code=code, status=status)


class OverQuota(ExchangeError):
    """More was asked than the platform's agreement allows.

    Args:
        retry_after: seconds until it may ask again.
    """

    def __init__(self, what: str, *, retry_after: int) -> None:
        super().__init__(what, fix=f"Ask again in {retry_after} seconds.", code="over_quota", status=429)
        self.retry_after = retry_after


class NotHashable(ExchangeError):
    """Bytes of which no hash can be made."""

    def __init__(self, what: str, *, fix: str = "Send a JPEG, PNG, GIF, WebP, HEIC, TIFF or BMP picture.") -> None:
        super().__init__(what, fix=fix, code="not_hashable", status=422)


class Unavailable(ExchangeError):
    """An answer could not be recorded, and so is not given; or nobody is there to give it."""

    def __init__(self, what: str, *, fix: str = "Ask again later; the operator has been told in the log.") -> None:
        super().__init__(what, fix=fix, code="unavailable", status=503)
