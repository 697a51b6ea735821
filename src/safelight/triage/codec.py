"""Frozen dataclasses to plain JSON values and back, checked: what does not fit is refused with its place."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from safelight.errors import EvidenceError

T = TypeVar("T")


def encode(value: Any) -> Any:
    """Plain JSON value of a dataclass, tuple, mapping, aware datetime or scalar."""
    if is_dataclass(value) and not isinstance(value, type):
        # What is secret (where the keys of encrypted volumes lie) is never part of a record.
        return {f.name: encode(getattr(value, f.name)) for f in fields(value) if not f.metadata.get("secret")}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(v) for v in value]
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def decode(kind: type[T], value: Any) -> T:
    """The dataclass `kind` from the JSON value that `encode` made.

    Raises:
        EvidenceError: a field is missing, unknown or of the wrong shape; the message names it.
    """
    result: T = _decode(kind, value, kind.__name__)
    return result


def _decode(kind: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(kind)
        if value is None and type(None) in options:
            return None
        return _decode(next(o for o in options if o is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise _wrong(where, "a list", value)
        item = typing.get_args(kind)[0]
        return tuple(_decode(item, v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin in (dict, Mapping) or kind is dict:
        if not isinstance(value, Mapping):
            raise _wrong(where, "an object", value)
        item = (typing.get_args(kind) or (str, Any))[1]
        return {str(k): _decode(item, v, f"{where}.{k}") for k, v in value.items()}
    if kind is Any:
        return value
    if kind is datetime:
        if not isinstance(value, str):
            raise _wrong(where, "a time", value)
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except ValueError:
            raise _wrong(where, "a time", value) from None
    if is_dataclass(kind):
        return _decode_dataclass(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _wrong(where, getattr(kind, "__name__", str(kind)), value)
    return value


def _decode_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(where, "an object", value)
    hints = _hints(kind)
    known = {f.name: f for f in fields(kind) if f.init}
    unknown = sorted(set(map(str, value)) - set(known))
    if unknown:
        raise EvidenceError(
            f"The triage record has an unknown field {where}.{unknown[0]}.",
            fix="It was made by another version; read it with that version, or run the triage again.",
        )
    arguments = {}
    for name, field in known.items():
        if name in value:
            arguments[name] = _decode(hints[name], value[name], f"{where}.{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise EvidenceError(
                f"The triage record lacks {where}.{name}.", fix="It is incomplete; run the triage again."
            )
    return kind(**arguments)


def _wrong(where: str, wanted: str, value: Any) -> EvidenceError:
    return EvidenceError(
        f"The triage record has {type(value).__name__} at {where}, where {wanted} belongs.",
        fix="The file was changed or cut short; run the triage again.",
    )
