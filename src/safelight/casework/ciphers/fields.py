"""Field types whose values stand encrypted in the database, and the columns beside them by which they are found.

A model with such fields is a :class:`SealedRow`. Values are decrypted when an attribute is first read, so that a list
decrypts what it shows. Looked for can be: an exact value (``exact``, ``in``; ``iexact`` with an index without
capitals) and that there is none (``=""``, ``isnull``); anything else is refused. ``update`` and ``bulk_update`` know
no row, and are refused too, except to empty a column.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import Col
from django.db.models.lookups import Lookup
from django.db.models.query_utils import DeferredAttribute

from safelight.casework.ciphers import cipher
from safelight.casework.ciphers.cipher import CipherError
from safelight.casework.ciphers.keys import ring
from safelight.casework.ciphers.words import tokens

ERASED = "[erased]"  # what retention leaves in place of a value: it says nothing, and is not encrypted
PLAIN = ("", ERASED)
ROW = "sealed_as"
_OPENED = "_opened"


class Sealed:
    """A value as it stands in the database. It has to be read through its row."""

    __slots__ = ("raw",)

    def __init__(self, raw: str) -> None:
        self.raw = raw

    def __repr__(self) -> str:
        return f"<encrypted with {cipher.key_of(self.raw) or 'an unknown key'}>"

    def __str__(self) -> str:
        raise CipherError("An encrypted value was read without its row.", fix="Read it as an attribute of the row.")


class Ready(str):
    """A value that may be written as it is: encrypted, or a mark."""

    __slots__ = ()


class _Attribute(DeferredAttribute):
    """Decrypts on the first look."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = self.field.opened(instance, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedField(models.TextField):
    """A text, encrypted for its row.

    Args:
        index: name of the :class:`ExactIndex` that finds the exact value; ``folded`` of one without capitals.
    """

    descriptor_class = _Attribute

    def __init__(self, *args: Any, index: str = "", folded: str = "", **more: Any) -> None:
        self.index, self.folded = index, folded
        super().__init__(*args, **more)

    def deconstruct(self) -> Any:
        name, path, args, more = super().deconstruct()
        return name, path, args, {**more, **{n: v for n in ("index", "folded") if (v := getattr(self, n))}}

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value is None or value in PLAIN else Sealed(value)

    def text_of(self, value: Any) -> str | None:
        """What is encrypted for a value of this field; None or one of PLAIN stays as it is."""
        return None if value is None else str(value)

    def value_of(self, text: str) -> Any:
        """The value of a text that was encrypted, or of one of PLAIN."""
        return text

    def opened(self, instance: Any, value: Sealed) -> Any:
        """The value, decrypted for its row.

        Raises:
            CipherError: it was changed or moved, or its key is missing; it names row and column.
        """
        table, row = self.model._meta.db_table, getattr(instance, ROW)
        try:
            text = cipher.decrypt(ring(), table, self.column, str(row), value.raw)
        except CipherError as error:
            where = f"{table}, row {instance.pk}, {self.column}"
            raise CipherError(f"{where}: this value {error.what}.", fix=error.fix) from error
        instance.__dict__.setdefault(_OPENED, {})[self.attname] = (value.raw, text)
        return self.value_of(text)

    def as_it_was(self, instance: Any) -> str:
        """What stands in the database, if that is still the value of this row and under the newest key; or nothing."""
        held = instance.__dict__.get(self.attname)
        if isinstance(held, Sealed):
            raw = held.raw
        else:
            raw, text = instance.__dict__.get(_OPENED, {}).get(self.attname, ("", None))
            if text is None or self.text_of(held) != text:
                return ""
        return raw if cipher.key_of(raw) == ring().newest.id else ""

    def pre_save(self, instance: Any, add: bool) -> Any:
        if raw := self.as_it_was(instance):
            return Ready(raw)
        return self.encrypted(instance, getattr(instance, self.attname))

    def encrypted(self, instance: Any, value: Any) -> Any:
        """``value`` as it is written for this row."""
        text = self.text_of(value)
        if text is None or text in PLAIN:
            return text
        return Ready(cipher.encrypt(ring(), self.model._meta.db_table, self.column, str(getattr(instance, ROW)), text))

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Ready) or value in PLAIN:
            return value
        raise CipherError(
            f"{self.model._meta.label}.{self.name} is encrypted for its row, and is not written by update() or "
            "bulk_update().", fix="Set the attribute, and save the row."
        )  # fmt: skip

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, Sealed | Ready) else super().to_python(value)

    def get_lookup(self, lookup_name: str) -> Any:
        found = _LOOKUPS.get(lookup_name)
        if found is None:
            raise FieldError(f"{self.name} is encrypted: it cannot be looked for by {lookup_name}, only exactly.")
        return found

    def get_transform(self, lookup_name: str) -> Any:
        return None


class EncryptedJSONField(EncryptedField):
    """A structure, encrypted for its row. Nothing in it can be looked for."""

    def text_of(self, value: Any) -> str | None:
        if value is None or (self.has_default() and value == self.get_default()):
            return None if value is None and self.null else ""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def value_of(self, text: str) -> Any:
        return json.loads(text)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value in PLAIN:
            return self.get_default() if self.has_default() else {}
        return super().from_db_value(value, expression, connection)

    def to_python(self, value: Any) -> Any:
        return value


class Beside(models.Field):
    """A column that is worked out from encrypted ones whenever the row is saved."""

    of: tuple[str, ...]

    def worked_out(self, values: tuple[str, ...]) -> str:
        raise NotImplementedError

    def pre_save(self, instance: Any, add: bool) -> Any:
        fields = [self.model._meta.get_field(name) for name in self.of]
        if not add and all(field.as_it_was(instance) for field in fields):
            return getattr(instance, self.attname)
        values = [getattr(instance, field.attname) for field in fields]
        texts = tuple("" if value in (None, *PLAIN) else str(value) for value in values)
        made = self.worked_out(texts) if any(texts) else ""
        setattr(instance, self.attname, made)
        return made


class ExactIndex(Beside, models.CharField):
    """The mark of the exact value of another field; ``fold`` of the value without capitals."""

    def __init__(self, *args: Any, of: str = "", fold: bool = False, **more: Any) -> None:
        self.of, self.fold = (of,), fold
        super().__init__(*args, **{"max_length": 28, "blank": True, "default": "", "editable": False, **more})

    def deconstruct(self) -> Any:
        name, path, args, more = super().deconstruct()
        return name, path, args, {**more, "of": self.of[0], "fold": self.fold}

    def worked_out(self, values: tuple[str, ...]) -> str:
        return self.marks(values[0], newest=True)[0]

    def marks(self, text: str, *, newest: bool = False) -> list[str]:
        """The marks of ``text`` under every key of the ring, or under the newest."""
        keys = ring().keys[-1:] if newest else ring().keys
        said = text.casefold() if self.fold else text
        return [cipher.mark(key, self.model._meta.db_table, self.column, said) for key in keys]


class WordIndex(Beside, models.TextField):
    """The keyed tokens of the words in other fields (:mod:`.words`): what the search reads in their place.

    Args:
        begins: those of the fields that are also found by the beginning of the whole.
    """

    def __init__(self, *args: Any, of: Iterable[str] = (), begins: Iterable[str] = (), **more: Any) -> None:
        self.of, self.begins = tuple(of), tuple(begins)
        super().__init__(*args, **{"blank": True, "default": "", "editable": False, **more})

    def deconstruct(self) -> Any:
        name, path, args, more = super().deconstruct()
        return name, path, args, {**more, "of": list(self.of), **({"begins": list(self.begins)} if self.begins else {})}

    def worked_out(self, values: tuple[str, ...]) -> str:
        begins = [(name, text) for name, text in zip(self.of, values, strict=True) if name in self.begins]
        return " ".join(tokens(ring().newest, self.model._meta.db_table, self.column, values, begins))


class _Exact(Lookup):
    """Asks the column of marks in place of the encrypted one."""

    lookup_name = "exact"
    prepare_rhs = False
    index = "index"

    def wanted(self) -> list[str]:
        return [self.rhs]

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        lhs, field, wanted = self.lhs, self.lhs.output_field, self.wanted()
        if any(not isinstance(one, str) for one in wanted) or not isinstance(lhs, Col):
            raise FieldError(f"{field.name} is encrypted: it can be compared with a text only.")
        parts, parameters = [], []
        if plain := [one for one in wanted if one in PLAIN]:
            sql, _ = self.process_lhs(compiler, connection)
            parts.append(f"{sql} IN ({', '.join(['%s'] * len(plain))})")
            parameters += plain
        marks = [mark for one in wanted if one not in PLAIN for mark in self._index(field).marks(one)]
        if marks:
            sql, _ = compiler.compile(Col(lhs.alias, self._index(field)))
            parts.append(f"{sql} IN ({', '.join(['%s'] * len(marks))})")
            parameters += marks
        return f"({' OR '.join(parts)})" if parts else "1 = 0", parameters

    def _index(self, field: Any) -> Any:
        name = getattr(field, self.index)
        if not name:
            raise FieldError(f"{field.name} is encrypted and has no index for {self.lookup_name}.")
        return field.model._meta.get_field(name)


class _In(_Exact):
    lookup_name = "in"

    def wanted(self) -> list[str]:
        return list(dict.fromkeys(self.rhs)) if isinstance(self.rhs, list | tuple | set | frozenset) else [self.rhs]


class _IExact(_Exact):
    lookup_name = "iexact"
    index = "folded"


_LOOKUPS: dict[str, Any] = {
    "exact": _Exact, "in": _In, "iexact": _IExact, "isnull": models.lookups.IsNull,
}  # fmt: skip


class SealedRow(models.Model):
    """A model with encrypted fields. ``sealed_as`` is the random name that its values are bound to."""

    sealed_as = models.UUIDField(default=uuid4, editable=False)
    derived = False  # whether a row only repeats what other tables say, and of two alike one may go

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **more: Any) -> None:
        if update_fields is not None:
            names = set(update_fields)
            update_fields = names | {f.name for f in beside(type(self)) if names & set(f.of)}
        super().save(*args, update_fields=update_fields, **more)


def encrypted(model: Any) -> list[EncryptedField]:
    """The encrypted fields of a model."""
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]


def beside(model: Any) -> list[Any]:
    """The columns beside them."""
    return [field for field in model._meta.concrete_fields if isinstance(field, Beside)]


def written(model: Any, **values: Any) -> dict[str, Any]:
    """The columns of a row as they are written, for what writes rows past the models (loads of many rows).

    Args:
        values: encrypted fields by name; a ``sealed_as`` of its own is made.
    """
    row = model(**values)
    made: dict[str, Any] = {ROW: row.sealed_as}
    for field in (*encrypted(model), *beside(model)):
        made[field.attname] = field.pre_save(row, True)
    return made
