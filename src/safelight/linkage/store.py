"""The store of person records: one DuckDB file with the records, a person's decisions, and what the last run made."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import duckdb
import pyarrow as pa

from safelight.linkage.clusters import Clusters, cluster, guard
from safelight.linkage.engine import Engine, score
from safelight.linkage.errors import LinkageError
from safelight.linkage.features import (
    Blocking,
    drop_shared_contacts,
    make_features,
    make_frequencies,
    make_keys,
    make_pairs,
)
from safelight.linkage.importing import Imported, import_staged, take
from safelight.linkage.model import Model
from safelight.linkage.records import PersonRecord, table
from safelight.linkage.sources import Mapping, Staged
from safelight.linkage.sql import count, first_row
from safelight.linkage.training import train

Verdict = Literal["same", "different"]
Ref = tuple[str, str]  # a record's name: (source, key)

_TABLES = """
create sequence if not exists record_ids;
create table if not exists record (
    id bigint primary key, source varchar not null, key varchar not null,
    names struct(given varchar, family varchar, kind varchar)[], born date, born_precision varchar, died date,
    died_precision varchar, sex varchar,
    addresses struct(line varchar, postcode varchar, since date, until date)[],
    phones varchar[], emails varchar[], online varchar[], identifiers struct(kind varchar, value varchar)[],
    relationships struct(kind varchar, key varchar)[], handling varchar, provenance varchar, digest varchar,
    withdrawn boolean not null
);
create table if not exists imported (done_at timestamp, source varchar, report json);
create sequence if not exists decision_numbers;
create table if not exists decision (
    number integer primary key, source_l varchar, key_l varchar, source_r varchar, key_r varchar,
    verdict varchar check (verdict in ('same', 'different')), decided_by varchar, decided_at timestamp, reason varchar,
    undone_by varchar, undone_at timestamp
);
create sequence if not exists run_numbers;
create table if not exists run (number integer primary key, done_at timestamp, model json, report json);
create table if not exists cluster (id bigint, cluster bigint);
create table if not exists edge (l bigint, r bigint, weight float);
create table if not exists guard (l bigint, r bigint, reason varchar);
"""


@dataclass(frozen=True)
class Run:
    """What one run did, with the seconds of each part. ``shared_contacts`` belong to too many to say who it is."""

    number: int
    model: str
    blocking: Blocking
    shared_contacts: int
    edges: int
    clusters: Clusters
    seconds: dict[str, float]

    def report(self) -> dict[str, Any]:
        """In plain values."""
        return asdict(self)


class LinkStore:
    """Person records of all sources and who is who.

    Args:
        path: the DuckDB file, made if there is none; ``None`` keeps everything in memory.
        threads, memory: limits for DuckDB (``memory`` such as ``"6GB"``); by default all cores, and 80 % of the memory.

    Raises:
        LinkageError: the file is not a store, or another process writes to it.
    """

    def __init__(self, path: Path | None = None, *, threads: int | None = None, memory: str = "") -> None:
        try:
            self.con = duckdb.connect(str(path) if path else ":memory:")
            self.con.execute(_TABLES)
        except duckdb.Error as error:
            raise LinkageError(
                f"The store {path} cannot be opened: {str(error).splitlines()[0]}",
                fix="Check that it is a file of safelight link and that no other process writes to it.",
            ) from error
        self.path = path
        if threads:
            self.con.execute(f"set threads = {int(threads)}")
        if memory:
            self.con.execute("set memory_limit = ?", [memory])
        self.con.execute("set preserve_insertion_order = false")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.con.close()

    def import_(self, staged: Staged, mapping: Mapping, *, whole: bool = False) -> Imported:
        """Bring a source in; see :func:`importing.import_staged`. In one transaction: all of it or nothing."""
        with self._transaction():
            done = import_staged(self.con, staged, mapping, whole=whole)
            self._note(done)
        return done

    def add(self, source: str, records: list[PersonRecord], *, origin: str = "given", whole: bool = False) -> Imported:
        """Bring ready records of one source in, in the same way."""
        wrong = [one for one in records if one.source != source]
        if wrong:
            raise LinkageError(
                f"Record {wrong[0].source}/{wrong[0].key} is not of the source {source}.", fix="Add it apart."
            )
        with self._transaction():
            self.con.register("_given", table(list({one.key: one for one in records}.values())))
            taken = take(self.con, "_given", source=source, whole=whole)
            self.con.unregister("_given")
            done = Imported(source, origin, len(records), *taken, (), ())
            self._note(done)
        return done

    def withdraw(self, source: str, keys: list[str]) -> int:
        """Take records out of all clusters, from the next run and look-up on. Returns how many were there."""
        self.con.register("_gone", pa.table({"key": pa.array(keys, pa.string())}))
        where = "source = ? and not withdrawn and key in (select key from _gone)"
        found = int(first_row(self.con, f"select count(*) from record where {where}", [source])[0])
        with self._transaction():
            self.con.execute(f"update record set withdrawn = true where {where}", [source])
            self.con.execute("delete from cluster where id in (select id from record where withdrawn)")
        self.con.unregister("_gone")
        return found

    def decide(self, left: Ref, right: Ref, verdict: Verdict, *, by: str, reason: str) -> int:
        """A person's decision about two records; it wins in every run until it is undone. Returns its number.

        Raises:
            LinkageError: the same record twice, no such record, or the other verdict stands.
        """
        if left == right:
            raise LinkageError(f"{left[0]}/{left[1]} is named twice.", fix="Name two records.")
        for source, key in (left, right):
            if not int(
                first_row(self.con, "select count(*) from record where source = ? and key = ?", [source, key])[0]
            ):
                raise LinkageError(f"There is no record {source}/{key}.", fix="Check the source and the key.")
        (one, other) = sorted((left, right))
        held = self.con.execute(
            "select number, verdict from decision where undone_at is null and source_l = ?"
            " and key_l = ? and source_r = ? and key_r = ?",
            [*one, *other],
        ).fetchall()
        if held and held[0][1] == verdict:
            return int(held[0][0])
        if held:
            raise LinkageError(f"Decision {held[0][0]} says that they are {held[0][1]}.", fix="Undo it first.")
        (number,) = first_row(self.con, "select nextval('decision_numbers')")
        self.con.execute(
            "insert into decision values (?, ?, ?, ?, ?, ?, ?, ?, ?, null, null)",
            [number, *one, *other, verdict, by, datetime.now(UTC).replace(tzinfo=None), reason],
        )
        return int(number)

    def undo(self, number: int, *, by: str) -> None:
        """Take a decision back. It stays on record. Raises LinkageError when there is none, or it is undone."""
        if not int(
            first_row(self.con, "select count(*) from decision where number = ? and undone_at is null", [number])[0]
        ):
            raise LinkageError(f"There is no decision {number} in force.", fix="See safelight link report.")
        self.con.execute(
            "update decision set undone_by = ?, undone_at = ? where number = ?",
            [by, datetime.now(UTC).replace(tzinfo=None), number],
        )

    def decisions(self) -> list[tuple[int, Ref, Ref, Verdict]]:
        """The decisions in force: number, both records in order, verdict."""
        rows = self.con.execute(
            "select number, source_l, key_l, source_r, key_r, verdict from decision where undone_at is null order by 1"
        ).fetchall()
        return [(number, (a, b), (c, d), verdict) for number, a, b, c, d, verdict in rows]

    def prepare(self) -> int:
        """Make the table of features anew from the records that are not withdrawn. Returns how many."""
        self.con.execute("create or replace temp view live as from record where not withdrawn")
        make_features(self.con, "live", "feature")
        return count(self.con, "feature")

    def train(self, *, start: Model | None = None, seed: int = 1, labels: str = "", learn_m: bool = False) -> Model:
        """Train on what is in the store; see :func:`training.train`. Raises LinkageError with too few records."""
        self.prepare()
        return train(self.con, "feature", start=start, seed=seed, labels=labels, learn_m=learn_m)

    def run(self, model: Model, *, engine: Engine = "duckdb", spark: Any = None, one_to_one: bool = False) -> Run:
        """Link everything: features, keys, pairs, scores, guard, clusters. The last run's clusters give the hysteresis.

        Args:
            engine: ``duckdb`` or ``spark``; see :mod:`engine`.
            one_to_one: each source holds a person once, and all persons; see :func:`clusters.cluster`. The guard is
                off: a twin's own record is there and fits better.
        """
        seconds: dict[str, float] = {}
        clock = time.perf_counter()

        def lap(name: str) -> None:
            nonlocal clock
            seconds[name], clock = round(time.perf_counter() - clock, 2), time.perf_counter()

        records = self.prepare()
        shared = drop_shared_contacts(self.con, "feature")
        lap("features")
        make_frequencies(self.con, "feature", "frequency", model.typical)
        make_keys(self.con, "feature", "keys")
        blocking = make_pairs(self.con, "keys", "pair", records=records)
        lap("pairs")
        edges = score(
            self.con,
            model,
            features="feature",
            pairs="pair",
            frequency="frequency",
            out="edge",
            at_least=model.thresholds.review,
            engine=engine,
            spark=spark,
        )
        self.con.execute("drop table pair")
        lap("scores")
        guard(self.con, edges="edge", features="feature", out="guard")
        if one_to_one:
            self.con.execute("delete from guard")
        self._decisions()
        with self._transaction():
            made = cluster(
                self.con,
                model.thresholds,
                features="feature",
                edges="edge",
                guards="guard",
                same="_same",
                different="_different",
                previous="cluster",
                out="_cluster",
                one_to_one=one_to_one,
            )
            self.con.execute("create or replace table cluster as from _cluster; drop table _cluster")
        lap("clusters")
        (number,) = first_row(self.con, "select nextval('run_numbers')")
        done = Run(int(number), model.version, blocking, shared, edges, made, seconds)
        self.con.execute(
            "insert into run values (?, ?, ?, ?)",
            [number, datetime.now(UTC).replace(tzinfo=None), model.to_json(), json.dumps(done.report())],
        )
        return done

    def cluster_of(self, source: str, key: str) -> list[Ref]:
        """Every record of the same person, that one among them; empty when it is not in the last run."""
        return self.con.execute(
            "select r.source, r.key from cluster c join record r using (id) where c.cluster = ("
            "select cluster from cluster join record using (id) where source = ? and key = ?) order by 1, 2",
            [source, key],
        ).fetchall()

    def _decisions(self) -> None:
        for verdict in ("same", "different"):
            self.con.execute(
                f"create or replace temp table _{verdict} as select a.id as l, b.id as r from decision d"
                " join record a on (a.source, a.key) = (d.source_l, d.key_l) and not a.withdrawn"
                " join record b on (b.source, b.key) = (d.source_r, d.key_r) and not b.withdrawn"
                f" where d.undone_at is null and d.verdict = '{verdict}'"
            )

    def _note(self, done: Imported) -> None:
        report = {**asdict(done), "rejected": [asdict(one) for one in done.rejected]}
        self.con.execute(
            "insert into imported values (?, ?, ?)",
            [datetime.now(UTC).replace(tzinfo=None), done.source, json.dumps(report)],
        )

    def _transaction(self) -> _Transaction:
        return _Transaction(self.con)


class _Transaction:
    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def __enter__(self) -> None:
        self.con.execute("begin")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.con.execute("rollback" if kind else "commit")
