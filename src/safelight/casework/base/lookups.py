"""``field__anyof=keys``: that a column holds one of many keys, sent as one parameter.

``__in`` makes a parameter, an object and a dozen calls in Python of each key; some thousand keys then take longer to
write out than the database needs to answer.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Field, ForeignKey, Lookup


@ForeignKey.register_lookup  # type: ignore[misc]
@Field.register_lookup
class AnyOf(Lookup[bool]):
    """``column = ANY(array)`` on PostgreSQL, the members of a JSON array on SQLite. Keys are whole numbers."""

    lookup_name = "anyof"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, given = self._column(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", [*given, list(self.rhs)]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, given = self._column(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*given, json.dumps(list(self.rhs))]  # noqa: S608

    def _column(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if not self.rhs:  # nothing to ask, as with ``__in``
            raise EmptyResultSet
        return self.process_lhs(compiler, connection)
