"""How fast are records linked: ours and plain Splink in one run, and one new record against all.

    .venv/bin/python benchmarks/linkage.py [--records 500000] [--skip-peer]

Ours is everything from the Parquet file of records to clusters and the index; the peer is Splink as its tutorial has
it, from a ready flat table to clusters. Both on 2 threads.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from safelight.demo.people_records import make_people
from safelight.linkage import Address, LinkIndex, LinkStore, Name, PersonRecord, shipped_model, write_index
from safelight.linkage.importing import take
from safelight.linkage.records import table

PART = 50_000
ASKED = 40


def make(records: int, folder: Path) -> Path:
    """The records as Parquet files, made once, in parts so that making them takes no memory of what is measured."""
    for part in range(0, records, PART):
        path = folder / f"{part}.parquet"
        if not path.exists():
            made = make_people(int(PART / 1.6), seed=1000 + part, mean_records=1.6)
            pq.write_table(table(made.records), path)
    return folder


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def ours(folder: Path, work: Path) -> None:
    began = time.perf_counter()
    with LinkStore(work / "store.duckdb", threads=2, memory="4GB") as store:
        store.con.execute(
            "create temp view source as select * exclude (filename) replace (key || '-' || filename as key)"
            f" from read_parquet('{folder}/*.parquet', filename = true)"
        )
        added, *_ = take(store.con, "source", source="synthetic", whole=True)
        brought = time.perf_counter() - began
        model = store.train(start=shipped_model())
        trained = time.perf_counter() - began - brought
        done = store.run(model)
        write_index(store, work / "index.duckdb")
    total = time.perf_counter() - began
    print(f"ours: {added:,} records in {total:.0f} s, at most {peak():.1f} GB")
    print(f"      import {brought:.0f} s, training {trained:.0f} s, then {done.seconds}")
    print(f"      {done.blocking.pairs:,} pairs compared, {done.edges:,} kept; {done.clusters}")


def asked_again(folder: Path) -> list[tuple[str, PersonRecord]]:
    """People on record who come again, written differently: two letters of the family name exchanged, in one
    of two no date of birth. Each with the key of the record it was taken from."""
    rows = pq.read_table(folder / "0.parquet").slice(0, 4000).to_pylist()
    whole = [row for row in rows if row["born"] and row["addresses"] and len(row["names"][0]["family"]) > 5]
    found = []
    for number, row in enumerate(whole[:: len(whole) // ASKED][:ASKED]):
        name, place, born = row["names"][0], row["addresses"][0], row["born"] if number % 2 else None
        family = name["family"][:2] + name["family"][3] + name["family"][2] + name["family"][4:]
        record = PersonRecord(
            "new",
            str(number),
            (Name(name["given"], family),),
            born,
            "day" if born else "none",
            addresses=(Address(place["line"], place["postcode"]),),
        )
        found.append((row["key"], record))
    return found


def one(folder: Path, work: Path) -> None:
    began = time.perf_counter()
    index = LinkIndex(work / "index.duckdb")
    print(f"index opened in {time.perf_counter() - began:.2f} s")
    times, again, hits = [], 0, 0
    for key, record in asked_again(folder):
        began = time.perf_counter()
        found = index.match_one(record)
        reasons = [one.evidence.reasons for one in found]
        times.append(time.perf_counter() - began)
        again += any(one.key.startswith(f"{key}-") and one.key.endswith("/0.parquet") for one in found)
        hits += bool(reasons)
    first, later = times[0], sorted(times[1:])
    print(
        f"one new record against all, with reasons: the first in the process {first:.2f} s, then half within"
        f" {later[len(later) // 2]:.2f} s, the slowest {later[-1]:.2f} s; {hits} of {len(times)} found someone,"
        f" {again} the record they were taken from; at most {peak():.2f} GB"
    )


def peer(folder: Path) -> None:
    import duckdb
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    spill = str(folder.parent / "spill")
    con = duckdb.connect(config={"threads": 2, "memory_limit": "4GB", "temp_directory": spill})
    con.execute(
        "create table flat as select row_number() over () as unique_id, lower(names[1].given) as first_name,"
        " lower(names[1].family) as surname, born::varchar as dob, lower(addresses[1].line) as line,"
        f" lower(addresses[1].postcode) as postcode from read_parquet('{folder}/*.parquet')"
    )
    began = time.perf_counter()
    api = DuckDBAPI(con)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode"),
            cl.LevenshteinAtThresholds("line", [1, 3]),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("first_name", "surname"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode", "surname"),
            block_on("postcode", "first_name"),
        ],
    )
    linker = Linker(api.register("flat"), settings, validate_settings=False)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("first_name", "surname", "dob")], recall=0.6
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("dob"), block_on("first_name", "surname")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=0.5)
    linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.95)
    (kept,) = con.execute(f"select count(*) from {pairs.physical_name}").fetchall()[0]
    print(f"plain Splink: {time.perf_counter() - began:.0f} s, {kept:,} pairs kept, at most {peak():.1f} GB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=500_000)
    parser.add_argument("--skip-peer", action="store_true")
    parser.add_argument("--part", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "safelight-linkage")
    asked = parser.parse_args()
    folder, work = asked.folder / str(asked.records), asked.folder / "work"
    if asked.part:
        {
            "make": lambda: make(asked.records, folder),
            "ours": lambda: ours(folder, work),
            "one": lambda: one(folder, work),
            "peer": lambda: peer(folder),
        }[asked.part]()
        return
    folder.mkdir(parents=True, exist_ok=True)
    work.mkdir(exist_ok=True)
    for old in work.iterdir():
        old.unlink()
    print(f"{asked.records:,} records, {multiprocessing.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    # Each part in a process of its own, so that its peak of memory is its own.
    for part in ("make", "ours", "one", *(() if asked.skip_peer else ("peer",))):
        subprocess.run(
            [sys.executable, __file__, "--part", part, "--records", str(asked.records), "--folder", str(asked.folder)],
            check=True,
        )


if __name__ == "__main__":
    main()
