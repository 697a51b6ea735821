"""Questions whose SQL is written once for each role, and only filled in for each person.

A page such as My work asks fifty questions that are the same for everybody of a role but for a few values: who the
person is, their unit, the moment. Django takes longer to build and write such a question (filters, joins, who may see)
than the database to answer it::

    @prepared
    def _breached(user, *, now):
        return Clock.objects.visible_to(user).filter(due_at__lt=now).order_by("due_at")[:50]

    rows = _breached(request.user, now=timezone.now())     # a list

The function makes a query set and nothing else: it reads of ``user`` only the role, the unit and the key, asks the
database nothing, and takes every other value as a keyword. Whatever stands before the ``*`` decides the form of the
question and is written into it. What would be wrong for the next person is refused when the question is written: a
moment that the function looked up itself, a question asked meanwhile, an attribute of the user that is not known.

A question that does not ask for anybody is called with None. Outside a page that only reads
(:mod:`safelight.casework.base.memory`), and where a person sees by exception (broken glass, more named cases than fit
into a question), the query set is built and asked as usual.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import update_wrapper
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, connections
from django.db.models import Expression, Model
from django.utils import timezone

MOST_TEXTS = 200
"""Forms of one question that are kept; a question with more is asked in a way that nobody thought of."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d")


class Slot(Expression):
    """Where a value comes that each asking brings with it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __repr__(self) -> str:
        return f"Slot({self.name!r})"

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Slot:
        return self

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]


class KeySlot(Slot):
    """Where the keys come that :func:`~safelight.casework.base.memory.keys` remembers of a person."""

    def __init__(self, name: str, rows: Callable[[Any], list[Any]], most: int) -> None:
        super().__init__(name)
        self.rows, self.most = rows, most


class Asker(Slot):
    """Stands for whoever asks, while a question is written: of a role, in some unit.

    ``without``: of the keys of this name the person has none.
    """

    is_authenticated = True
    glass_until = None

    def __init__(self, role: str, *, posted: bool, without: str = "") -> None:
        super().__init__("user")
        self.role, self.without = role, without
        self.pk = self.id = self
        self.unit = self.unit_id = Slot("unit") if posted else None

    def __repr__(self) -> str:
        return f"Asker({self.role!r})"


class _Written:
    """The text of a question, with what Django needs to make rows of the answer."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.compiler = rows.query.get_compiler(using=rows.db)
        try:
            self.sql, given = self.compiler.as_sql()
        except EmptyResultSet:
            self.sql, given = "", ()
        self.given = tuple(given)
        self.needed: frozenset[str] = frozenset()
        """Names of keys without which there is no row: then nothing is asked."""
        if not self.sql:
            return
        for value in self.given:
            if isinstance(value, date) or (isinstance(value, str) and _MOMENT.match(value)):
                raise RuntimeError(f"A moment would be written into a question for ever: {value}. Make it a keyword.")
        columns = [entry[0] for entry in self.compiler.select[0 : self.compiler.col_count]]
        self.converters = self.compiler.get_converters(columns)

    @property
    def key_slots(self) -> dict[str, KeySlot]:
        return {one.name: one for one in self.given if isinstance(one, KeySlot)}

    def ask(self, values: dict[str, Any]) -> list[Any]:
        if not self.sql or not all(values[name] for name in self.needed):
            return []
        compiler = copy.copy(self.compiler)
        compiler.connection = connections[self.rows.db]
        filled = [_given(values[one.name]) if isinstance(one, Slot) else one for one in self.given]
        compiler.as_sql = lambda *args, **kwargs: (self.sql, filled)
        compiler.get_converters = lambda columns: self.converters
        rows = self.rows.all()
        rows.query.get_compiler = lambda *args, **kwargs: compiler
        return list(rows)


def _given(value: Any) -> Any:
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return connection.ops.adapt_datefield_value(value)
    if isinstance(value, list | tuple | set):
        return list(value) if connection.vendor == "postgresql" else json.dumps(list(value))
    return value


class Prepared:
    """A question made by a function; see the module. Calling it asks it and returns the rows as a list."""

    known: list[Prepared] = []

    def __init__(self, make: Callable[..., Any]) -> None:
        update_wrapper(self, make)
        self.make = make
        self._texts: dict[tuple[Any, ...], _Written] = {}
        Prepared.known.append(self)

    def __call__(self, user: Any, *form: Any, **values: Any) -> list[Any]:
        filled = self._fill(user, form, values)
        if filled is None:
            return list(self.make(user, *form, **values))
        written, given = filled
        return written.ask(given)

    def _fill(self, user: Any, form: tuple[Any, ...], values: dict[str, Any]) -> tuple[_Written, dict[str, Any]] | None:
        """The text and its values, or None where the question must be built."""
        if user is None:
            return self._written(None, form, tuple(values)), values
        if getattr(user, "remembered_keys", None) is None or _by_exception(user):
            return None
        written = self._written((user.role, user.unit_id is not None), form, tuple(values))
        given = {**values, "user": user.pk, "unit": user.unit_id}
        for slot in written.key_slots.values():
            from safelight.casework.base.memory import keys

            found = keys(user, slot.name, slot.rows, most=slot.most)
            if not (len(found) == 1 and isinstance(found[0], list)):
                return None
            given[slot.name] = found[0]
        return written, given

    def _written(self, who: tuple[str, bool] | None, form: tuple[Any, ...], names: tuple[str, ...]) -> _Written:
        key = (connection.vendor, who, form, names)
        written = self._texts.get(key)
        if written is None:
            slots = {name: Slot(name) for name in names}

            def write(without: str = "") -> _Written:
                asker = None if who is None else Asker(who[0], posted=who[1], without=without)
                return _Written(self.make(asker, *form, **slots))

            with connection.execute_wrapper(_refuse):
                written = write()
                written.needed = frozenset(name for name in written.key_slots if not write(without=name).sql)
            if len(self._texts) >= MOST_TEXTS:
                self._texts.clear()
            self._texts[key] = written
        return written


def _refuse(execute: Any, sql: str, *rest: Any) -> Any:
    raise RuntimeError(f"A question is asked while another is written, and would be answered once for all: {sql[:200]}")


def _by_exception(user: Any) -> bool:
    return user.glass_until is not None and user.glass_until > timezone.now()


def prepared(make: Callable[..., Any]) -> Prepared:
    return Prepared(make)
