"""Whether the row that a column leads to is among some rows, as a condition that is written out as SQL only once.

What a person may see is asked in every question of a page. Django takes a query apart and puts it together again each
time it stands in another one, which costs more than the database needs for the answer. The text of the condition is
the same each time but for the outer column: it is kept, and only that is put in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, Expression, F
from django.db.models.expressions import RawSQL

_OUTER, _ALIAS = "{outer column}", "held_rows_"
_depth = local()


class Held(Expression):
    """``EXISTS (rows whose key is the outer row's ``key``)``.

    Args:
        key: the path to the outer column, as in ``OuterRef``.
        rows: the inner rows.
        kept: where the text is kept, shared by all conditions on the same rows. Rows that change begin a new one.
    """

    output_field = BooleanField()
    conditional = True
    empty_result_set_value = False

    def __init__(self, key: str, rows: Any, kept: dict[str, Any]) -> None:
        super().__init__()
        self.key, self.rows, self.kept = F(key), rows, kept

    def get_source_expressions(self) -> list[Any]:
        return [self.key]

    def set_source_expressions(self, exprs: list[Any]) -> None:
        (self.key,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, given = compiler.compile(self.key)
        if given:
            raise NotImplementedError(f"{self.key!r} is no column")
        if "text" not in self.kept:
            self.kept.update(_written(self.rows, connection))
        _seen(self.kept["height"])
        if self.kept["text"] is None:
            raise EmptyResultSet
        return self.kept["text"].replace(_OUTER, column), self.kept["params"]

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        if compiler.connection.features.supports_boolean_expr_in_select_clause:
            return sql, params
        return f"CASE WHEN {sql} THEN 1 ELSE 0 END", params


def _written(rows: Any, connection: Any) -> dict[str, Any]:
    """The text of the condition, None where no row can be among them.

    Inner tables get names that no outer one has, however the conditions stand in one another: a name says how many
    stand within.
    """
    from safelight.casework.base.models import NOBODY

    outer = RawSQL(f"({_OUTER})", [])  # noqa: S611 - nothing that anybody typed
    # Two keys, of which one is nobody's, keep PostgreSQL from gathering all rows first: it cannot hash that. Rows that
    # are few it may gather.
    inner = (rows.filter(pk=outer) if rows.few else rows.filter(pk__in=[outer, NOBODY])).query
    query = inner.exists()
    query.change_aliases({alias: f"{_ALIAS}{place}" for place, alias in enumerate(list(query.alias_map))})
    with _within() as heights:
        try:
            text, params = query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            return {"text": None, "params": [], "height": 0}
    height = 1 + max(heights, default=0)
    return {"text": f"EXISTS({text})".replace(_ALIAS, f"h{height}_"), "params": list(params), "height": height}


@contextmanager
def _within() -> Iterator[list[int]]:
    """The heights of the conditions that are put together within."""
    before, heights = getattr(_depth, "heights", None), []
    _depth.heights = heights
    try:
        yield heights
    finally:
        _depth.heights = before


def _seen(height: int) -> None:
    heights = getattr(_depth, "heights", None)
    if heights is not None:
        heights.append(height)
