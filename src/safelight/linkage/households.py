"""Who lives together, and which adult may be a child's guardian: from addresses as they are written, per source.

An address of more than :data:`MOST_RESIDENTS` people (a hostel, a school) is no household. That somebody lives with a
child is a reason to ask, never a finding: whether they are the child's guardian only children's social care can say.
"""

from __future__ import annotations

import duckdb

from safelight.linkage.sql import count

MOST_RESIDENTS = 30
_YOUNGEST_GAP, _OLDEST_GAP = 15, 50


def households(con: duckdb.DuckDBPyConnection, features: str, records: str, out: str) -> int:
    """Write table ``out`` (id, household): records of one source at one address. Returns how many households."""
    con.execute(
        f"""create or replace table {out} as
        with placed as (
            select f.unique_id as id, r.source, f.place, count(*) over (partition by r.source, f.place) as residents
            from {features} f join {records} r on r.id = f.unique_id where f.place is not null and f.line is not null
        )
        select id, dense_rank() over (order by source, place) as household from placed
        where residents between 2 and {MOST_RESIDENTS}"""
    )
    return count(con, f"(select distinct household from {out})")


def possible_guardians(con: duckdb.DuckDBPyConnection, features: str, household: str, out: str, *, year: int) -> int:
    """Write table ``out`` (child, adult): a child under 18 in ``year`` and each adult of the household who is 15 to 50
    years older. Returns how many pairs."""
    con.execute(
        f"""create or replace table {out} as
        select c.id as child, a.id as adult from {household} c join {household} a using (household)
        join {features} child on child.unique_id = c.id join {features} adult on adult.unique_id = a.id
        where {year} - child.born_year < 18 and {year} - adult.born_year >= 18
            and child.born_year - adult.born_year between {_YOUNGEST_GAP} and {_OLDEST_GAP}"""
    )
    return count(con, out)
