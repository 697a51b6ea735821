"""From person records to what is compared: one row of plain values per record, and the keys that bring pairs together.

Both are made by DuckDB in whole columns; Python sees each distinct name once. The same statements serve half a million
records and the single new one, so that the desk and the nightly run cannot disagree.

A pair is compared when it shares one of some twenty keys (an identifier, a telephone number, a date of birth with an
initial, a name as it sounds with a year or a postcode...). A key that too many records share is no help and would cost
everything (10,000 people at one hostel are 50 million pairs): such keys are left out, counted and reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from safelight.linkage.names import plain, roots, sound_key, tokens
from safelight.linkage.sql import count

# How many pairs a record may bring, on average, before repeats are removed.
PAIRS_PER_RECORD = 40
LARGEST_BLOCK = 500
# A telephone number or e-mail address of more records than this belongs to no person (a switchboard, "none@").
SHARED_CONTACT = 25
TYPICAL_RECORDS = 5000

_STREET_WORDS = (
    ("street", "st"),
    ("road", "rd"),
    ("avenue", "ave"),
    ("close", "cl"),
    ("drive", "dr"),
    ("lane", "ln"),
    ("court", "ct"),
    ("crescent", "cres"),
    ("place", "pl"),
    ("square", "sq"),
    ("gardens", "gdns"),
    ("terrace", "ter"),
    ("grove", "gr"),
    ("house", "hse"),
    ("apartment", "flat"),
    ("apt", "flat"),
    ("boulevard", "blvd"),
    ("highway", "hwy"),
    ("saint", "st"),
    ("circuit", "cct"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
)

MACROS = (
    "create or replace temp macro words(x) as"
    " trim(regexp_replace(lower(strip_accents(coalesce(x, ''))), '[^a-z0-9]+', ' ', 'g'))",
    "create or replace temp macro line_of(x) as nullif("
    + "".join("regexp_replace(" for _ in _STREET_WORDS)
    + "words(x)"
    + "".join(rf", '\b{long}\b', '{short}', 'g')" for long, short in _STREET_WORDS)
    + ", '')",
    "create or replace temp macro sorted_words(x) as array_to_string(list_sort(string_split(x, ' ')), ' ')",
    "create or replace temp macro code_of(x) as"
    " nullif(regexp_replace(upper(coalesce(x, '')), '[^A-Z0-9]', '', 'g'), '')",
    # The last nine digits of a telephone number: +44 7700 900123 and 07700 900123 are one.
    "create or replace temp macro phone_of(x) as right(regexp_replace(coalesce(x, ''), '[^0-9]', '', 'g'), 9)",
    "create or replace temp macro initial(x) as left(x, 1)",
)

# Every column that a comparison reads; the order is that of the table.
_FEATURES = """
create or replace {temp} table {out} as
with named as (
    select id, born, born_precision, sex, addresses, phones, emails, online, identifiers, names from {records}
), parts as (
    select p.id,
        first(g.tokens order by p.place) filter (where g.tokens is not null) as gt,
        first(f.tokens order by p.place) filter (where f.tokens is not null) as ft,
        list_distinct(flatten(list(coalesce(g.tokens, []) || coalesce(f.tokens, [])))) as names,
        list_distinct(flatten(list(coalesce(g.roots, [])))) as roots
    from (select id, unnest(names).given as given, unnest(names).family as family,
            unnest(range(len(names))) as place from named) as p
    left join name_form g on g.text = p.given left join name_form f on f.text = p.family
    group by p.id
), placed as (
    select id, list(distinct place) filter (where place is not null) as places,
        list(distinct code) filter (where code is not null) as codes,
        first(line order by nr desc) filter (where line is not null) as line,
        first(place order by nr desc) filter (where place is not null) as place,
        first(code order by nr desc) filter (where code is not null) as postcode
    from (
        select id, nr, line_of(a.line) as line, code_of(a.postcode) as code,
            nullif(sorted_words(coalesce(line_of(a.line), '')), '') || '|' || coalesce(code_of(a.postcode), '') as place
        from (select id, unnest(addresses) as a, unnest(range(len(addresses))) as nr from named)
    ) group by id
), told as (
    select id, list_distinct(list_filter(
        list_transform(coalesce(phones, []), lambda x: case when length(phone_of(x)) >= 6 then 't' || phone_of(x) end)
        || list_transform(coalesce(emails, []), lambda x: case when x like '%_@_%' then 'e' || lower(trim(x)) end)
        || list_transform(coalesce(online, []), lambda x: case when length(trim(x)) > 2 then 'o' || lower(trim(x)) end),
        lambda x: x is not null)) as contacts,
        list_distinct(list_filter(list_transform(coalesce(identifiers, []),
            lambda x: case when code_of(x.value) is not null then lower(x.kind) || ':' || code_of(x.value) end),
            lambda x: x is not null)) as ids
    from named
), dated as (
    select id, sex,
        case when born_precision <> 'none' and born > date '1901-01-01' then born end as born,
        case when month(born) = 1 and day(born) = 1 then 'year' else born_precision end as exact
    from named
)
select r.id as unique_id,
    gt[1] as given, gt[2] as middle, nullif(array_to_string(ft, ''), '') as family,
    gk.key as given_key, fk.key as family_key,
    nullif(parts.roots, []) as roots, nullif(parts.names, []) as names,
    case when exact = 'day' then strftime(d.born, '%Y%m%d') end as born,
    case when exact = 'day' then strftime(d.born, '%Y%d%m') end as born_swapped,
    case when exact = 'day' then strftime(d.born, '%m%d') end as born_day,
    case when exact in ('day', 'month') then strftime(d.born, '%Y%m') end as born_month,
    year(d.born)::integer as born_year,
    nullif(d.sex, '') as sex,
    line, place, places, postcode, codes as postcodes,
    case when length(postcode) >= 5 then left(postcode, length(postcode) - 3) else postcode end as area,
    nullif(told.contacts, []) as contacts, nullif(ids, []) as ids, ids[1] as main_id
from named r
left join parts on parts.id = r.id left join placed on placed.id = r.id
join told on told.id = r.id join dated d on d.id = r.id
left join name_form gk on gk.text = gt[1] left join name_form fk on fk.text = array_to_string(ft, '')
order by r.id
"""

_KEYS = """
create or replace {temp} table {out} as
select distinct unique_id, hash(word) as key, word[1] as kind from (
    select unique_id, unnest(
        list_transform(coalesce(ids, []), lambda x: 'i' || x)
        || list_transform(coalesce(contacts, []), lambda x: 'c' || x)
        || list_transform(coalesce(names, []), lambda x: 'b' || born || initial(x))
        || list_transform(coalesce(names, []), lambda x: 'b' || born_swapped || initial(x))
        || list_transform(coalesce(roots, []), lambda x: 'n' || x || '_' || family_key)
        || list_transform(coalesce(roots, []), lambda x: 'm' || x || born_month)
        || list_transform(coalesce(roots, []), lambda x: 'q' || x || '_' || postcode)
        || list_transform(coalesce(roots, []), lambda x: 'd' || x || born_day)
        || list_transform(coalesce(names, []), lambda x: 'y' || x || '_' || born_year)
        || list_transform(coalesce(places, []), lambda x: 'p' || x || initial(given))
        || list_transform(coalesce(places, []), lambda x: 'P' || x || born_year)
        || list_transform(coalesce(places, []), lambda x: 'h' || x)
        || ['s' || least(given_key, family_key) || '_' || greatest(given_key, family_key),
            'f' || family_key || '_' || born_year, 'F' || family_key || born_day,
            'z' || family_key || '_' || postcode, 'Z' || postcode || born_month,
            'a' || family_key || '_' || area || initial(given),
            'u' || left(given, 3) || left(family, 3) || born_year, 'l' || family_key || '_' || line,
            'L' || given_key || '_' || line, 'B' || born || '_' || area]
    ) as word from {features}
) where word is not null
order by key
"""


@dataclass(frozen=True)
class Blocking:
    """What came of the keys: the pairs to compare and what was left out because too many records share it."""

    pairs: int
    largest: int
    left_out_keys: int
    left_out_records: int
    left_out_kinds: dict[str, int]


KEY_KINDS = {
    "i": "an identifier",
    "c": "a telephone number, e-mail address or on-line name",
    "b": "date of birth and an initial",
    "n": "given and family name as they sound",
    "m": "given name and month of birth",
    "q": "given name and postcode",
    "d": "given name and day of birth",
    "y": "a name and year of birth",
    "p": "address and initial",
    "P": "address and year of birth",
    "h": "address",
    "s": "both names in any order",
    "f": "family name and year of birth",
    "F": "family name and day of birth",
    "z": "family name and postcode",
    "Z": "postcode and month of birth",
    "a": "family name, area and initial",
    "u": "beginnings of both names and year of birth",
    "l": "family name and street",
    "L": "given name and street",
    "B": "date of birth and area",
}


def place_key(line: str, postcode: str) -> str:
    """An address however it is written, as :data:`MACROS` make it: its words in order of the alphabet, and the code."""
    words = re.sub(r"[^a-z0-9]+", " ", plain(line)).split()
    short = dict(_STREET_WORDS)
    code = re.sub(r"[^A-Z0-9]", "", postcode.upper())
    return " ".join(sorted(short.get(word, word) for word in words)) + "|" + code


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """The macros that the statements use, in this connection only."""
    for macro in MACROS:
        con.execute(macro)


def make_features(con: duckdb.DuckDBPyConnection, records: str, out: str, *, temp: bool = False) -> None:
    """Write table ``out``, one row for each row of ``records`` (columns of :data:`records.SCHEMA` and ``id``)."""
    prepare(con)
    texts = con.execute(
        "select distinct unnest(list_transform(names, lambda x: x.given) || list_transform(names, lambda x: x.family))"
        f" from {records}"
    ).fetchall()
    con.register("_name_form", _name_forms([text for (text,) in texts if text]))
    con.execute("create or replace temp table name_form as select * from _name_form")
    con.unregister("_name_form")
    con.execute(_FEATURES.format(records=records, out=out, temp="temp" if temp else ""))


def drop_shared_contacts(con: duckdb.DuckDBPyConnection, features: str) -> int:
    """Take numbers and addresses of more than :data:`SHARED_CONTACT` records out of the features; returns how many."""
    con.execute(
        f"create or replace temp table _shared as select contact from"
        f" (select unnest(contacts) as contact from {features})"
        f" group by contact having count(*) > {SHARED_CONTACT}"
    )
    found = count(con, "_shared")
    if found:
        con.execute(
            f"""create or replace table {features} as
            with kept as (
                select unique_id, list(contact) as contacts
                from (select unique_id, unnest(contacts) as contact from {features})
                where contact not in (from _shared) group by unique_id
            )
            select f.* replace (k.contacts as contacts) from {features} f left join kept k using (unique_id)
            order by f.unique_id"""
        )
    con.execute("drop table _shared")
    return found


def make_keys(con: duckdb.DuckDBPyConnection, features: str, out: str, *, temp: bool = False) -> None:
    """Write table ``out``: unique_id, key (64-bit hash), kind (one letter), sorted by key."""
    prepare(con)
    con.execute(_KEYS.format(features=features, out=out, temp="temp" if temp else ""))


def make_pairs(con: duckdb.DuckDBPyConnection, keys: str, out: str, *, records: int) -> Blocking:
    """Write table ``out`` with the pairs to compare (join_key_l < join_key_r), each once."""
    sizes = con.execute(
        f"select n, count(*) from (select count(*) as n from {keys} group by key) where n > 1 group by n order by n"
    ).fetchall()
    budget, spent, largest = PAIRS_PER_RECORD * max(records, 1000), 0, 2
    for size, keys_of_size in sizes:
        spent += keys_of_size * size * (size - 1) // 2
        if size > LARGEST_BLOCK or spent > budget:
            break
        largest = size
    con.execute(
        f"create or replace temp table _block as select key, first(kind) as kind, count(*) as n from {keys}"
        " group by key having n > 1"
    )
    shared = f"n > {largest}"
    con.execute(
        f"create or replace temp table _kept as select k.unique_id as id, k.key from {keys} k"
        f" join _block b using (key) where not ({shared})"
    )
    con.execute(
        f"create or replace table {out} as select distinct l.id as join_key_l, r.id as join_key_r, 0 as match_key"
        " from _kept l join _kept r on l.key = r.key and l.id < r.id"
    )
    left = con.execute(f"select kind, count(*), sum(n) from _block b where {shared} group by kind").fetchall()
    pairs = count(con, out)
    con.execute("drop table _block; drop table _kept")
    return Blocking(
        pairs=pairs,
        largest=largest,
        left_out_keys=sum(keys for _, keys, _ in left),
        left_out_records=int(sum(rows for _, _, rows in left)),
        left_out_kinds={KEY_KINDS[kind]: keys for kind, keys, _ in sorted(left)},
    )


def make_frequencies(con: duckdb.DuckDBPyConnection, features: str, out: str, typical: dict[str, float]) -> None:
    """Write table ``out`` (name, value, share): how common each value is, where rare values weigh more.

    Args:
        typical: for each column the chance that two people share a value. In a store of a few records everything is
            common; :data:`TYPICAL_RECORDS` typical records are therefore counted in.
    """
    parts = [
        f"select '{name}' as name, {name} as value, (count(*) + {TYPICAL_RECORDS * share})"
        f" / (sum(count(*)) over () + {TYPICAL_RECORDS}) as share from {features}"
        f" where {name} is not null group by {name}"
        for name, share in typical.items()
    ]
    con.execute(f"create or replace table {out} as {' union all '.join(parts)} order by name, value")


def _name_forms(texts: list[str]) -> pa.Table:
    """Each text with its tokens, and for every token and joined name its sound key and roots."""
    forms: dict[str, tuple[list[str], str, list[str]]] = {}
    for text in texts:
        parts = tokens(text)
        for one in (*parts, "".join(parts)):
            if one and one not in forms:
                forms[one] = (list(tokens(one)) or [one], sound_key(one), list(roots(one)))
        if text not in forms and parts:
            forms[text] = (list(parts), sound_key("".join(parts)), list(roots(parts[0])))
    return pa.table(
        {
            "text": pa.array(list(forms), pa.string()),
            "tokens": pa.array([one[0] for one in forms.values()], pa.list_(pa.string())),
            "key": pa.array([one[1] for one in forms.values()], pa.string()),
            "roots": pa.array([one[2] for one in forms.values()], pa.list_(pa.string())),
        }
    )
