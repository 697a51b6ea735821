"""Which records are the same person: one schema for all sources, a model that explains itself, clusters with judgement.

Start here::

    from safelight.linkage import LinkIndex, LinkStore, read_csv, read_mapping, shipped_model, write_index

    with LinkStore(Path("link.duckdb")) as store:
        store.import_(read_csv(Path("crime.csv")), read_mapping(Path("crime.toml")), whole=True)
        store.run(shipped_model())
        write_index(store, Path("index.duckdb"))
    matches = LinkIndex(Path("index.duckdb")).match_one(record)

Splink (Ministry of Justice) does the arithmetic, on DuckDB or on Spark. docs/linkage.md describes the model, and
docs/linkage-quality.md says how well it does and for whom. DuckDB and Splink are imported when this package is.
"""

from __future__ import annotations

from safelight.linkage.clusters import Clusters
from safelight.linkage.errors import LinkageError
from safelight.linkage.features import Blocking
from safelight.linkage.importing import Imported
from safelight.linkage.index import LinkIndex, Match, write_index
from safelight.linkage.model import Model, Thresholds, shipped_model, untrained_model
from safelight.linkage.records import Address, Identifier, Name, PersonRecord, Relationship
from safelight.linkage.scoring import Evidence, Step
from safelight.linkage.sources import (
    Mapping,
    Rejected,
    Staged,
    mapping_from,
    read_csv,
    read_mapping,
    read_parquet,
    read_query,
)
from safelight.linkage.store import LinkStore, Run

__all__ = [
    "Address", "Blocking", "Clusters", "Evidence", "Identifier", "Imported", "LinkIndex", "LinkStore", "LinkageError",
    "Mapping", "Match", "Model", "Name", "PersonRecord", "Rejected", "Relationship", "Run", "Staged", "Step",
    "Thresholds", "mapping_from", "read_csv", "read_mapping", "read_parquet", "read_query", "shipped_model",
    "untrained_model", "write_index",
]  # fmt: skip
