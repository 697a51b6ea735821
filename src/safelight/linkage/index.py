"""One new record against all: who may it be, in less than a second.

The index is a file apart from the store, written at the end of a run and never changed, so that any number of processes
read it while the next run works. It holds no more than what matching needs, and the names of the records.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from safelight.linkage.errors import LinkageError
from safelight.linkage.features import make_features, make_keys, place_key, prepare
from safelight.linkage.model import Model
from safelight.linkage.records import PersonRecord, table
from safelight.linkage.scoring import Evidence, PairScorer
from safelight.linkage.sql import first_row
from safelight.linkage.store import LinkStore

# A key that more records share than this does not tell who it is; of the rest the likeliest are scored.
_SHARED, _CANDIDATES = 400, 300
MOST_RESIDENTS = 30


@dataclass(frozen=True)
class Match:
    """A record that may be the same person as the new one.

    Args:
        cluster: the person of the last run it belongs to, or None for a record given as ``fresh``.
        handling: not empty for a restricted record: then nothing may be shown but whom to ask.
    """

    source: str
    key: str
    cluster: int | None
    handling: str
    evidence: Evidence


@dataclass(frozen=True)
class Resident:
    """A record at an address."""

    source: str
    key: str
    handling: str
    cluster: int | None


def write_index(store: LinkStore, path: Path) -> Path:
    """Write the index of the last run beside ``path`` and put it in place at once.

    Raises:
        LinkageError: there was no run yet.
    """
    runs = store.con.execute("select number, model from run order by number desc limit 1").fetchall()
    if not runs:
        raise LinkageError("There was no run yet.", fix="Start one: safelight link run.")
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    con = store.con
    con.execute(f"attach '{fresh}' as made")
    try:
        for name, query in {
            "feature": "from feature order by unique_id",
            "keys": "from keys order by key",
            "frequency": "from frequency order by name, value",
            "named": "select r.id, r.source, r.key, r.handling, c.cluster from record r join cluster c using (id)"
            " order by id",
            "meta": "select number, model from run order by number desc limit 1",
        }.items():
            con.execute(f"create table made.{name} as {query}")
    finally:
        con.execute("detach made")
    os.replace(fresh, path)
    return path


class LinkIndex:
    """An opened index. Safe to share between threads: look-ups take turns.

    Raises:
        LinkageError: there is no index at ``path``, or it cannot be read.
    """

    def __init__(self, path: Path, *, threads: int = 2, memory: str = "2GB") -> None:
        if not path.is_file():
            raise LinkageError(f"There is no index {path}.", fix="Make it: safelight link run.")
        self.path = path
        self._lock = threading.Lock()
        # What does not fit in memory goes beside the index, never into the folder where the command was given.
        spill = str(path.with_suffix(".tmp"))
        self.con = duckdb.connect(
            ":memory:", config={"threads": threads, "memory_limit": memory, "temp_directory": spill}
        )
        try:
            self.con.execute(f"attach '{path}' as made (read_only)")
            self.run, model = first_row(self.con, "select number, model from made.meta")
        except duckdb.Error as error:
            self.con.close()
            raise LinkageError(f"The index {path} cannot be read.", fix="Make it anew: safelight link run.") from error
        self.model = Model.from_json(model, str(path))
        prepare(self.con)
        self._scorer = PairScorer(self.con, self.model, "made.frequency")

    def match_one(
        self,
        record: PersonRecord,
        *,
        fresh: list[PersonRecord] | None = None,
        limit: int = 20,
        at_least: float | None = None,
    ) -> list[Match]:
        """The records that may be the same person, likeliest first.

        Args:
            fresh: records since the last run, to be looked through too (some thousands at most).
            at_least: the least match weight; by default the model's threshold for review.
        """
        least = self.model.thresholds.review if at_least is None else at_least
        with self._lock:
            return self._match(record, fresh or [], limit, least)

    def _match(self, record: PersonRecord, fresh: list[PersonRecord], limit: int, least: float) -> list[Match]:
        con = self.con
        given = table([record, *fresh])
        con.register(
            "_given", given.append_column("id", pa.array([-n for n in range(1, given.num_rows + 1)], pa.int64()))
        )
        make_features(con, "_given", "_given_feature", temp=True)
        make_keys(con, "_given_feature", "_given_keys", temp=True)
        con.unregister("_given")
        con.execute("create or replace temp table _new_feature as from _given_feature where unique_id = -1")
        con.execute(
            f"""create or replace temp table _candidate as
            with asked as (select key from _given_keys where unique_id = -1), found as (
                select unique_id, key from made.keys where key in (select key from asked)
                union all select unique_id, key from _given_keys where unique_id < -1 and key in (select key from asked)
            ), useful as (select key, count(*) as n from found group by key having n <= {_SHARED})
            select unique_id from found join useful using (key) group by unique_id
            order by sum(1.0 / n) desc, unique_id limit {_CANDIDATES}"""
        )
        con.execute(
            "create or replace temp table _candidate_feature as select * from made.feature"
            " where unique_id in (select unique_id from _candidate) union all by name select * from _given_feature"
            " where unique_id in (select unique_id from _candidate)"
        )
        scored = [one for one in self._scorer.score("_new_feature", "_candidate_feature") if one.weight >= least][
            :limit
        ]
        names = {
            number: (source, key, handling, cluster)
            for number, source, key, handling, cluster in con.execute(
                "select id, source, key, handling, cluster from made.named where id in (select unnest(?::bigint[]))",
                [[one.right for one in scored]],
            ).fetchall()
        }
        for number, one in enumerate(fresh, start=2):
            names[-number] = (one.source, one.key, one.handling, None)
        return [
            Match(source, key, cluster, handling, one)
            for one in scored
            for source, key, handling, cluster in [names[one.right]]
        ]

    def at_address(self, record: PersonRecord) -> list[Resident]:
        """Records at one of the addresses of ``record``; none for an address of more than :data:`MOST_RESIDENTS`."""
        places = [place_key(one.line, one.postcode) for one in record.addresses if one.line.strip()]
        if not places:
            return []
        with self._lock:
            rows = self.con.execute(
                "select n.source, n.key, n.handling, n.cluster from made.feature f"
                " join made.named n on n.id = f.unique_id"
                " where f.place in (select unnest(?::varchar[])) or list_has_any(f.places, ?::varchar[]) order by 1, 2",
                [places, places],
            ).fetchall()
        return [Resident(*row) for row in rows] if len(rows) <= MOST_RESIDENTS else []

    def newest(self, source: str) -> str:
        """The last key of ``source`` in the index, "" when it has none."""
        with self._lock:
            (key,) = first_row(self.con, "select max(key) from made.named where source = ?", [source])
        return str(key or "")

    def close(self) -> None:
        """Let go of the file."""
        self.con.close()
