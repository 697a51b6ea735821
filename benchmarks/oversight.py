"""Figures and the quarterly report from an extract of a large force, beside the same counts in pandas, in one run.

    python benchmarks/oversight.py                    # an extract of 1,000,000 cases
    python benchmarks/oversight.py --cases 100000

The extract is invented and written straight as Parquet, in the product's own tables; reading a database into one is
measured by ``safelight report --fresh``, which says how long it took. pandas reads the same files and makes the four
tables of the report and the share kept of each clock (without intervals, without units, without open clocks).
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
UNITS = ("CN", "CE", "CS", "CW", "EA", "NA", "NE", "NW", "SE", "SN", "SW", "WA", "OCSAE")
SHARES = np.r_[np.full(12, (1 - 2e-4) / 12), 2e-4]  # the last has few cases: there is something to hide
KINDS = {
    "key": pa.int64(), "text": pa.string(), "time": pa.timestamp("us", tz="UTC"), "date": pa.date32(),
    "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(),
}  # fmt: skip


def times(rng: np.random.Generator, n: int, after: np.ndarray | None = None, hours: float = 0) -> np.ndarray:
    """Moments of the last three years, or some hours after others; those after NOW are missing."""
    end = np.datetime64(NOW.replace(tzinfo=None), "us")
    if after is None:
        return end - (rng.random(n) * 3 * 365 * 86_400e6).astype("timedelta64[us]")
    made = after + (rng.exponential(hours, n) * 3_600e6).astype("timedelta64[us]")
    made[made > end] = np.datetime64("NaT")
    return made


def write(folder: Path, cases: int) -> dict[str, int]:
    """An extract of ``cases`` cases. Returns rows by table."""
    from safelight.casework.oversight.tables import TABLES

    rng = np.random.default_rng(1)
    unit = np.array(UNITS)[rng.choice(len(UNITS), cases, p=SHARES)]
    risk = np.array(["very_high", "high", "medium", "low", ""])[rng.choice(5, cases, p=[0.1, 0.25, 0.4, 0.2, 0.05])]
    opened = times(rng, cases)
    closed = times(rng, cases, opened, 24 * 120)
    key = np.arange(cases)
    outcome = np.where(np.isnat(closed), "", np.where(rng.random(cases) < 0.35, "charged", "no_suspect"))
    given: dict[str, dict[str, Any]] = {
        "cases": {"case_key": key, "unit": unit, "risk": risk, "opened_at": opened, "closed_at": closed,
                  "outcome": outcome, "live_contact": rng.random(cases) < 0.02, "skill": np.full(cases, "ocsae"),
                  "last_action_at": np.minimum(opened + np.timedelta64(20, "D"), np.datetime64("2026-11-30"))},
        "referrals": {"case_key": key, "unit": unit, "received_at": opened, "recorded_at": opened},
        "children": {"child": key, "case_key": key, "unit": unit, "identified_at": opened},
        "allocations": {"case_key": key, "officer": key % 900, "unit": unit,
                        "started_at": times(rng, cases, opened, 30), "specialist": rng.random(cases) < 0.6},
        "accreditations": {"officer": np.arange(900), "skill": np.full(900, "ocsae")},
        "devices": {"device": np.arange(2 * cases), "case_key": np.repeat(key, 2), "unit": np.repeat(unit, 2),
                    "decision": np.where(rng.random(2 * cases) < 0.1, "not_triaged", "triage"),
                    "seized_at": np.repeat(opened, 2), "kind": np.full(2 * cases, "phone")},
    }  # fmt: skip
    devices = given["devices"]
    given["runs"] = {"device": devices["device"], "unit": devices["unit"], "state": np.full(2 * cases, "finished"),
                     "finished_at": times(rng, 2 * cases, devices["seized_at"], 200)}  # fmt: skip
    rules = {"police_referral_to_csc": (24, 10), "allocation_to_investigator": (24, 20),
             "supervisor_review": (168, 150), "device_triage": (336, 200), "caid_upload": (72, 60)}  # fmt: skip
    given["clocks"] = {
        "rule": np.repeat(list(rules), cases), "case_key": np.tile(key, 5), "unit": np.tile(unit, 5),
        "child": np.where(np.repeat(np.arange(5), cases) == 0, np.tile(key, 5), -1),
        "triggered_at": np.tile(opened, 5),
        "due_at": np.concatenate([opened + np.timedelta64(hours, "h") for hours, _ in rules.values()]),
        "stopped_at": np.concatenate([times(rng, cases, opened, mean) for _, mean in rules.values()]),
        "held": np.zeros(5 * cases, dtype=bool),
    }  # fmt: skip
    rows = {}
    for table in TABLES:
        columns = given.get(table.name, {})
        n = len(next(iter(columns.values()))) if columns else 0
        made = [
            pa.array(columns[name], KINDS[kind], from_pandas=True) if name in columns else pa.nulls(n, KINDS[kind])
            for name, _, kind in table.columns
        ]
        schema = pa.schema([(name, KINDS[kind]) for name, _, kind in table.columns])
        pq.write_table(pa.Table.from_arrays(made, schema=schema), folder / f"{table.name}.parquet", compression="zstd")
        rows[table.name] = n
    return rows


def in_pandas(folder: Path, since: datetime, until: datetime) -> float:
    """The tables of the report and the share kept of each clock, as plain pandas does it. Returns seconds."""
    import pandas as pd

    began = time.perf_counter()
    read = {
        name: pd.read_parquet(folder / f"{name}.parquet")
        for name in ("cases", "children", "clocks", "devices", "runs", "allocations")
    }
    inside = lambda frame, column: frame[(frame[column] >= since) & (frame[column] < until)]  # noqa: E731
    clocks, cases = read["clocks"], read["cases"]
    first = clocks[clocks.rule == "police_referral_to_csc"].sort_values("triggered_at").drop_duplicates("child")
    children = inside(read["children"], "identified_at").merge(first, on="child", how="left", suffixes=("", "_clock"))
    state = np.select(
        [children.triggered_at.isna(), children.stopped_at <= children.due_at, children.stopped_at.notna(),
         children.due_at >= NOW],
        ["no clock", "in time", "late", "not yet, still in time"], "not yet, late",
    )  # fmt: skip
    pd.crosstab(children.unit, state, margins=True)
    mine = inside(cases, "opened_at")
    pd.crosstab(mine.unit, mine.risk, margins=True)
    last = read["allocations"].sort_values("started_at").drop_duplicates("case_key", keep="last")
    ended = inside(cases, "closed_at").merge(last[["case_key", "specialist"]], on="case_key", how="left")
    pd.crosstab(ended.unit, [ended.outcome == "charged", ended.specialist], margins=True)
    seized = inside(read["devices"], "seized_at")
    done = seized.device.isin(read["runs"][read["runs"].state == "finished"].device)
    pd.crosstab(seized.unit, [seized.decision, done], margins=True)
    for _, group in inside(clocks, "triggered_at").groupby("rule"):
        (group.stopped_at <= group.due_at).mean()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safelight-oversight-") as place:
        os.environ |= {"SAFELIGHT_DATA": place, "SAFELIGHT_DEMO": "1"}
        os.environ.pop("DATABASE_URL", None)
        from safelight.cli.django import setup

        setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        from safelight.casework.oversight import computing, extracting, reporting
        from safelight.casework.oversight.models import Extract
        from safelight.casework.workforce.services import load_units

        load_units(None)
        folder = Path(place) / "extracts" / "invented"
        folder.mkdir(parents=True)
        rows = write(folder, options.cases)
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{sum(rows.values()):,} rows, {size / 1e6:.0f} MB of Parquet, {options.cases:,} cases, five clocks each")
        began = time.perf_counter()
        values = computing.values_of(folder, NOW)
        figures = time.perf_counter() - began
        extract = Extract.objects.create(
            made_at=NOW, folder="invented", digest=extracting.folder_digest(folder), values=values
        )
        began = time.perf_counter()
        report = reporting.draft(None, "2026Q3", extract=extract)
        drafted = time.perf_counter() - began
        report = reporting.publish(None, report)
        whole = time.perf_counter() - began
        since, until = reporting.bounds("2026Q3")
        pandas = in_pandas(folder, since, until)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print("| what | seconds |")
        print("|---|---|")
        print(f"| every figure: now, the quarter before, 13 months, 13 units, with intervals | {figures:.1f} |")
        print(f"| the report: counted, attacked ({report.proof['targets']} small counts) and drafted | {drafted:.1f} |")
        print(f"| the report published: attacked again, HTML, tagged PDF, CSV, metadata | {whole:.1f} |")
        print(f"| pandas: the same four tables and five shares, nothing hidden | {pandas:.1f} |")
        print(f"| the drafted report over pandas | {drafted / pandas:.2f} |")
        print(
            f"peak memory of the process {peak:.2f} GB; {100 * report.proof['hidden_share']:.1f} % of the cells hidden"
        )


if __name__ == "__main__":
    main()
