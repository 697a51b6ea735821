"""From scored pairs to people: which records are one person, with judgement.

1. A person's decision wins: "same" joins, "different" keeps apart, whatever the model says, in every run.
2. The guard: two records that live together or share a birthday and a family name, and differ in what tells twins,
   parent and child or two of a household apart, never join by weight alone.
3. Hysteresis: a pair joins from ``join`` on; inside a cluster of the last run ``split`` is enough.
4. Where keeping apart and joining meet in one group (a record without a given name that fits both twins), and where one
   link alone would tie two groups, all pairs between them have a vote: :mod:`groups`.

The identity of a cluster survives: the largest part of an old cluster keeps its number.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from safelight.linkage.groups import DECIDED, Ints, label
from safelight.linkage.model import Thresholds
from safelight.linkage.sql import count

_DIFFERENT_NAME = """(f.given is not null and g.given is not null and length(f.given) > 1 and length(g.given) > 1
    and not list_has_any(f.roots, g.roots) and jaro_winkler_similarity(f.given, g.given) < 0.82
    and not list_contains(f.names, g.given) and not list_contains(g.names, f.given))"""
_SAME_ID = "coalesce(list_has_any(f.ids, g.ids), false)"
_GUARDS = f"""
    case
    when {_SAME_ID} then null
    when f.born is not null and g.born is not null and abs(f.born_year - g.born_year) >= 12
        and f.born_day <> g.born_day and levenshtein(f.born, g.born) > 2 then 'generations'
    when {_DIFFERENT_NAME} and f.born = g.born and (f.family_key = g.family_key or f.place = g.place) then 'twins'
    when {_DIFFERENT_NAME} and f.place = g.place and coalesce(f.born <> g.born, true) then 'household'
    when {_DIFFERENT_NAME} and f.sex <> g.sex then 'household'
    end"""

GUARD_WORDS = {
    "twins": "born the same day with another given name: they may be twins",
    "generations": "the same name a generation apart: they may be parent and child",
    "household": "another given name at the same address: they may be of one household",
    "decision": "a person decided that they are different",
}


@dataclass(frozen=True)
class Clusters:
    """What a run made: counts for its report. ``conflicts``: groups where joining and keeping apart met."""

    records: int
    clusters: int
    of_several: int
    largest: int
    guarded: dict[str, int]
    conflicts: int
    joined_by_decision: int
    kept_by_hysteresis: int


def guard(con: duckdb.DuckDBPyConnection, *, edges: str, features: str, out: str, temp: bool = False) -> dict[str, int]:
    """Write table ``out`` (l, r, reason) with the pairs of ``edges`` that must not join by weight; counts by reason."""
    con.execute(
        f"create or replace {'temp ' if temp else ''}table {out} as select l, r, reason from ("
        f"select e.l, e.r, {_GUARDS} as reason from {edges} e join {features} f on f.unique_id = e.l"
        f" join {features} g on g.unique_id = e.r) where reason is not null"
    )
    found: list[tuple[str, int]] = con.execute(f"select reason, count(*) from {out} group by reason").fetchall()
    return dict(sorted(found))


def cluster(
    con: duckdb.DuckDBPyConnection,
    thresholds: Thresholds,
    *,
    features: str,
    edges: str,
    guards: str,
    same: str,
    different: str,
    previous: str,
    out: str,
    one_to_one: bool = False,
) -> Clusters:
    """Write table ``out`` (id, cluster): every record of ``features`` with the number of its cluster.

    Args:
        edges: scored pairs (l, r, weight); guards: (l, r, reason); same, different: a person's decisions (l, r);
            previous: (id, cluster) of the last run, may be empty.
        one_to_one: the sources hold each person once (links between two clean lists): a record joins only the record
            that fits it best, if it fits that one best too.
    """
    con.execute(
        f"create or replace temp table _never as select distinct least(l, r) as l, greatest(l, r) as r from {different}"
    )
    con.execute(
        f"create or replace temp table _decided as select distinct least(l, r) as l, greatest(l, r) as r from {same} s"
        f" where exists (from {features} f where f.unique_id = s.l)"
        f" and exists (from {features} f where f.unique_id = s.r)"
        " and (least(l, r), greatest(l, r)) not in (from _never)"
    )
    con.execute(
        f"create or replace temp table _guarded as select l, r from {guards}"
        " where (l, r) not in (from _decided) and (l, r) not in (from _never)"
    )
    before = f"left join {previous} a on a.id = e.l left join {previous} b on b.id = e.r"
    # What holds together in a cluster of the last run counts as much as what joins.
    con.execute(
        f"create or replace temp table _join as select e.l, e.r, case when a.cluster = b.cluster"
        f" then greatest(e.weight, {thresholds.join}) else e.weight end::double as weight, e.weight as told"
        f" from {edges} e {before} where e.weight >= {thresholds.split} and (e.l, e.r) not in (from _never)"
        " and (e.l, e.r) not in (from _guarded) and (e.l, e.r) not in (from _decided)"
    )
    kept = count(con, "_join", f"weight >= {thresholds.join} and told < {thresholds.join}")
    if one_to_one:
        con.execute(f"delete from _join where weight < {thresholds.join}")
        _keep_best(con)
    con.execute(f"insert into _join select l, r, {DECIDED}, {DECIDED} from _decided")
    decided = count(con, "_decided")
    ids = con.execute(f"select unique_id from {features} order by 1").fetchnumpy()["unique_id"].astype(np.int64)
    links = con.execute("select l, r, weight from _join order by l, r").fetchnumpy()
    labels, conflicts = label(
        len(ids),
        (np.searchsorted(ids, links["l"]), np.searchsorted(ids, links["r"]), np.asarray(links["weight"])),
        thresholds.join,
        _places(con, ids, "_guarded", features),
        _places(con, ids, "_never", features),
    )
    _name(con, ids, labels, previous, out)
    sizes = np.bincount(labels)
    reasons: list[tuple[str, int]] = con.execute(f"select reason, count(*) from {guards} group by 1").fetchall()
    return Clusters(
        records=len(ids), clusters=len(sizes), of_several=int((sizes > 1).sum()),
        largest=int(sizes.max()) if len(sizes) else 0, guarded=dict(sorted(reasons)), conflicts=conflicts,
        joined_by_decision=decided, kept_by_hysteresis=kept,
    )  # fmt: skip


def _keep_best(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create or replace temp table _join as with ends as (select l as a, r as b, weight from _join union all"
        " select r, l, weight from _join), best as (select a, arg_max(b, weight) as b from ends group by a)"
        " select j.* from _join j join best x on x.a = j.l and x.b = j.r join best y on y.a = j.r and y.b = j.l"
    )


def _places(con: duckdb.DuckDBPyConnection, ids: Ints, pairs: str, features: str) -> tuple[Ints, Ints]:
    found = con.execute(
        f"select l, r from {pairs} where l in (select unique_id from {features})"
        f" and r in (select unique_id from {features}) order by l, r"
    ).fetchnumpy()
    return np.searchsorted(ids, found["l"]), np.searchsorted(ids, found["r"])


def _name(con: duckdb.DuckDBPyConnection, ids: Ints, labels: Ints, previous: str, out: str) -> None:
    """Numbers that last: a new cluster takes the number of the old one of which it holds the largest part."""
    con.register("_labels", pa.table({"id": ids, "label": labels}))
    con.execute(
        f"""create or replace table {out} as
        with shares as (
            select label, cluster, count(*) as n from _labels join {previous} using (id) group by all
        ), heirs as (
            select label, cluster from (
                select *, row_number() over (partition by cluster order by n desc, label) as of_old,
                    row_number() over (partition by label order by n desc, cluster) as of_new from shares
            ) where of_old = 1 and of_new = 1
        ), fresh as (
            select label,
                (select coalesce(max(cluster), 0) from {previous}) + row_number() over (order by label) as cluster
            from (select distinct label from _labels) where label not in (select label from heirs)
        )
        select l.id, coalesce(h.cluster, f.cluster)::bigint as cluster
        from _labels l left join heirs h using (label) left join fresh f using (label) order by l.id"""
    )
    con.unregister("_labels")
