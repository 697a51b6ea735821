"""From a staged source to person records in the store: mapped by column, read dates with what they are worth, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from safelight.linkage.errors import LinkageError
from safelight.linkage.records import SCHEMA
from safelight.linkage.sources import Mapping, Rejected, Staged, listed
from safelight.linkage.sql import count, first_row

_MACROS = (
    "create or replace temp macro cell(x) as nullif(trim(regexp_replace(x, '[\\x00-\\x1f\\s]+', ' ', 'g')), '')",
    # Day first, as in Britain. A date that does not exist (31 April) is not known, and counted.
    """create or replace temp macro day_of(x) as coalesce(
        try_strptime(left(x, 10), ['%Y-%m-%d', '%d/%m/%Y', '%d-%m-%Y', '%d.%m.%Y', '%Y/%m/%d'])::date,
        try_strptime(x, ['%Y%m%d', '%d %b %Y', '%d %B %Y', '%d-%b-%Y', '%d/%m/%y', '%m/%Y', '%Y-%m', '%B %Y'])::date,
        case when regexp_full_match(x, '(19|20)[0-9]{2}') then make_date(x::int, 1, 1) end)""",
    """create or replace temp macro exact_of(x) as case when day_of(x) is null then 'none'
        when regexp_full_match(x, '(19|20)[0-9]{2}') then 'year'
        when regexp_full_match(x, '[0-9]{1,2}/(19|20)[0-9]{2}|(19|20)[0-9]{2}-[0-9]{1,2}|[A-Za-z]+ (19|20)[0-9]{2}')
        then 'month'
        else 'day' end""",
    "create or replace temp macro several(x) as list_filter(list_transform("
    "regexp_split_to_array(coalesce(x, ''), '[;|]'), lambda v: cell(v)), lambda v: v is not null)",
    """create or replace temp macro sex_of(x) as case lower(left(x, 1)) when 'f' then 'female' when 'w' then 'female'
        when 'm' then 'male' when '2' then 'female' when '1' then 'male' when 'o' then 'other' when 'x' then 'other'
        else '' end""",
)

_PLACE_KEPT = "v.line <> '' or v.postcode <> ''"


@dataclass(frozen=True)
class Imported:
    """What an import did. ``rejected`` rows are named one by one; ``notes`` say what was noticed in the others."""

    source: str
    origin: str
    rows: int
    added: int
    changed: int
    unchanged: int
    withdrawn: int
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]

    @property
    def words(self) -> str:
        """One line for a person."""
        return (
            f"{self.source}: {self.rows:,} rows, {self.added:,} new, {self.changed:,} changed,"
            f" {self.unchanged:,} unchanged, {self.withdrawn:,} withdrawn, {len(self.rejected):,} refused"
        )


def import_staged(con: duckdb.DuckDBPyConnection, staged: Staged, mapping: Mapping, *, whole: bool) -> Imported:
    """Bring the rows of ``staged`` into the table ``record``. The same rows again change nothing.

    Args:
        whole: the source is given whole, so that records not in it are withdrawn.

    Raises:
        LinkageError: the mapping names a column that the source does not have.
    """
    missing = mapping.used() - set(staged.table.column_names)
    if missing:
        raise LinkageError(
            f"{staged.origin} has no column {', '.join(sorted(missing))}.",
            fix=f"It has {', '.join(staged.table.column_names[1:])}.",
        )
    for macro in _MACROS:
        con.execute(macro)
    con.register("_staged", staged.table)
    key = f"cell({_quoted(mapping.key)})"
    no_key = [number for (number,) in con.execute(f"select _row from _staged where {key} is null").fetchall()]
    rejected = (*staged.rejected, *(Rejected(number, f"no key in {mapping.key}") for number in no_key))
    con.execute(
        f"create or replace temp table _mapped as {_select(mapping, staged.origin)} from _staged"
        f" where {key} is not null qualify row_number() over (partition by {key} order by _row desc) = 1"
    )
    notes = [*staged.notes, *_notices(con, mapping, staged.table.num_rows - len(no_key))]
    con.unregister("_staged")
    taken = take(con, "_mapped", source=mapping.source, whole=whole)
    con.execute("drop table _mapped")
    return Imported(
        mapping.source, staged.origin, staged.table.num_rows + len(staged.rejected), *taken, rejected, tuple(notes)
    )


def take(con: duckdb.DuckDBPyConnection, table: str, *, source: str, whole: bool) -> tuple[int, int, int, int]:
    """Bring ``table`` (columns of SCHEMA, one row per key) into ``record``: added, changed, unchanged, withdrawn."""
    names = [name for name in SCHEMA.names if name != "provenance"]
    says = "md5(" + " || chr(31) || ".join(f"coalesce({name}::varchar, '')" for name in names) + ")"
    con.execute(f"create or replace temp table _new as select *, {says} as digest from {table}")
    con.execute(
        "create or replace temp table _held as select id, source, key, digest, withdrawn from record where source = ?",
        [source],
    )
    added = count(con, "_new", "key not in (select key from _held)")
    changed_ids = "select h.id from _held h join _new n using (key) where h.digest <> n.digest or h.withdrawn"
    changed = int(first_row(con, f"select count(*) from ({changed_ids})")[0])
    total = count(con, "_new")
    columns = ", ".join(f"n.{name}" for name in SCHEMA.names)
    con.execute(f"delete from record where id in ({changed_ids})")
    con.execute(
        f"insert into record select coalesce(h.id, nextval('record_ids')), {columns}, n.digest, false"
        " from _new n left join _held h using (key) where h.id is null or h.digest <> n.digest or h.withdrawn"
    )
    withdrawn = 0
    if whole:
        gone = "source = ? and not withdrawn and key not in (select key from _new)"
        withdrawn = int(first_row(con, f"select count(*) from record where {gone}", [source])[0])
        con.execute(f"update record set withdrawn = true where {gone}", [source])
    con.execute("drop table _new; drop table _held")
    return added, changed, total - added - changed, withdrawn


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _joined(columns: Any) -> str:
    found = [f"cell({_quoted(name)})" for name in listed(columns)] if columns else []
    return f"concat_ws(' ', {', '.join(found)})" if found else "''"


def _list(items: list[str], kind: str, keep: str) -> str:
    return f"list_filter([{', '.join(items)}]::{kind}[], lambda v: {keep})"


def _select(mapping: Mapping, origin: str) -> str:
    names = [
        f"{{'given': {_joined(row.get('given'))}, 'family': {_joined(row.get('family'))},"
        f" 'kind': {_literal(row.get('kind', 'current'))}}}"
        for row in mapping.names
    ]

    def day(columns: Any) -> str:
        return f"day_of({_joined(columns)})" if columns else "null::date"

    places = [
        f"{{'line': {_joined(row.get('line'))}, 'postcode': {_joined(row.get('postcode'))},"
        f" 'since': {day(row.get('since'))}, 'until': {day(row.get('until'))}}}"
        for row in mapping.addresses
    ]
    numbers = [
        f"{{'kind': {_literal(kind)}, 'value': coalesce({_joined(columns)}, '')}}"
        for kind, columns in mapping.identifiers.items()
    ]
    kin = [
        f"{{'kind': {_literal(kind)}, 'key': coalesce(cell({_quoted(name)}), '')}}"
        for kind, columns in mapping.relationships.items()
        for name in listed(columns)
    ]
    told = {
        name: " || ".join(f"several({_quoted(one)})" for one in listed(mapping.columns[name]))
        if name in mapping.columns
        else "[]::varchar[]"
        for name in ("phones", "emails", "online")
    }
    parts = [
        f"{_literal(mapping.source)} as source",
        f"cell({_quoted(mapping.key)}) as key",
        _list(names, "struct(given varchar, family varchar, kind varchar)", "v.given <> '' or v.family <> ''")
        + " as names",
        f"{day(mapping.born)} as born",
        f"{_exact(mapping.born)} as born_precision",
        f"{day(mapping.died)} as died",
        f"{_exact(mapping.died)} as died_precision",
        (f"sex_of({_joined(mapping.columns['sex'])})" if "sex" in mapping.columns else "''") + " as sex",
        _list(places, "struct(line varchar, postcode varchar, since date, until date)", _PLACE_KEPT) + " as addresses",
        *(f"{told[name]} as {name}" for name in told),
        _list(numbers, "struct(kind varchar, value varchar)", "v.value <> ''") + " as identifiers",
        _list(kin, "struct(kind varchar, key varchar)", "v.key <> ''") + " as relationships",
        f"coalesce({_joined(mapping.handling)}, '') as handling",
        f"{_literal(origin)} || ', row ' || _row as provenance",
    ]
    return "select " + ", ".join(parts)


def _exact(column: str) -> str:
    return f"exact_of({_joined(column)})" if column else "'none'"


def _notices(con: duckdb.DuckDBPyConnection, mapping: Mapping, rows: int) -> list[str]:
    found = []
    repeats = rows - count(con, "_mapped")
    if repeats:
        found.append(f"{repeats:,} rows repeat a key; the last of each was taken")
    if mapping.born:
        text = _joined(mapping.born)
        unread = int(first_row(con, f"select count(*) from _staged where {text} <> '' and day_of({text}) is null")[0])
        if unread:
            examples = con.execute(
                f"select distinct {text} from _staged where {text} <> '' and day_of({text}) is null limit 3"
            ).fetchall()
            shown = ", ".join(repr(one) for (one,) in examples)
            found.append(f"{unread:,} dates of birth cannot be read and count as not known (such as {shown})")
        default = count(con, "_mapped", "born <= date '1901-01-01'")
        if default:
            found.append(
                f"{default:,} dates of birth are a system's way of saying 'not known' (1 January 1900 and such)"
            )
    for name in ("names", "addresses"):
        empty = count(con, "_mapped", f"len({name}) = 0")
        if empty:
            found.append(f"{empty:,} records have no {name}")
    return found
