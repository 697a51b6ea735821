"""What of two records is compared, level by level, in an SQL that Splink carries to DuckDB and to Spark.

Each level says, in words, what a person would say of the two values; the words stand in the evidence beside the pair.
The order matters: the first level that holds counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import splink.comparison_level_library as cll

STRUCTURE = 1  # raised when a level is added, moved or changes its meaning: older parameters then do not fit


@dataclass(frozen=True)
class Level:
    """One level: what to say of it, what it tests, the frequency that adjusts it, and the parameters before training.

    Args:
        m: how often records of one person stand here; u: how often records of two people do.
        adjusts: the column whose rare values weigh more than common ones.
    """

    words: str
    test: Any
    m: float
    u: float
    adjusts: str = ""


@dataclass(frozen=True)
class Comparison:
    """A comparison; ``missing`` says when nothing can be said (weight 0). The last level is "anything else"."""

    name: str
    title: str
    shows: str
    missing: str
    levels: tuple[Level, ...]
    otherwise: Level


def _sql(condition: str) -> Any:
    return cll.CustomLevel(condition, base_dialect_str="duckdb")


def _close(column: str, similarity: float) -> Any:
    # Levenshtein, not Damerau's: five times as fast in DuckDB; exchanged letters are close for Jaro and Winkler.
    return cll.Or(cll.JaroWinklerLevel(column, similarity), cll.LevenshteinLevel(column, 1))


_INITIAL = "left({0}_l, 1) = left({0}_r, 1) and (length({0}_l) = 1 or length({0}_r) = 1)"
_EXCHANGED = "given_key_l = family_key_r and given_key_r = family_key_l and given_key_l <> family_key_l"
_NO_DAY = "(born_l is null or born_r is null)"
# A cheap condition first: most pairs agree neither in the year nor in the day of the year.
_HALF = "(born_year_l = born_year_r or born_day_l = born_day_r)"
_LONG = "length({0}_l) > 3 and length({0}_r) > 3"


def comparisons() -> tuple[Comparison, ...]:
    """The comparisons of the general model, in the order in which a person would name them."""
    return (
        Comparison(
            "given",
            "Given name",
            "given",
            "given_l is null or given_r is null",
            (
                Level("only an initial, the same", _sql(_INITIAL.format("given")), 0.04, 0.006),
                Level("the same", cll.ExactMatchLevel("given"), 0.62, 0.005, "given"),
                Level("a short form or another spelling", cll.ArrayIntersectLevel("roots", 1), 0.1, 0.006, "given_key"),
                Level("given and family name exchanged", _sql(_EXCHANGED), 0.02, 0.000002),
                Level("almost the same", cll.And(_sql(_LONG.format("given")), _close("given", 0.92)), 0.09, 0.003),
                Level(
                    "stands among the other's names",
                    _sql("list_contains(names_r, given_l) or list_contains(names_l, given_r)"),
                    0.04,
                    0.003,
                ),
                Level("similar", cll.JaroWinklerLevel("given", 0.8), 0.03, 0.013),
            ),
            Level("different", None, 0.05, 0.95),
        ),
        Comparison(
            "family",
            "Family name",
            "family",
            # Names exchanged are one event: counted with the given name, and here nothing is said.
            f"family_l is null or family_r is null or ({_EXCHANGED})",
            (
                Level("only an initial, the same", _sql(_INITIAL.format("family")), 0.01, 0.002),
                Level("the same", cll.ExactMatchLevel("family"), 0.68, 0.002, "family"),
                Level(
                    "another spelling that sounds alike", cll.ExactMatchLevel("family_key"), 0.08, 0.002, "family_key"
                ),
                Level("almost the same", cll.And(_sql(_LONG.format("family")), _close("family", 0.92)), 0.09, 0.002),
                Level(
                    "stands among the other's names",
                    _sql("list_contains(names_r, family_l) or list_contains(names_l, family_r)"),
                    0.02,
                    0.002,
                ),
                Level(
                    "one begins with the other",
                    _sql(
                        f"{_LONG.format('family')}"
                        " and (starts_with(family_l, family_r) or starts_with(family_r, family_l))"
                    ),
                    0.01,
                    0.0004,
                ),
                Level("similar", cll.JaroWinklerLevel("family", 0.8), 0.03, 0.01),
            ),
            Level("different", None, 0.06, 0.96),
        ),
        Comparison(
            "middle",
            "Second given name",
            "middle",
            "middle_l is null or middle_r is null",
            (
                Level("the same", _sql("middle_l = middle_r and length(middle_l) > 1"), 0.66, 0.01),
                Level("an initial, the same", _sql(_INITIAL.format("middle")), 0.14, 0.05),
                Level("almost the same", _close("middle", 0.9), 0.1, 0.005),
            ),
            Level("different", None, 0.1, 0.935),
        ),
        Comparison(
            "born",
            "Date of birth",
            "born",
            "born_year_l is null or born_year_r is null",
            (
                Level("the same day", cll.ExactMatchLevel("born"), 0.74, 0.00005),
                Level("day and month exchanged", _sql("born_l = born_swapped_r"), 0.02, 0.00003),
                Level("one digit differs", cll.And(_sql(_HALF), cll.LevenshteinLevel("born", 1)), 0.08, 0.0012),
                Level(
                    "the same month, no day in one", _sql(f"born_month_l = born_month_r and {_NO_DAY}"), 0.01, 0.0008
                ),
                Level(
                    "the same year, no day in one",
                    _sql("born_year_l = born_year_r and (born_month_l is null or born_month_r is null)"),
                    0.05,
                    0.012,
                ),
                Level("two digits differ", cll.And(_sql(_HALF), cll.LevenshteinLevel("born", 2)), 0.03, 0.004),
                Level("the same day in another year", _sql("born_day_l = born_day_r"), 0.02, 0.0025),
                Level("the same year", _sql("born_year_l = born_year_r"), 0.01, 0.012),
                Level(
                    "within two years, no day in one",
                    _sql(f"abs(born_year_l - born_year_r) <= 2 and {_NO_DAY}"),
                    0.01,
                    0.04,
                ),
                Level("within ten years", _sql("abs(born_year_l - born_year_r) <= 10"), 0.015, 0.22),
            ),
            Level("different", None, 0.015, 0.7),
        ),
        Comparison(
            "address",
            "Address",
            "place",
            "(place_l is null and postcode_l is null) or (place_r is null and postcode_r is null)",
            (
                Level("the same address", _sql("place_l = place_r and line_l is not null"), 0.35, 0.00005, "place"),
                Level("an earlier or other address the same", cll.ArrayIntersectLevel("places", 1), 0.08, 0.00005),
                Level("the same street and number, another postcode", _sql("line_l = line_r"), 0.05, 0.0001, "line"),
                Level(
                    "almost the same street and number",
                    cll.And(_sql(_LONG.format("line")), cll.JaroWinklerLevel("line", 0.93)),
                    0.1,
                    0.0006,
                ),
                Level("the same postcode", cll.ArrayIntersectLevel("postcodes", 1), 0.07, 0.0008),
                Level("the same area", cll.ExactMatchLevel("area"), 0.1, 0.01, "area"),
            ),
            Level("another address", None, 0.25, 0.98),
        ),
        Comparison(
            "contacts",
            "Telephone, e-mail, on-line name",
            "contacts",
            "contacts_l is null or contacts_r is null",
            (Level("one is the same", cll.ArrayIntersectLevel("contacts", 1), 0.55, 0.00002),),
            Level("none is the same", None, 0.45, 0.99998),
        ),
        Comparison(
            "ids",
            "Identifier",
            "ids",
            "ids_l is null or ids_r is null",
            (
                Level("one is the same", cll.ArrayIntersectLevel("ids", 1), 0.9, 0.000002),
                Level(
                    "one digit differs",
                    cll.And(
                        _sql("length(main_id_l) > 9 and length(main_id_r) > 9"), cll.LevenshteinLevel("main_id", 1)
                    ),
                    0.06,
                    0.00001,
                ),
                Level(
                    "two digits differ",
                    cll.And(
                        _sql("length(main_id_l) > 9 and length(main_id_r) > 9"), cll.LevenshteinLevel("main_id", 2)
                    ),
                    0.01,
                    0.0003,
                ),
            ),
            Level("different", None, 0.03, 0.9997),
        ),
        Comparison(
            "sex",
            "Sex",
            "sex",
            "sex_l is null or sex_r is null",
            (Level("the same", cll.ExactMatchLevel("sex"), 0.97, 0.5),),
            Level("different", None, 0.03, 0.5),
        ),
    )
