"""Where Splink computes: DuckDB on this machine (the default) or Spark on many; one setting, the same model."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import duckdb
from splink import DuckDBAPI, Linker

from safelight.linkage.errors import LinkageError
from safelight.linkage.model import ADJUSTED, Model
from safelight.linkage.sql import count

Engine = Literal["duckdb", "spark"]

for _name in ("splink", "splink.internals"):
    logging.getLogger(_name).setLevel(logging.ERROR)


@contextmanager
def linker(con: duckdb.DuckDBPyConnection, model: Model, features: str) -> Iterator[Linker]:
    """A Splink linker over the table ``features``; what it made in the database is removed at the end."""
    api = DuckDBAPI(con)
    made = Linker(api.register(features), model.settings(), validate_settings=False)
    try:
        yield made
    finally:
        made.table_management.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]


def score(
    con: duckdb.DuckDBPyConnection,
    model: Model,
    *,
    features: str,
    pairs: str,
    frequency: str,
    out: str,
    at_least: float,
    engine: Engine = "duckdb",
    spark: Any = None,
) -> int:
    """Score ``pairs`` and write those of a match weight of ``at_least`` to table ``out``; returns how many.

    The columns of ``out``: l, r (record numbers, l < r) and weight.

    Args:
        spark: a running SparkSession, for the engine ``spark``; one is started on this machine when there is none.

    Raises:
        LinkageError: Spark is asked for and not installed.
    """
    if engine == "spark":
        return _score_on_spark(con, model, (features, pairs, frequency), out, at_least, spark)
    with linker(con, model, features) as made:
        _give_frequencies(con, made, made._db_api, frequency)
        made.table_management.register_blocked_pairs_for_predict(made._db_api.register(pairs))
        found = made.inference.predict(threshold_match_weight=at_least, warning_mode="never")
        con.execute(f"create or replace table {out} as {_chosen(found.physical_name)}")
    return count(con, out)


def _give_frequencies(con: duckdb.DuckDBPyConnection, made: Linker, api: Any, frequency: str) -> None:
    for name in ADJUSTED:
        query = f"select value as {name}, share as tf_{name} from {frequency} where name = '{name}'"
        con.execute(f"create or replace temp table _tf_{name} as {query}")
        made.table_management.register_term_frequency_lookup(api.register(f"_tf_{name}"), name)


def _chosen(table: str) -> str:
    return f"select unique_id_l as l, unique_id_r as r, match_weight::float as weight from {table}"


def spark_session() -> Any:
    """A Spark session on this machine with Splink's similarity functions.

    Raises:
        LinkageError: pyspark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise LinkageError(
            "Spark is not installed.", fix="Install requirements/spark.txt and Java 17, or use the engine duckdb."
        ) from error
    from splink.backends.spark import similarity_jar_location

    return (
        SparkSession.builder.master("local[*]")
        .appName("safelight link")
        .config("spark.jars", similarity_jar_location())
        .config("spark.driver.memory", "4g")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )


def _score_on_spark(
    con: duckdb.DuckDBPyConnection, model: Model, tables: tuple[str, str, str], out: str, at_least: float, spark: Any
) -> int:
    session = spark or spark_session()
    from splink.backends.spark import SparkAPI

    with tempfile.TemporaryDirectory(prefix="safelight-link-") as folder:
        features, pairs, frequency = tables
        for table in tables:
            con.execute(f"copy {table} to '{folder}/{table}.parquet' (format parquet)")
        api = SparkAPI(  # type: ignore[no-untyped-call]
            spark_session=session, break_lineage_method="parquet", num_partitions_on_repartition=8
        )
        session.sparkContext.setCheckpointDir(str(Path(folder) / "checkpoints"))
        made = Linker(
            api.register(session.read.parquet(f"{folder}/{features}.parquet")),
            model.settings(),
            validate_settings=False,
        )
        made.table_management.register_blocked_pairs_for_predict(
            api.register(session.read.parquet(f"{folder}/{pairs}.parquet"))
        )
        shares = session.read.parquet(f"{folder}/{frequency}.parquet")
        for name in ADJUSTED:
            one = shares.where(f"name = '{name}'").selectExpr(f"value as {name}", f"share as tf_{name}")
            made.table_management.register_term_frequency_lookup(api.register(one), name)
        found = made.inference.predict(threshold_match_weight=at_least, warning_mode="never")
        found.as_spark_dataframe().write.parquet(f"{folder}/scored")
        scored = f"read_parquet('{folder}/scored/*.parquet')"
        con.execute(f"create or replace table {out} as {_chosen(scored)}")
    return count(con, out)
