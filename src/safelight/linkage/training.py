"""Training: the parameters of the model from the records themselves, without labels (Fellegi and Sunter 1969, by EM).

How often records of two people agree (u) comes from random pairs, how often those of one person do (m) from expectation
maximisation under three ways of bringing pairs together, so that no comparison is trained on pairs chosen by itself.
Where the data say little, the starting values hold: a level that was seen ten times is not believed as much as one that
was seen ten thousand times.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
from splink import block_on
from splink.internals.exceptions import EMTrainingException

from safelight.linkage.comparisons import comparisons
from safelight.linkage.engine import linker
from safelight.linkage.errors import LinkageError
from safelight.linkage.model import Model, untrained_model
from safelight.linkage.sql import count, first_row

RANDOM_PAIRS = 1_000_000
EM_PAIRS = 500_000
# How many pairs the starting values count for: of two people, and of one.
START_U_PAIRS, START_M_PAIRS = 20_000.0, 200.0
_SESSIONS = (("born",), ("given_key", "family_key"), ("place",))
# Records that agree on one of these are of one person almost surely; about so many of all pairs they find.
_SURE, _SURE_FINDS = (("given", "family", "born"), ("main_id",), ("given", "born", "place")), 0.5
LEAST_RECORDS = 200


def train(
    con: duckdb.DuckDBPyConnection,
    features: str,
    *,
    start: Model | None = None,
    seed: int = 1,
    labels: str = "",
    learn_m: bool = False,
) -> Model:
    """A model trained on the table ``features``, with its report.

    How records of two people agree, and how many records a person has, are always learned from the records. How records
    of one person differ (m) is learned from ``labels``, or by EM with ``learn_m``, or taken from ``start``. Taking it
    is the default, because EM cannot tell a person from a household: where most records at one address are a family's,
    it learns that a given name may differ.

    Args:
        start: the model from which training starts; without one the maintainers' starting values.
        seed: the same seed and records give the same model.
        labels: a table (id, person) that says who is who.

    Raises:
        LinkageError: fewer than :data:`LEAST_RECORDS` records, which is too few to learn from.
    """
    records = count(con, features)
    if records < LEAST_RECORDS:
        raise LinkageError(
            f"{records} records are too few to train on.",
            fix=f"Import at least {LEAST_RECORDS}, or use the shipped model.",
        )
    start, began = start or untrained_model(), time.perf_counter()
    notes: list[str] = []
    if labels:
        con.execute(
            f"create or replace temp table _labelled as select f.*, t.person from {features} f join {labels} t"
            " on t.id = f.unique_id"
        )
        features = "_labelled"
    with linker(con, start, features) as made:
        if not labels:
            made.training.estimate_probability_two_random_records_match(
                [block_on(*columns) for columns in _SURE], recall=_SURE_FINDS
            )
        made.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=seed, num_chunks=1)
        if labels:
            made.training.estimate_m_from_label_column("person")
        for columns in _SESSIONS if learn_m else ():
            try:
                made.training.estimate_parameters_using_expectation_maximisation(
                    block_on(*columns), estimate_without_term_frequencies=True, max_pairs=EM_PAIRS
                )
            except EMTrainingException as error:
                notes.append(f"no training on pairs with the same {' and '.join(columns)}: {str(error).split('.')[0]}")
        data: dict[str, Any] = made.misc.save_model_to_json()
    prior = float(data["probability_two_random_records_match"])
    if labels:
        same = int(
            first_row(con, "select sum(n * (n - 1) / 2) from (select count(*) as n from _labelled group by person)")[0]
        )
        prior = same / (records * (records - 1) / 2)
    prior = min(max(prior, 0.1 / records**2), 0.2)
    matches = prior * records * (records - 1) / 2
    m, u, levels = {}, {}, []
    for comparison, trained in zip(comparisons(), data["comparisons"], strict=True):
        name = comparison.name
        rows = [row for row in trained["comparison_levels"] if not row.get("is_null_level")]
        m[name] = list(start.m[name])
        if labels or learn_m:
            seen_m = [row.get("m_probability") for row in rows]
            m[name] = _blend(seen_m, start.m[name], min(matches, EM_PAIRS), START_M_PAIRS)
            levels += [
                f"{comparison.title}: {level.words}"
                for level, one in zip((*comparison.levels, comparison.otherwise), seen_m, strict=True)
                if one is None
            ]
        # Among random pairs are some of one person; where a person has many records they count.
        seen_u = [row.get("u_probability") for row in rows]
        clean_u = [
            None if one is None else max(one - prior * of_m, 0.0) for one, of_m in zip(seen_u, m[name], strict=True)
        ]
        u[name] = _blend(clean_u, start.u[name], RANDOM_PAIRS, START_U_PAIRS)
    report = {
        "trained": True,
        "how": "labels" if labels else "expectation maximisation" if learn_m else "u and prior only",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "records": records,
        "expected_pairs_of_one_person": round(matches),
        "random_pairs": RANDOM_PAIRS,
        "seconds": round(time.perf_counter() - began, 1),
        "started_from": start.version,
        "levels_without_data": levels,
        "notes": notes,
        "seed": seed,
    }
    return replace(start, m=m, u=u, prior=prior, report=report)


def _blend(seen: list[float | None], start: list[float], pairs: float, start_pairs: float) -> list[float]:
    """Shares from what was seen in ``pairs`` and from the starting values, which count for ``start_pairs``."""
    known = [None if one is None or one != one else one for one in seen]
    if all(one is None for one in known):
        return list(start)
    mixed = [
        (pairs * (one or 0.0) + start_pairs * first) / (pairs + start_pairs)
        for one, first in zip(known, start, strict=True)
    ]
    total = sum(mixed)
    return [round(max(one / total, 1e-9), 10) for one in mixed]
