"""A model: what is compared and how much each outcome weighs, as one JSON file with the report of its training."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import splink.comparison_level_library as cll
from splink import SettingsCreator, block_on
from splink.internals.comparison_library import CustomComparison

from safelight.linkage.comparisons import STRUCTURE, Comparison, comparisons
from safelight.linkage.errors import LinkageError

# Rare values add at most so much: a name that nobody else has may also be a typing error.
TF_FLOOR = 0.0002
ADJUSTED = tuple(level.adjusts for one in comparisons() for level in one.levels if level.adjusts)


@dataclass(frozen=True)
class Thresholds:
    """Match weights (log2 of the odds) at which records are joined, and below which a cluster breaks again.

    Between the two nothing changes: what was joined stays, what was apart stays. Without that, people would jump in
    and out of each other's records from one nightly run to the next.

    Args:
        join: two records become one cluster from this weight on.
        split: records of one cluster stay together as long as they have at least this weight.
        review: pairs from this weight up to ``join`` wait for a person's decision.
    """

    join: float = 10.0
    split: float = 7.0
    review: float = 3.0

    def __post_init__(self) -> None:
        if not self.review <= self.split <= self.join:
            raise LinkageError(
                f"The thresholds review {self.review}, split {self.split} and join {self.join} are out of order.",
                fix="Keep review <= split <= join.",
            )


@dataclass(frozen=True)
class Model:
    """Parameters for the comparisons of :func:`comparisons.comparisons`.

    Args:
        m: for each comparison the share of each level among records of one person, in the order of the levels.
        u: the same among records of two people.
        prior: chance that two records taken at random are of one person.
        report: how it was trained, in plain values.
    """

    m: dict[str, list[float]]
    u: dict[str, list[float]]
    prior: float
    thresholds: Thresholds = field(default_factory=Thresholds)
    report: dict[str, Any] = field(default_factory=dict)
    structure: int = STRUCTURE

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits over everything that can change a score."""
        says = [self.structure, self.m, self.u, self.prior, vars(self.thresholds)]
        return hashlib.sha256(json.dumps(says, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def typical(self) -> dict[str, float]:
        """For each column whose rare values weigh more, the chance that two people share a value."""
        return {
            level.adjusts: self.u[one.name][place]
            for one in comparisons()
            for place, level in enumerate(one.levels)
            if level.adjusts
        }

    def weights(self, comparison: Comparison) -> list[float]:
        """The match weight of each level (log2 m/u), without the adjustment for rare values."""
        return [math.log2(m / u) for m, u in zip(self.m[comparison.name], self.u[comparison.name], strict=True)]

    def settings(self, *, evidence: bool = False) -> SettingsCreator:
        """For Splink; the blocking rule is a formality, because the pairs are made by :mod:`features`."""
        return SettingsCreator(
            link_type="dedupe_only",
            comparisons=[self._creator(one) for one in comparisons()],
            blocking_rules_to_generate_predictions=[block_on("given", "family", "born")],
            probability_two_random_records_match=self.prior,
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=evidence,
            linker_uid="safelight",
        )

    def _creator(self, comparison: Comparison) -> CustomComparison:
        ms, us = self.m[comparison.name], self.u[comparison.name]
        made: list[Any] = [
            cll.CustomLevel(comparison.missing, "missing", base_dialect_str="duckdb").configure(is_null_level=True)
        ]
        for level, m, u in zip((*comparison.levels, comparison.otherwise), ms, us, strict=True):
            given: dict[str, Any] = {"m_probability": m, "u_probability": u, "label_for_charts": level.words}
            if level.adjusts:
                given |= {
                    "tf_adjustment_column": level.adjusts,
                    "tf_minimum_u_value": TF_FLOOR if level.adjusts not in {"place", "line"} else u,
                    "disable_tf_exact_match_detection": True,
                }
            made.append((level.test or cll.ElseLevel()).configure(**given))
        return CustomComparison(
            output_column_name=comparison.name, comparison_levels=made, comparison_description=comparison.title
        )

    def to_json(self) -> str:
        data = {
            "what": "Safelight linkage model", "version": self.version, "structure": self.structure,
            "prior": self.prior, "thresholds": vars(self.thresholds), "comparisons": self._rows(),
            "report": self.report,
        }  # fmt: skip
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "name": one.name,
                "levels": [
                    {"says": level.words, "m": m, "u": u, "weight": round(math.log2(m / u), 3)}
                    for level, m, u in zip(
                        (*one.levels, one.otherwise), self.m[one.name], self.u[one.name], strict=True
                    )
                ],
            }
            for one in comparisons()
        ]

    def save(self, path: Path) -> Path:
        """Write the model; a name with the version in it is kept beside older ones by the caller."""
        path.write_text(self.to_json(), "utf-8")
        return path

    @classmethod
    def load(cls, path: Path) -> Model:
        """Read a saved model.

        Raises:
            LinkageError: not a model, changed by hand without a new version, or made for other comparisons.
        """
        try:
            return cls.from_json(path.read_text("utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise LinkageError(
                f"The model {path} cannot be read: {error}.", fix="Check the name of the file."
            ) from error

    @classmethod
    def from_json(cls, text: str, where: str) -> Model:
        fix = "Train it anew: safelight link train."
        try:
            data = json.loads(text)
            if data["structure"] != STRUCTURE:
                raise LinkageError(
                    f"{where} is a model for other comparisons (structure {data['structure']}).", fix=fix
                )
            rows = {row["name"]: row["levels"] for row in data["comparisons"]}
            model = cls(
                m={name: [level["m"] for level in levels] for name, levels in rows.items()},
                u={name: [level["u"] for level in levels] for name, levels in rows.items()},
                prior=data["prior"],
                thresholds=Thresholds(**data["thresholds"]),
                report=data["report"],
            )
            fits = all(len(model.m[one.name]) == len(one.levels) + 1 for one in comparisons())
        except (ValueError, KeyError, TypeError) as error:
            raise LinkageError(f"{where} is not a linkage model ({error}).", fix=fix) from error
        if not fits:
            raise LinkageError(f"{where} has other levels than this version of Safelight.", fix=fix)
        if model.version != data["version"]:
            raise LinkageError(
                f"{where} says version {data['version']}, but its content is {model.version}: it was changed by hand.",
                fix="Take the original, or remove the line with the version on purpose and save it anew.",
            )
        return model


def untrained_model(prior: float = 1e-5) -> Model:
    """The parameters from which training starts: the maintainers' judgement, no data."""

    def share(values: list[float]) -> list[float]:
        return [value / sum(values) for value in values]

    rows = {one.name: (*one.levels, one.otherwise) for one in comparisons()}
    return Model(
        m={name: share([level.m for level in levels]) for name, levels in rows.items()},
        u={name: share([level.u for level in levels]) for name, levels in rows.items()},
        prior=prior,
        report={"trained": False, "note": "starting values, not trained on any records"},
    )


def shipped_model() -> Model:
    """The general model that comes with Safelight, trained on synthetic people of many origins."""
    text = files("safelight.linkage").joinpath("data/model.json").read_text("utf-8")
    return Model.from_json(text, "the shipped model")
