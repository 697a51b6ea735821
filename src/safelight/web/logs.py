"""What happened and where, never who or about whom: the log is read by people who may not read cases.

A line of JSON holds a time, a level, the logger, a message, and of a request its method, route, status and duration.
An address as it was typed, a query, a form, a header, a user, the values of an exception: none of them gets in. Only
messages of loggers in ``TRUSTED`` are written out, because we know what their authors put into them; of all others the
constant part alone is, and where they came from.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TRUSTED = ("safelight", "django_tasks", "procrastinate.worker", "procrastinate.periodic")
_QUERY = re.compile(r"\?[^\s\"']+")
_PLACEHOLDER = re.compile(r"%(\([a-z_]+\))?[-+ #0]*\d*(\.\d+)?[a-zA-Z]")
_ROOTS = (str(Path(__file__).resolve().parents[2]), *(str(Path(p.__file__).parents[1]) for p in (logging, json)))
_MOST_FRAMES = 25


class Impersonal(logging.Filter):
    """Cuts the query string off every address in a message, and the request object off the record."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "?" in message:
            record.msg = _QUERY.sub("?...", message)
            record.args = ()
        record.__dict__.pop("request", None)
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line; see above for what never gets into it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
        }
        about = getattr(record, "about", None)  # what our own code hands over as `extra={"about": {...}}`
        if isinstance(about, Mapping):
            line |= {str(name): value for name, value in about.items() if isinstance(value, int | float | str)}
        if request := getattr(record, "request", None):
            line |= of_request(request)
        if isinstance(status := getattr(record, "status_code", None), int):
            line["status"] = status
        if record.exc_info and record.exc_info[1] is not None:
            line["error"], line["trace"] = trace_of(record.exc_info[1])
        elif record.levelno >= logging.WARNING:
            line["source"] = f"{_shown(record.pathname)}:{record.lineno}"
        return json.dumps(line, ensure_ascii=True)


def message_of(record: logging.LogRecord) -> str:
    """The words of a record without values that might be about somebody."""
    trusted = any(record.name == name or record.name.startswith(f"{name}.") for name in TRUSTED)
    if record.name.startswith("django.request"):
        return "a request could not be answered"  # its own words are the address; route and trace stand beside
    text = str(record.msg)
    if not trusted:
        return _PLACEHOLDER.sub("(value)", text)[:300] if record.args else "(not shown)"
    if isinstance(record.args, tuple) and any(isinstance(value, BaseException) for value in record.args):
        values = (type(value).__name__ if isinstance(value, BaseException) else value for value in record.args)
        return _QUERY.sub("?...", text % tuple(values))[:1000]
    return _QUERY.sub("?...", record.getMessage())[:1000]


def of_request(request: Any) -> dict[str, str]:
    """Method and route of a request: the pattern that it fits, never the address itself."""
    match = getattr(request, "resolver_match", None)
    found = {
        "method": str(getattr(request, "method", ""))[:10],
        "route": str(match.route) if match is not None else "(none)",
    }
    if isinstance(number := getattr(request, "number", None), str):
        found["request"] = number
    return found


def trace_of(error: BaseException) -> tuple[str, list[str]]:
    """The kinds of an exception and of its causes, and the places it came through; no values, no source lines."""
    kinds, seen = [], set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        kinds.append(f"{type(cause).__module__}.{type(cause).__qualname__}".removeprefix("builtins."))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(kinds), [f"{_shown(f.filename)}:{f.lineno} {f.name}" for f in frames[-_MOST_FRAMES:]]


def _shown(path: str) -> str:
    """A source file without the folder that it is installed in."""
    for root in _ROOTS:
        if path.startswith(root):
            return path[len(root) + 1 :]
    return path.rpartition("site-packages/")[2]


def of_gunicorn(logging_settings: Mapping[str, Any]) -> dict[str, Any]:
    """The site's logging for gunicorn too: its own lines quote requests."""
    loggers: dict[str, Any] = {"gunicorn.error": {"handlers": [], "propagate": True}}
    # One line a request is ours; gunicorn's, which quotes the address, begins when it is given any settings of logging.
    loggers["gunicorn.access"] = {"handlers": [], "propagate": False, "level": "CRITICAL"}
    return {**logging_settings, "loggers": {**logging_settings.get("loggers", {}), **loggers}}
