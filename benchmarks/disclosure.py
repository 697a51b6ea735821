"""Public tables under attack: ours beside hiding the small counts alone, on the same random table sets.

    python benchmarks/disclosure.py --sets 500            # a minute or two
    python benchmarks/disclosure.py --sets 10000          # the full size

A set is a force's quarter in three linked tables (grade by unit, kind by unit, kind by grade) with all totals, and the
quarter before it in the same three tables, released first. Numbers of cases, of units and how uneven they are vary.
Each release that ours makes is attacked again here by a second attacker (HiGHS, from the published texts alone).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from safelight.measures.disclosure import PRESETS, CountTable, Dimension, Grid, Release, ReleasedTable, make_release
from safelight.measures.errors import DisclosureError

MOST_HIDDEN = 0.15
GRADES = Dimension("grade", ("good", "requires improvement", "inadequate"))
KINDS = Dimension("kind", ("online", "at home", "exploitation", "missing", "custody"))


def table_set(seed: int) -> tuple[str, list[list[CountTable]]]:
    """The policy and two quarters of linked tables of one random force."""
    rng = np.random.default_rng(seed)
    units = Dimension("unit", tuple(f"unit {i + 1}" for i in range(int(rng.integers(4, 14)))))
    size = int(rng.integers(150, 500)) * len(units.levels)
    shares = rng.dirichlet(np.full(len(units.levels), rng.uniform(3, 20)))
    cells = shares[:, None, None] * rng.dirichlet([4, 5, 3])[None, :, None] * rng.dirichlet([6, 5, 4, 3, 2])[None, None]
    quarters = []
    for name in ("Q1", "Q2"):
        cube = rng.poisson(cells * size * rng.uniform(0.9, 1.1))
        quarters.append([
            CountTable("grade by unit", "cases", (units, GRADES), cube.sum(axis=2), {"quarter": name}),
            CountTable("kind by unit", "cases", (units, KINDS), cube.sum(axis=1), {"quarter": name}),
            CountTable("kind by grade", "cases", (GRADES, KINDS), cube.sum(axis=0), {"quarter": name}),
        ])  # fmt: skip
    return sorted(PRESETS)[seed % len(PRESETS)], quarters


def known(releases: list[Release]) -> Iterator[tuple[int, float, float]]:
    """Each small count, and what the second attacker can tell of it."""
    tables = [t for release in releases for t in release.tables]
    grid = Grid([t.table for t in tables])
    rows, low, high, wanted = [], [], [], []
    for release in releases:
        mixed = any(s.hidden and t.table.count(k) >= t.policy.smallest_shown
                    for t in release.tables for k, s in t.shown.items())  # fmt: skip
        for t in release.tables:
            for key, shown in t.shown.items():
                rows.append(grid.atoms(t.table, key))
                if shown.hidden:
                    low.append(1.0)
                    high.append(math.inf if mixed else t.policy.smallest_shown - 1.0)
                    if t.policy.is_small(t.table.count(key)):
                        wanted.append((t.table.count(key), rows[-1]))
                else:
                    value, zero = int(shown.text), shown.text == "0"
                    low.append(0.0 if zero else max(value - t.policy.base // 2, t.policy.smallest_shown))
                    high.append(0.0 if zero else value + (t.policy.base - 1) // 2)
    which = np.concatenate([np.full(len(r), i) for i, r in enumerate(rows)])
    matrix = sparse.csr_array((np.ones(len(which)), (which, np.concatenate(rows))), (len(rows), grid.size))
    limited = np.isfinite(high)
    above = sparse.vstack([-matrix, matrix[limited]])
    bounds = np.concatenate([-np.array(low), np.array(high)[limited]])
    for count, atoms in wanted:
        aim = np.zeros(grid.size)
        aim[atoms] = 1
        least = linprog(aim, A_ub=above, b_ub=bounds, method="highs").fun
        most = linprog(-aim, A_ub=above, b_ub=bounds, method="highs")
        yield count, math.ceil(least - 1e-6), math.inf if most.status == 3 else math.floor(-most.fun + 1e-6)


def one(job: tuple[int, bool]) -> dict[str, float | str]:
    seed, attack_again = job
    policy, quarters = table_set(seed)
    started = time.perf_counter()
    releases: list[Release] = []
    try:
        for number, tables in enumerate(quarters):
            rule = PRESETS[policy]
            made = make_release(f"Q{number}", tables, rule, earlier=releases, most_hidden=MOST_HIDDEN)
            releases.append(made)
    except DisclosureError:
        return {"policy": policy, "refused": 1, "seconds": time.perf_counter() - started}
    seconds = time.perf_counter() - started
    row: dict[str, float | str] = {
        "policy": policy, "refused": 0, "seconds": seconds,
        "coarser": sum(len(r.coarser) for r in releases), "small": 0, "known": 0, "naive": 0,
        "hidden": max(r.hidden_share for r in releases),
        "further": sum(len(t.hidden) for r in releases for t in r.tables),
        "cells": sum(len(t.shown) for r in releases for t in r.tables),
    }  # fmt: skip
    if attack_again:
        found = list(known(releases))
        row["small"] = len(found)
        row["known"] = sum(high - low < 5 for _, low, high in found)
        alone = [Release(r.name, tuple(ReleasedTable(t.table, t.policy) for t in r.tables), r.audit) for r in releases]
        row["naive"] = sum(high - low < 5 for _, low, high in known(alone))
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=300)
    parser.add_argument("--again", type=int, default=10, help="attack every Nth set again with the second attacker")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    jobs = [(seed, seed % options.again == 0 or seed % options.again == 1) for seed in range(options.sets)]
    with ProcessPoolExecutor(options.processes) as pool:
        rows = list(pool.map(one, jobs, chunksize=20))
    print(f"{options.sets} sets of two quarters, three linked tables each")
    print("| policy | sets | refused | s a set, median / most | cells hidden, mean / 95 % / most | over 15 % | "
          "sets with a coarser table | "
          "small counts attacked again | known to within 2 | the same, hiding small counts alone |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for policy in sorted(PRESETS):
        mine = [r for r in rows if r["policy"] == policy]
        made = [r for r in mine if not r["refused"]]
        seconds = [float(r["seconds"]) for r in mine]
        hidden = [float(r["hidden"]) for r in made]
        total = {name: sum(int(r[name]) for r in made) for name in ("small", "known", "naive")}
        over = sum(share > 0.15 for share in hidden)
        cells = (
            policy,
            len(mine),
            len(mine) - len(made),
            f"{np.median(seconds):.2f} / {max(seconds):.2f}",
            f"{100 * np.mean(hidden):.1f} / {100 * np.quantile(hidden, 0.95):.1f} / {100 * max(hidden):.1f} %",
            over,
            sum(int(r["coarser"]) > 0 for r in made),
            *total.values(),
        )
        print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
