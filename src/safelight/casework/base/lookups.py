"""``field__anyof=keys``: that a column holds one of many keys, sent as one parameter. ``field__coded=codes``: that it
holds one of some codes, written out.

``__in`` makes a parameter, an object and a dozen calls in Python of each key; some thousand keys then take longer to
write out than the database needs to answer.

An index of some rows only (``condition=Q(state__in=...)``) is used by SQLite only where the question says the same in
the same words, which a parameter never does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import CharField, Field, ForeignKey, Lookup

from safelight.casework.base.prepared import Slot

_CODE = re.compile(r"[a-z_]+")


@ForeignKey.register_lookup  # type: ignore[misc]
@Field.register_lookup
class AnyOf(Lookup[bool]):
    """``column = ANY(array)`` on PostgreSQL, the members of a JSON array on SQLite. Keys are whole numbers."""

    lookup_name = "anyof"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, given = self._column(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", [*given, self._keys(list)]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, given = self._column(compiler, connection)
        keys = self._keys(lambda keys: json.dumps(list(keys)))
        return f"{column} IN (SELECT value FROM json_each(%s))", [*given, keys]  # noqa: S608

    def _keys(self, written: Callable[[Any], Any]) -> Any:
        return self.rhs if isinstance(self.rhs, Slot) else written(self.rhs)

    def _column(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if not self.rhs:  # nothing to ask, as with ``__in``
            raise EmptyResultSet
        return self.process_lhs(compiler, connection)


@CharField.register_lookup  # type: ignore[misc]
class Coded(Lookup[bool]):
    """``column IN ('new', 'checked')``. For codes of ours, never for what somebody typed."""

    lookup_name = "coded"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, given = self.process_lhs(compiler, connection)
        codes = [str(code) for code in self.rhs]
        if not codes or not all(_CODE.fullmatch(code) for code in codes):
            raise ValueError(f"These are no codes: {codes}")
        return f"{column} IN ({', '.join(repr(code) for code in codes)})", list(given)
