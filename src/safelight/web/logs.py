"""Keep personal data out of the log: query strings can carry names, so they are cut before a line is written."""

from __future__ import annotations

import logging
import re

_QUERY = re.compile(r"\?[^\s\"']+")


class Impersonal(logging.Filter):
    """Cuts the query string off every address in a message, and the request object off the record."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "?" in message:
            record.msg = _QUERY.sub("?...", message)
            record.args = ()
        record.__dict__.pop("request", None)
        return True
