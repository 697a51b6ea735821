"""The rule of the queue for full examination, read from its data (data/forensic_queue.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from safelight.errors import StandardsError


@dataclass(frozen=True)
class QueueRule:
    """The rule's numbers.

    Attributes:
        name: what the rule is called in records.
        order: the order of work of :mod:`safelight.planning.rules` that it is.
        clock: the clock (standards/clocks.toml) whose time it grows with.
        cost: cost of one day's delay by risk level; dimensionless.
        found: factor by the band of the triage priority.
        days_of_work: an examiner's days by kind of device.
        source: where the numbers come from.
    """

    name: str
    order: str
    clock: str
    cost: Mapping[str, float]
    found: Mapping[str, float]
    days_of_work: Mapping[str, float]
    source: str


@cache
def queue_rule() -> QueueRule:
    """The rule as it is installed.

    Raises:
        StandardsError: a number is missing or not above 0.
    """
    text = files("safelight.standards").joinpath("data/forensic_queue.toml").read_text("utf-8")
    return read_rule(text)


def read_rule(text: str) -> QueueRule:
    """The rule in a TOML text.

    Raises:
        StandardsError: it is no TOML, or a number is missing or not above 0.
    """
    try:
        row = tomllib.loads(text)
        made = QueueRule(
            name=str(row["name"]),
            order=str(row["order"]),
            clock=str(row["clock"]),
            cost=_numbers(row["cost"]),
            found=_numbers(row["found"]),
            days_of_work=_numbers(row["days_of_work"]),
            source=str(row["source"]),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StandardsError(f"forensic_queue.toml cannot be read: {error}.", fix="Mend the file.") from error
    for table in (made.cost, made.found, made.days_of_work):
        for key, value in table.items():
            if not 0 < value < 1e6:
                raise StandardsError(f"forensic_queue.toml: {key} = {value:g} is not above 0.", fix="Mend the file.")
    return made


def _numbers(table: Mapping[str, object]) -> dict[str, float]:
    return {str(key): float(str(value)) for key, value in table.items()}
